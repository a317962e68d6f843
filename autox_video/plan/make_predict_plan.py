"""A trained model's plan for videos that stand in no list."""

from __future__ import annotations

import dataclasses
from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.plan.schema import Decision, Hardware, Plan

# Of the user's own words for MMEngine, those that change what a model sees or is.
OPTIONS_OF_USE = ("model.", "test_dataloader.dataset.pipeline.")


def make_predict_plan(
    trained: Plan, hardware: Hardware, device: str = "auto", views: tuple[int, int] | None = None
) -> Plan:
    """The plan of a trained model on the machine at hand, with the pipeline of its test and no list.

    Args:
        trained: The plan that the model was trained with.
        hardware: The machine.
        device: `auto`, `cpu` or `cuda`.
        views: Clips of a video and crops of each clip; None as when it was trained.

    Raises:
        RequestError: CUDA is asked for on a machine without a GPU.
    """
    if device == "cuda" and not hardware.num_gpus:
        cure = "Write cpu or auto, or run `autox-video doctor` to see why none is found"
        raise RequestError(Problem("--device", "asks for a GPU, and there is none", cure, device))
    where = "cuda" if hardware.num_gpus and device != "cpu" else "cpu"
    changed: dict[str, Any] = {
        "data_root": "",
        "ann_files": {"test": ""},
        "num_videos": {"test": 0},
        "cfg_options": {
            key: value for key, value in trained.cfg_options.items() if f"{key}.".startswith(OPTIONS_OF_USE)
        },
        "hardware": hardware,
        "device": Decision(where, "default" if device == "auto" else "--device", "what this machine has"),
    }
    if where != trained.device.value:
        changed["scoring_amp"] = Decision("off", "default", f"the model was trained on another device than {where}")
    elif trained.scoring_amp.value == "bfloat16" and not hardware.bfloat16:
        changed["scoring_amp"] = Decision("off", "hardware", "this GPU has no bfloat16, in which others score")
    if views is not None:
        for name, value in zip(("test_num_clips", "test_num_crops"), views, strict=True):
            changed[name] = Decision(value, "--views", "as asked")
    return dataclasses.replace(trained, **changed)
