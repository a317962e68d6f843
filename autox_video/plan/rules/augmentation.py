"""How training clips are varied: a level for all of it, single keys before that, and what classes do not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from autox_video.dataset.facts import Fingerprint
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules import direction
from autox_video.plan.rules.by_task import ONE_LABEL
from autox_video.plan.rules.common import asked, given
from autox_video.plan.schema import Decision
from autox_video.presets import Card
from autox_video.settings.schema import Settings

# What RandAugment draws from (arXiv:1909.13719): what changes colors, what a turned camera would not keep upright, the
# rest. It mirrors nothing: that is left to `flip`, which knows the classes.
COLOR_OPS: Final = ("brightness", "contrast", "saturation", "posterize", "solarize", "equalize", "autocontrast")
TURNING_OPS: Final = ("rotate", "shear_x", "shear_y")
OTHER_OPS: Final = ("identity", "sharpness", "translate_x", "translate_y")
ALL_OPS: Final = (*OTHER_OPS, *COLOR_OPS, *TURNING_OPS)
LIGHT_CROP_AREA: Final = 0.5
# The smallest of the sizes of a multi-scale crop, as a share of the short side.
SMALLEST_SCALE: Final = 0.66
# What VideoMAE and UniFormer are fine-tuned with, in round figures.
STRONG: Final[Mapping[str, float]] = {"rand_augment": 7.0, "random_erasing": 0.25, "mixup": 0.8, "cutmix": 1.0}
SWITCHES: Final = ("color_jitter", *STRONG)
COLORS: Final = frozenset(
    {"red", "green", "blue", "yellow", "orange", "purple", "violet", "pink", "brown", "black", "white", "gray", "grey"}
    | {"cyan", "magenta", "golden", "silver", "color", "colour", "colored", "coloured"}
    | set("红绿蓝黄橙紫粉棕黑白灰色")
)


def choose_augmentation(settings: Settings, card: Card, fingerprint: Fingerprint, draws: int) -> dict[str, Any]:
    """Every decision on how training clips are varied, by its field in the plan.

    Args:
        settings: What the user asked.
        card: The model's.
        fingerprint: What the data is.
        draws: Videos that a batch on one device draws.

    Raises:
        RequestError: Two keys contradict each other, or a batch holds no two videos to mix.
    """
    level = choose_level(settings)
    one_label = fingerprint.task == ONE_LABEL
    flip = direction.choose_flip(settings, fingerprint.classes, one_label=one_label)
    if level.value == "none" and asked(settings, "augment.flip") is None:
        flip = _of_level(level, 0.0)
    switches = {name: choose_switch(settings, level, name) for name in SWITCHES}
    for name in ("mixup", "cutmix"):
        switches[name] = _where_two_can_mix(settings, name, switches[name], draws)
    return {
        "augment": level,
        "flip": flip,
        "flip_pairs": direction.choose_flip_pairs(flip.value, fingerprint.classes, one_label=one_label),
        "min_crop_area": choose_min_crop_area(settings, card, level),
        "multi_scale_crop": given(settings, "augment.multi_scale_crop"),
        **switches,
        "rand_augment_ops": choose_rand_augment_ops(switches["rand_augment"].value, fingerprint.classes),
    }


def choose_level(settings: Settings) -> Decision[str]:
    """`none`, `light`, `default` or `strong`."""
    why = "crops and mirroring of the preset; mixing and erasing slow a training down, and pay on a long one"
    return asked(settings, "augment.level") or Decision("default", "default", why)


def choose_min_crop_area(settings: Settings, card: Card, level: Decision[str]) -> Decision[float]:
    """Smallest share of the frame that a random training crop keeps; 1 takes the middle.

    Raises:
        RequestError: It is asked for together with a multi-scale crop.
    """
    decision = asked(settings, "augment.min_crop_area")
    if settings.augment.multi_scale_crop:
        if decision is not None:
            wrong = "contradicts augment.multi_scale_crop, which has sizes of its own"
            raise RequestError(
                Problem(f"{decision.source}: augment.min_crop_area", wrong, "Keep one of the two", str(decision.value))
            )
        why = f"the smallest multi-scale crop: {SMALLEST_SCALE:g} of the short side"
        return Decision(SMALLEST_SCALE**2, "default", why)
    if decision is not None:
        return decision
    if level.value == "none":
        return _of_level(level, 1.0)
    if level.value == "light" and card.min_crop_area < LIGHT_CROP_AREA:
        return _of_level(level, LIGHT_CROP_AREA)
    return Decision(card.min_crop_area, "preset", "the recipe of the preset")


def choose_switch(settings: Settings, level: Decision[str], name: str) -> Decision[float]:
    """One of `SWITCHES`: as asked, else as the level has it."""
    decision = asked(settings, f"augment.{name}")
    return decision or _of_level(level, STRONG.get(name, 0.0) if level.value == "strong" else 0.0)


def choose_rand_augment_ops(magnitude: float, classes: tuple[str, ...]) -> Decision[tuple[str, ...]]:
    """What RandAugment draws from: nothing that may turn a clip into one of another class."""
    if not magnitude:
        return Decision((), "default", "RandAugment is off")
    colored = next((name for name in classes if COLORS & set(direction.words(name))), None)
    directed = next((name for name in classes if direction.DIRECTIONS & set(direction.words(name))), None)
    left_out = {
        **({"what changes colors": (COLOR_OPS, colored)} if colored else {}),
        **({"what turns the picture": (TURNING_OPS, directed)} if directed else {}),
    }
    if not left_out:
        is_known = not all(name.isdecimal() for name in classes)
        why = "no class name speaks of a color or a direction" if is_known else "classes are numbers, which say nothing"
        return Decision(ALL_OPS, "default", why)
    gone = {op for ops, _ in left_out.values() for op in ops}
    why = " and ".join(f"without {what}, for class {name!r}" for what, (_, name) in left_out.items())
    return Decision(tuple(op for op in ALL_OPS if op not in gone), "data", why)


def _where_two_can_mix(settings: Settings, name: str, decision: Decision[float], draws: int) -> Decision[float]:
    if not decision.value or draws > 1:
        return decision
    if asked(settings, f"augment.{name}"):
        wrong = "mixes the videos of a batch, and a batch on one device draws a single one"
        cure = "Set videos_per_gpu to 2 or more videos"
        raise RequestError(Problem(f"{decision.source}: augment.{name}", wrong, cure, str(decision.value)))
    return Decision(0.0, "plan", "a batch draws a single video: there is none to mix it with")


def _of_level(level: Decision[str], value: float) -> Decision[float]:
    return Decision(value, "default", f"augment is {level.value}")
