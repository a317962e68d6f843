"""Kinds of values that few keys have: epochs of a schedule, what is frozen, views of a video."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Final

from autox_video.settings.given import Given
from autox_video.settings.key import Key
from autox_video.settings.messages import instead, refused, wanted

FREEZE: Final = r"none|head_only|stages:[1-9][0-9]{0,2}"
VIEWS: Final = r"[1-9][0-9]?x[13]"


def read_epochs(name: str, key: Key, given: Given, base: Path) -> tuple[float, ...]:
    """Epochs in rising order, e.g. `[20, 40]`.

    Raises:
        Refused: They are none, or do not rise.
    """
    items = given.value if isinstance(given.value, tuple) else ()
    numbers = [item.value for item in items if isinstance(item.value, (int, float)) and item.value is not True]
    plain = len(numbers) == len(items) > 0 and all(0 < number < math.inf for number in numbers)
    if not plain or any(late <= early for early, late in pairwise(numbers)):
        raise refused(name, given, f"must be {wanted(key)}", instead(key))
    return tuple(map(float, numbers))


def read_freeze(name: str, key: Key, given: Given, base: Path) -> str:
    """`none`, `head_only` or `stages:N`.

    Raises:
        Refused: It is none of these.
    """
    if not isinstance(given.value, str) or not re.fullmatch(FREEZE, given.value):
        cure = "Choose none, head_only or e.g. stages:2"
        raise refused(name, given, f"must be {wanted(key)}", cure)
    return given.value


def read_views(name: str, key: Key, given: Given, base: Path) -> str:
    """Clips x crops: `4x3`.

    Raises:
        Refused: It is no such product, or of other crops than 1 or 3.
    """
    if not isinstance(given.value, str) or not re.fullmatch(VIEWS, given.value):
        raise refused(name, given, f"must be {wanted(key)}", instead(key))
    return given.value
