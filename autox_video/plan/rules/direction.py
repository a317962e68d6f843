"""Whether clips may be mirrored: class names that speak of a direction, and the pairs they form.

Only left and right are exchanged. Turned upside down a video shows what no camera sees, so that mirror is not used.
"""

from __future__ import annotations

import re

from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision
from autox_video.settings.schema import Settings

FLIP = 0.5
MIRRORED = {"left": "right", "east": "west", "clockwise": "counterclockwise"}
MIRRORED |= {"northeast": "northwest", "southeast": "southwest", "左": "右", "东": "西", "顺时针": "逆时针"}
MIRRORED |= {other: one for one, other in MIRRORED.items()}
# Other words for one direction.
SAME = {
    **{f"{side}{ending}": side for side in ("left", "right", "east", "west") for ending in ("ward", "wards")},
    **{"cw": "clockwise", "ccw": "counterclockwise", "acw": "counterclockwise", "anticlockwise": "counterclockwise"},
    **{"東": "东", "順時針": "顺时针", "逆時針": "逆时针"},
}
# 东西 is the Chinese word for a thing.
_WORDS = re.compile(r"东西|東西|[顺逆]时针|[順逆]時針|\d+|[A-Za-z]+|[^\W\d_]")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TURNS = re.compile(r"(counter|anti)?[ _-]*clockwise", re.IGNORECASE)
MAX_PAIRS_SHOWN = 3
# Words that speak of any direction, those that a mirror leaves as they are among them.
DIRECTIONS = frozenset({*MIRRORED, "up", "down", "upward", "downward", "north", "south", "上", "下", "北", "南"})


def choose_flip(settings: Settings, classes: tuple[str, ...], *, one_label: bool = True) -> Decision[float]:
    """Probability of mirroring: none where a mirror image belongs to a class that is not there.

    Args:
        settings: May name it.
        classes: Class names.
        one_label: Whether a video has one label: MMAction2 exchanges only that.
    """
    if decision := asked(settings, "augment.flip"):
        return decision
    pairs = mirror_pairs(classes)
    if pairs and not one_label:
        one, other = (classes[label] for label in pairs[0])
        why = f"a mirror image exchanges {one!r} and {other!r}, and of several labels none can be exchanged"
        return Decision(0.0, "data", why)
    paired = {label for pair in pairs for label in pair}
    for label, name in enumerate(classes):
        if label not in paired and _mirror(words(name)) is not None:
            why = f"a mirror image changes the meaning of class {name!r}, and no class is its mirror image"
            return Decision(0.0, "data", why)
    if pairs:
        return Decision(FLIP, "data", "each class with a direction has a counterpart, which mirrored clips are given")
    if all(name.isdecimal() for name in classes):
        why = "classes are numbers, so nothing is known of left and right: augment.flip: 0 switches it off"
        return Decision(FLIP, "default", why)
    return Decision(FLIP, "default", "no class name speaks of left, right or a turn")


def choose_flip_pairs(
    flip: float, classes: tuple[str, ...], *, one_label: bool = True
) -> Decision[tuple[tuple[int, int], ...]]:
    """Class ids that a mirrored clip exchanges."""
    pairs = mirror_pairs(classes) if flip and one_label else ()
    if not pairs:
        return Decision((), "data", "a mirrored clip keeps its class" if flip else "no clip is mirrored")
    named = [f"{classes[one]} and {classes[other]}" for one, other in pairs]
    more = f" and {len(named) - MAX_PAIRS_SHOWN} more" if len(named) > MAX_PAIRS_SHOWN else ""
    return Decision(pairs, "data", f"a mirrored clip goes from one to the other: {', '.join(named[:3])}{more}")


def mirror_pairs(classes: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Pairs of class ids, the smaller first, of which each is the mirror image of the other by its name.

    A name that several classes share but for case or separators pairs with none.
    """
    ids: dict[tuple[str, ...], list[int]] = {}
    for label, name in enumerate(classes):
        ids.setdefault(words(name), []).append(label)
    found = set()
    for spoken, labels in ids.items():
        # `turnleft` is no word of its own, but where there is a `turnright` too it is clear what is meant.
        mirror = _mirror(spoken) or tuple(map(_exchanged, spoken))
        others = ids.get(mirror, [])
        if mirror != spoken and len(labels) == len(others) == 1:
            found.add((min(labels + others), max(labels + others)))
    return tuple(sorted(found))


def words(name: str) -> tuple[str, ...]:
    """The words of a class name, directions under one name each."""
    spaced = _TURNS.sub(lambda turn: f" {turn[1] or ''}clockwise ", _HUMPS.sub(" ", name))
    return tuple(SAME.get(word, word) for word in map(str.lower, _WORDS.findall(spaced)))


def _mirror(spoken: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words of the mirror image, or None where no direction is among them."""
    return tuple(MIRRORED.get(word, word) for word in spoken) if MIRRORED.keys() & set(spoken) else None


def _exchanged(word: str) -> str:
    return re.sub("left|right", lambda side: MIRRORED[side[0]], word)
