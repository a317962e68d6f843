"""Frozen dataclasses as JSON files, and back."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from autox_video.errors import Problem, RunError
from autox_video.writing import write_json

RecordT = TypeVar("RecordT")


def write_record(path: Path, record: Any) -> None:
    """Write a frozen dataclass as JSON; `read_record` reads it back."""
    write_json(path, dataclasses.asdict(record))


def read_record(path: Path, kind: type[RecordT]) -> RecordT:
    """Read what `write_record` wrote.

    Raises:
        RunError: The file is missing, is not JSON, or does not fit `kind`.
    """
    try:
        return build_record(json.loads(path.read_text(encoding="utf-8")), kind)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            Problem(
                str(path),
                f"is not a readable {kind.__name__}: {error}",
                "Remove the file; the command that writes it makes it anew",
            )
        ) from error


def build_record(value: Any, kind: Any) -> Any:
    """Rebuild dataclasses, tuples and dictionaries from plain JSON by their annotations."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(origin or kind):
        target: Any = origin or kind
        hints = typing.get_type_hints(target)
        variables = dict(zip(getattr(target, "__parameters__", ()), arguments, strict=False))
        return target(
            **{
                f.name: build_record(value[f.name], variables.get(hints[f.name], hints[f.name]))
                for f in dataclasses.fields(target)
                # A field with a default may be newer than the file.
                if f.name in value or f.default is dataclasses.MISSING
            }
        )
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(build_record(item, arguments[0]) for item in value)
        return tuple(build_record(item, argument) for item, argument in zip(value, arguments, strict=True))
    if origin is dict:
        return {key: build_record(item, arguments[1]) for key, item in value.items()}
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        structured = [
            argument for argument in arguments if typing.get_origin(argument) or dataclasses.is_dataclass(argument)
        ]
        return build_record(value, structured[0]) if structured and isinstance(value, (list, dict)) else value
    return value
