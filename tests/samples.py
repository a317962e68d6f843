"""Facts, settings and machines for tests of the stages that need no video."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from autox_video.dataset.facts import Fingerprint, Percentiles, SplitFacts
from autox_video.plan.make_plan import make_plan
from autox_video.plan.rules.model import choose_model
from autox_video.plan.schema import Hardware, Plan
from autox_video.presets import Preset, load_preset
from autox_video.settings.load import load_settings
from autox_video.settings.schema import Settings

CPU = Hardware(0, "", 0.0, False, 2, 24.0, 12.0)
GPU = Hardware(1, "Test GPU", 24.0, True, 16, 128.0, 64.0)


def settings(**values: Any) -> Settings:
    return load_settings(None, values={"data_root": "/videos", **values})


def spread(value: float) -> Percentiles:
    return Percentiles(value, value, value, value, value)


def split_facts(
    split: str = "train",
    *,
    counts: dict[str, int] | None = None,
    seconds: float = 2.0,
    fps: float = 24.0,
    size: tuple[int, int] = (320, 240),
) -> SplitFacts:
    counts = counts or {"run": 100, "jump": 100}
    values: dict[str, Any] = {field.name: None for field in dataclasses.fields(SplitFacts)}
    values |= {
        "ann_file": f"/run/annotations/{split}.txt",
        "source": f"{split}_list.txt",
        "labelled": True,
        "num_unopened": 0,
        "num_videos": sum(counts.values()),
        "class_counts": counts,
        "num_frames": spread(seconds * fps),
        "fps": spread(fps),
        "duration_seconds": spread(seconds),
        "short_side_px": spread(min(size)),
        "long_side_px": spread(max(size)),
        "size_bytes": spread(1e5),
    }
    return SplitFacts(**values)


def fingerprint(**facts: Any) -> Fingerprint:
    train = split_facts("train", **facts)
    splits = {"train": train, **{name: split_facts(name, **facts) for name in ("val", "test")}}
    return Fingerprint(1, "single_label", "/videos", tuple(train.class_counts), splits, (), ())


def plan(hardware: Hardware = CPU, data: Fingerprint | None = None, **values: Any) -> tuple[Plan, Preset]:
    """A plan; on a CPU of nano, which is quick and changes with no other card, unless the test says which."""
    asked = (
        settings(**values) if hardware.num_gpus or "model" in values else settings(model="video_swin_nano", **values)
    )
    data = data or fingerprint()
    chosen = choose_model(asked, data.splits["train"], hardware)
    preset = load_preset(chosen.value)
    return make_plan(asked, data, preset, hardware, chosen=chosen), preset


RUN = Path("/run")
