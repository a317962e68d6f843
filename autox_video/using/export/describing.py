"""What an exported model says of itself: `bundle.json`, its README, and the `predict.py` that fits it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autox_video.plan.schema import Plan
from autox_video.presets import shared_folder
from autox_video.render.pipelines import test_pipeline
from autox_video.using.export.checking import Agreement

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor

VERSION = 1
MARK = "# choose_frames\n"
# The function of `predict.py` for each transform that samples; `SampleFrames` does two things.
SAMPLERS = {"SampleAtRate": "target_fps", "UniformSample": "uniform"}


def describe(predictor: Predictor, weights: Path, tested: dict[str, Any] | None) -> dict[str, Any]:
    """All that one must know to use a model, but for the files.

    Args:
        predictor: The model.
        weights: Its file in the bundle.
        tested: As `test_results` returns it.
    """
    from autox_video.runner.checkpoints.card import read_card

    card, trained, plan = read_card(weights), predictor.trained, predictor.plan
    size, views = plan.input_size.value, plan.test_num_clips.value * plan.test_num_crops.value
    frames = plan.clip_len.value
    clips = [views, 3, frames, size, size] if plan.input_format.value == "NCTHW" else [views * frames, 3, size, size]
    return {
        "version": VERSION,
        "made_by": f"autox_video {card['versions']['autox_video']}, autox-video export",
        "made_from": {"file": trained.path.name, "sha256": trained.sha256, "epoch": trained.epoch},
        "model": card["model"],
        "task": card["task"],
        "classes": card["classes"],
        "preprocessing": card["preprocessing"],
        "input": {"name": "clips", "dtype": "uint8", "shape": ["N", *clips], "colors": "RGB"},
        "output": {
            "name": "probabilities",
            "dtype": "float32",
            "shape": ["N", len(card["classes"])],
            "calibrated": False,
        },
        "thresholds": card["thresholds"],
        "calibration": card.get("calibration"),
        "metrics": {"val": card["metrics"], "test": _figures(tested)},
        "pretrained": card["pretrained"],
        "licence": card["licence"],
        "versions": card["versions"],
    }


def script(plan: Plan) -> str:
    """`predict.py` for a model: with the function that chooses frames as its test did."""
    step = test_pipeline(plan, stock=False)[1]
    name = SAMPLERS.get(step["type"]) or ("segments" if plan.sampling.value == "segments" else "dense")
    folder = shared_folder("resources") / "bundle"
    function = (folder / "sampling" / f"{name}.py").read_text(encoding="utf-8")
    return (folder / "predict.py").read_text(encoding="utf-8").replace(MARK, function)


def readme(described: Mapping[str, Any], checks: Mapping[str, Agreement]) -> str:
    """The page that a folder is opened with."""
    template = (shared_folder("resources") / "bundle" / "README.md").read_text(encoding="utf-8")
    several = described["thresholds"] is not None
    figures = [
        f"- {split}: " + ", ".join(f"{name.removeprefix('val_')} {value:.3f}" for name, value in found.items())
        for split, found in described["metrics"].items()
        if found
    ]
    pretrained = described["pretrained"]
    words = {
        "model": described["model"],
        "classes": "\n".join(f"{number}. `{name}`" for number, name in enumerate(described["classes"])),
        "figures": "\n".join(figures) or "- none are known",
        "checks": "\n".join(f"- `{name}`: {found.words(several)}" for name, found in checks.items()),
        "shape": " x ".join(map(str, described["input"]["shape"])),
        "calibration": _calibration(described),
        "licence": described["licence"],
        "pretrained": "from scratch" if pretrained is None else f"from {pretrained['load_from']}",
        "made_by": described["made_by"],
    }
    for name, text in words.items():
        template = template.replace(f"{{{name}}}", text)
    return template


def _calibration(described: Mapping[str, Any]) -> str:
    """How confidences are made of what `model.pt` returns, in words and a line of Python."""
    known = described["calibration"]
    if known is None:
        return "This model keeps no temperature, so `predict.py` cannot calibrate them either."
    if known["temperature"] == 1:
        return f"The temperature of this model is {known['note']}; so they are the confidences."
    power = f"** (1 / {known['temperature']:.6g})"
    several = described["task"] == "multi_label"
    total = f"(powers + (1 - probabilities) {power})" if several else "powers.sum(1, keepdims=True)"
    told = "`predict.py` and `autox-video predict` calibrate them, with the temperature in `bundle.json`. So do you:"
    return f"{told}\n\n    powers = probabilities {power}; confidences = powers / {total}"


def test_results(model: Path) -> dict[str, Any] | None:
    """The `results.json` beside a model; None where there is none, or one of another checkpoint."""
    from autox_video.runner.checkpoints import sha256_of

    try:
        results: dict[str, Any] = json.loads((model.parent / "results.json").read_text(encoding="utf-8"))
        # A file of bare weights stands beside the checkpoint that was tested.
        return results if results["checkpoint"]["sha256"] == sha256_of(model.with_suffix(".pth")) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _figures(tested: dict[str, Any] | None) -> dict[str, float] | None:
    if tested is None or tested["metrics"] is None:
        return None
    return {name: value for name, value in tested["metrics"].items() if isinstance(value, (int, float))}
