"""A value as somebody gave it, before it is checked: from a YAML file, the command line or Python."""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from autox_video.errors import Problem

# The value of something whose problem has been reported already.
REFUSED: Final = object()

ItemT = TypeVar("ItemT")
ValueT = TypeVar("ValueT")
# What is wrong with a source, by line.
Findings = list[tuple[int, Problem]]


@dataclass(frozen=True)
class Given:
    """A value as it was given.

    Attributes:
        value: None, bool, int, float, str, a tuple of `Given`, or a dictionary of `Given`; `REFUSED`
            when its problem has been reported; any other object only when it came from Python.
        text: The value as it was written.
        origin: Where: `config.yaml:12`, `--set`, `fit()`.
        line: Its line (for a mapping's entry, the line of the key), from 1; 0 outside a file.
    """

    value: Any
    text: str
    origin: str
    line: int = 0


class Refused(Exception):  # noqa: N818 -- never leaves this folder: `load.py` collects the findings
    """A value that cannot be taken."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings


def read_each(
    items: Iterable[ItemT], read: Callable[[ItemT], ValueT], findings: Iterable[tuple[int, Problem]] = ()
) -> list[ValueT]:
    """Read several values, and refuse what is wrong with any of them in one go.

    Args:
        items: To be read.
        read: Reads one.
        findings: What is wrong already.

    Raises:
        Refused: Something is wrong.
    """
    values: list[ValueT] = []
    found = list(findings)
    for item in items:
        try:
            values.append(read(item))
        except Refused as error:
            found += error.findings
    if found:
        raise Refused(found)
    return values


def given_from_python(value: Any, origin: str) -> Given:
    """Wrap a Python value; paths become text, and numbers of other libraries Python's own."""
    if isinstance(value, os.PathLike):
        value = os.fsdecode(value)
    if isinstance(value, Mapping):
        entries = {str(key): given_from_python(item, origin) for key, item in value.items()}
        return Given(entries, "a mapping", origin)
    if isinstance(value, (list, tuple)):
        return Given(tuple(given_from_python(item, origin) for item in value), "a list", origin)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        value = int(value) if isinstance(value, numbers.Integral) else float(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return Given(value, str(value), origin)
    return Given(value, f"an object of type {type(value).__name__}", origin)
