"""`best.safetensors`: the weights of `best.pth` alone, and in its header what one must know to use them.

The header is plain JSON and the rest plain numbers: no reader of this format can be made to run code.
https://github.com/huggingface/safetensors describes it.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from mmengine.dist import master_only

from autox_video.errors import Problem, RunError
from autox_video.plan.schema import Plan
from autox_video.presets import Card, load_preset
from autox_video.records import build_record
from autox_video.runner.checkpoints.record import RECORD_KEY
from autox_video.writing import write_durably


@master_only
def write_weights_with_card(best_checkpoint: Path, checkpoint: Mapping[str, Any]) -> None:
    """Write `best.safetensors` beside `best.pth`, durably; do nothing where it already belongs to it.

    Called after `best.pth` is published, and again when a run goes on: a process that was killed between
    the two files leaves an old `best.safetensors`, whose card names another epoch.

    Args:
        best_checkpoint: `best.pth`.
        checkpoint: What is in it: `state_dict`, and `meta` with our record.

    Raises:
        RunError: The file cannot be written; an earlier one is untouched.
    """
    path = best_checkpoint.with_suffix(".safetensors")
    card = {key: json.dumps(value, ensure_ascii=False) for key, value in _card(checkpoint).items()}
    # `format` is what other readers of this format look for, and bare text.
    metadata = {"format": "pt", **card}
    if path.is_file() and _metadata(path) == metadata:
        return
    content = safetensors.torch.save(_separate(checkpoint["state_dict"]), metadata)
    write_durably(path, lambda file: file.write(content))


def write_with_views(weights: Path, path: Path, plan: Plan) -> None:
    """Write the weights of a file with a card once more, of a model that is to see a video in other views.

    Args:
        weights: The file.
        path: The new one.
        plan: What says how many clips and crops.

    Raises:
        RunError: It cannot be written.
    """
    card = read_card(weights)
    for name in ("num_clips", "num_crops"):
        decision = getattr(plan, f"test_{name}")
        card["plan"][f"test_{name}"] = dataclasses.asdict(decision)
        card["preprocessing"][name] = decision.value
    metadata = {"format": "pt", **{key: json.dumps(value, ensure_ascii=False) for key, value in card.items()}}
    content = safetensors.torch.save(safetensors.torch.load_file(weights), metadata)
    write_durably(path, lambda file: file.write(content))


def read_card(path: Path) -> dict[str, Any]:
    """What a file of `write_weights_with_card` says of itself: classes, preprocessing, metrics and the rest.

    Raises:
        RunError: The file is not one of ours.
    """
    metadata = _metadata(path)
    if metadata is None or "classes" not in metadata:
        raise RunError(Problem(str(path), "holds no card of autox_video", "Name the best.safetensors of a run"))
    return {key: json.loads(value) for key, value in metadata.items() if key != "format"}


def _card(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    record = checkpoint["meta"][RECORD_KEY]
    plan: Plan = build_record(record["plan"], Plan)
    preset = load_preset(plan.model.value)
    normalisation = preset.model.get("data_preprocessor", {})
    # The package's top stands above this layer: its version is read and not imported.
    own_version = sys.modules["autox_video"].__version__
    return {
        "plan": record["plan"],
        "model": plan.model.value,
        "task": plan.task,
        "classes": list(plan.classes),
        "preprocessing": {
            "sampling": plan.sampling.value,
            "clip_len": plan.clip_len.value,
            "frame_interval": plan.frame_interval.value,
            "target_fps": plan.target_fps.value,
            # The shorter side is scaled to `input_size`, and a square is cut from the middle.
            "input_size": plan.input_size.value,
            "num_clips": plan.test_num_clips.value,
            "num_crops": plan.test_num_crops.value,
            "mean": list(normalisation.get("mean") or [0.0] * 3),
            "std": list(normalisation.get("std") or [1.0] * 3),
            "color_order": "BGR" if normalisation.get("to_rgb") else "RGB",
            "layout": plan.input_format.value,
        },
        # The user's own words for MMEngine: they may change what stands above.
        "cfg_options": plan.cfg_options,
        # As in metrics.csv, so that nobody takes them for those of a test.
        "metrics": {f"val_{name}": value for name, value in record["metrics"].items()},
        "best_metric": record["best_metric"],
        "thresholds": record.get("thresholds"),
        "temperature": record.get("temperature"),
        "calibration": record.get("calibration"),
        "epoch": checkpoint["meta"]["epoch"],
        "pretrained": _pretrained(preset.card, plan.load_from.value),
        "licence": preset.card.licence,
        "versions": {"autox_video": own_version, "torch": torch.__version__, "python": platform.python_version()},
    }


def _pretrained(card: Card, load_from: str) -> dict[str, Any] | None:
    """What the training started from; None from scratch."""
    if load_from == "none":
        return None
    known = next((weights for weights in card.weights.values() if weights.url == load_from), None)
    return {"load_from": load_from, "trained_on": None if known is None else known.trained_on}


def _metadata(path: Path) -> dict[str, str] | None:
    """The header's texts; None where there is no such file of this format."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return file.metadata()
    except (OSError, safetensors.SafetensorError):
        return None


def _separate(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors that lie one after another and share nothing: the format has no words for views."""
    separate: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in state.items():
        plain = tensor.detach().cpu().contiguous()
        numbers = plain.untyped_storage().data_ptr()
        separate[name] = plain.clone() if numbers in seen else plain
        seen.add(numbers)
    return separate
