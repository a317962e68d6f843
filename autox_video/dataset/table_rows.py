"""Reading tables: CSV and TSV with a header, JSON (a list of objects), JSON lines (an object a line).

All of them become rows of texts by column. The name of a column is written in small letters with
underscores, so that `Video Path`, `videoPath` and `video_path` are one.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from autox_video.dataset.list_lines import numbered_lines
from autox_video.errors import Problem

DELIMITERS = ("\t", ",", ";", "|")

_BLANK = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        number: The line it begins on, from 1.
        cells: Texts by column; empty where a row has none.
    """

    number: int
    cells: Mapping[str, str]


def columns_of(head: str) -> tuple[str, ...]:
    """The columns of a table: the fields of the first line, or the keys of the first object; empty if it has none.

    Args:
        head: The beginning of a file.
    """
    start = _BLANK.match(head).end()  # type: ignore[union-attr]  # it matches anything
    if head[start : start + 1] in ("[", "{"):
        if head[start] == "[":
            start = _BLANK.match(head, start + 1).end()  # type: ignore[union-attr]
        try:
            first, _ = json.JSONDecoder().raw_decode(head, start)
        except (ValueError, RecursionError):
            return ()
        return tuple(map(column_name, first)) if isinstance(first, dict) else ()
    lines = numbered_lines(head[start:])
    if not lines:
        return ()
    return tuple(map(column_name, next(csv.reader([lines[0][1]], delimiter=_delimiter(lines[0][1])))))


@lru_cache(1000)  # the keys of every JSON object pass through here
def column_name(text: str) -> str:
    """The one way to write the name of a column."""
    return re.sub(r"[\s_-]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text.strip())).casefold()


def read_rows(text: str, name: str) -> Iterator[Row | Problem]:
    """The rows of a table, and what is wrong with them, in order.

    Args:
        text: The whole table.
        name: How messages call it.
    """
    start = _BLANK.match(text).end()  # type: ignore[union-attr]
    if text[start : start + 1] == "[":
        return _json_rows(text, name)
    return _json_lines(text, name) if text[start : start + 1] == "{" else _csv_rows(text, name)


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _csv_rows(text: str, name: str) -> Iterator[Row | Problem]:
    header = re.search(r".*\S.*", text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(header.group() if header else ""))
    columns: list[str] = []
    number = 1
    try:
        for fields in reader:
            line, number = number, reader.line_num + 1
            if not any(map(str.strip, fields)):
                continue
            if not columns:
                columns = [column_name(field) for field in fields]
                continue
            if any(fields[len(columns) :]):
                wrong = f"has {len(fields)} fields where the header has {len(columns)}"
                yield Problem(f"{name}:{line}", wrong, "Put a field that holds a separator into double quotes")
            else:
                yield Row(line, dict(zip(columns, fields + [""] * (len(columns) - len(fields)), strict=False)))
    except csv.Error as error:
        yield Problem(f"{name}:{number}", f"cannot be read: {error}", "Close the quotes, or export the table anew")


def _json_rows(text: str, name: str) -> Iterator[Row | Problem]:
    decode = json.JSONDecoder().raw_decode
    position = text.index("[") + 1
    line, counted = 1, 0
    more = True
    while more:
        position = _BLANK.match(text, position).end()  # type: ignore[union-attr]
        line, counted = line + text.count("\n", counted, position), position
        if text[position : position + 1] == "]":
            return
        try:
            value, position = decode(text, position)
        except (ValueError, RecursionError) as error:
            yield _no_json(f"{name}:{getattr(error, 'lineno', line)}", error)
            return
        yield _row(value, name, line)
        position = _BLANK.match(text, position).end()  # type: ignore[union-attr]
        more = text[position : position + 1] == ","
        position += 1
    if text[position - 1 : position] != "]":
        number = text.count("\n", 0, position) + 1
        yield Problem(f"{name}:{number}", "has neither a comma nor the end of the list here", "Correct the JSON")


def _json_lines(text: str, name: str) -> Iterator[Row | Problem]:
    for number, line in numbered_lines(text):
        try:
            yield _row(json.loads(line), name, number)
        except (ValueError, RecursionError) as error:
            yield _no_json(f"{name}:{number}", error)


def _no_json(where: str, error: Exception) -> Problem:
    reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
    return Problem(where, f"is no JSON: {reason}", "Correct it, or export the list anew")


def _row(value: Any, name: str, number: int) -> Row | Problem:
    if not isinstance(value, dict):
        return Problem(f"{name}:{number}", "is not an object with a path and a label", "Write one object a video")
    return Row(number, {column_name(key): _text(item) for key, item in value.items()})


def _text(value: Any) -> str:
    """A JSON value as the text that a CSV would have."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
