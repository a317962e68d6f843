"""The models one can name: a file each in `configs/models/`, and every other one that MMAction2's wheel lists."""

from __future__ import annotations

import difflib
from pathlib import Path

from autox_video.errors import Problem, RequestError
from autox_video.presets.card import Card, Preset, Weights
from autox_video.presets.wheel_index import PREFIX

__all__ = ["Card", "Preset", "Weights", "load_preset", "preset_names", "shared_folder", "wheel_names"]

PACKAGE = Path(__file__).parent.parent


def shared_folder(name: str) -> Path:
    """`configs` or `resources`: beside the package in a checkout, inside it in an installed wheel."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def preset_names() -> tuple[str, ...]:
    """Names of all presets."""
    return tuple(sorted(path.stem for path in (shared_folder("configs") / "models").glob("*.py")))


def wheel_names() -> tuple[str, ...]:
    """Names of the models of MMAction2's index that can be trained here, as one writes them."""
    from autox_video.presets.wheel import measured_sizes

    return tuple(PREFIX + name for name in measured_sizes())


def load_preset(name: str) -> Preset:
    """Read one preset.

    Args:
        name: A file in `configs/models`, without `.py`; or `mmaction::` and a name in the index of MMAction2's wheel.

    Raises:
        RequestError: There is no preset of that name, or MMAction2's model cannot be trained here.
    """
    if name.startswith(PREFIX):
        from autox_video.presets.wheel import wheel_preset

        return wheel_preset(name)
    path = shared_folder("configs") / "models" / f"{name}.py"
    if name not in preset_names():
        close = difflib.get_close_matches(name, preset_names(), n=1)
        cure = f"Did you mean {close[0]!r}" if close else f"Choose one of {', '.join(preset_names())}"
        raise RequestError(Problem("model.name", "there is no such preset", cure, repr(name)))
    from mmengine.config import Config

    config = Config.fromfile(path).to_dict()
    card = dict(config["preset"])
    card["weights"] = {key: Weights(**value) for key, value in card["weights"].items()}
    return Preset(name, Card(**card), config["model"])
