"""Reading the text of a `path label` list: encoding, separator, quotes, lines without a label.

A file name may contain whatever separates the fields of other lists, so nothing is decided by
syntax alone: of the ways to read a line, the one whose path exists wins, then the one whose path
ends like a video, then the one with a label. The separator that reads most lines well is the
separator of the whole list.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.video_files import is_video_name
from autox_video.errors import Problem

# In the order of preference between equals: a tab is hardly ever part of a name, a blank often is.
SEPARATORS = (r"[ ]*\t\s*", r"\s*,\s*", r"\s*;\s*", r"\s+")
_CHARACTER = dict(zip(SEPARATORS, "\t,;", strict=False))
LINES_TO_JUDGE = 200
# A label of more words than this is not looked for; it bounds the work on a file that is no list at all.
MAX_FIELDS = 16

_QUOTED = re.compile(r'"(?:[^"]|"")*"|' + r"'(?:[^']|'')*'")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_MARKS_16 = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list.

    Attributes:
        number: From 1.
        path: The video, unquoted.
        label: Its label, unquoted, or None.
    """

    number: int
    path: str
    label: str | None


@dataclass(frozen=True, slots=True)
class _Reading:
    path: str
    label: str | None
    worth: int


def read_text(file: Path, name: str) -> str | Problem:
    """The text of a list in UTF-8, or in what its byte order mark says.

    Args:
        file: The list.
        name: How messages call it.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        return Problem(name, f"cannot be read: {error.strerror}", "Check the path and its permissions", str(file))
    encoding = encoding_of(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        read = error.object  # without the byte order mark
        where = f"{name}:{read.count(bytes([10]), 0, error.start) + 1}"
        got = "byte 0x" + read[error.start : error.start + 1].hex()
        return Problem(where, f"is not {encoding.removesuffix('-sig').upper()} text", "Save the list as UTF-8", got)
    if "\0" in text:
        where = f"{name}:{text.count(chr(10), 0, text.index(chr(0))) + 1}"
        return Problem(where, "holds a NUL character, so this is no UTF-8 text", "Save the list as UTF-8")
    return text


def encoding_of(raw: bytes) -> str:
    """What the byte order mark at the beginning of a list says, or UTF-8."""
    return next((encoding for mark, encoding in _MARKS + _MARKS_16 if raw.startswith(mark)), "utf-8")


def numbered_lines(text: str) -> list[tuple[int, str]]:
    """The lines that are not blank, numbered from 1."""
    return [(number, line) for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1) if line.strip()]


def read_lines(text: str, is_file: Callable[[str], bool]) -> tuple[list[Line], int]:
    """Take a list apart.

    Args:
        text: The whole list.
        is_file: Whether a path of the list names a file that exists.

    Returns:
        Its lines, and the number of comments (lines that begin with `#` and name no file) left out.
    """
    numbered = numbered_lines(text)
    separator = _separator([line for _, line in numbered], is_file)
    lines: list[Line] = []
    for number, raw in numbered:
        reading = _read_plainly(raw, separator.pattern, is_file) or _read(raw, separator, is_file)
        if not (raw.lstrip().startswith("#") and not is_file(reading.path)):
            lines.append(Line(number, reading.path, reading.label))
    return lines, len(numbered) - len(lines)


def _separator(lines: Sequence[str], is_file: Callable[[str], bool]) -> re.Pattern[str]:
    lines = [line for line in lines if not line.lstrip().startswith("#")] or lines
    judged = lines[:: len(lines) // LINES_TO_JUDGE + 1]
    patterns = [re.compile(separator) for separator in SEPARATORS]
    worth = [sum(_read(line, pattern, is_file).worth for line in judged) for pattern in patterns]
    return patterns[worth.index(max(worth))]


def _read_plainly(raw: str, separator: str, is_file: Callable[[str], bool]) -> _Reading | None:
    """What `_read` finds first in a line without quotes, if that is certain; in a fifth of the time."""
    if '"' in raw or "'" in raw or raw[0].isspace():
        return None
    fields = raw.rsplit(None, 1) if separator == SEPARATORS[-1] else raw.rsplit(_CHARACTER[separator], 1)
    if len(fields) < 2:
        return None
    path, label = fields[0].rstrip(), fields[1].strip()
    if not (path and label and is_video_name(path) and is_file(path)) or "." in label:
        return None
    return _Reading(path, label, _CERTAIN)


def _read(raw: str, separator: re.Pattern[str], is_file: Callable[[str], bool]) -> _Reading:
    best: _Reading | None = None
    for path, label in _candidates(raw, separator):
        reading = _Reading(path, label, _worth(path, label, is_file))
        if best is None or reading.worth > best.worth:
            best = reading
        if best.worth >= _CERTAIN:
            break
    assert best is not None
    return best


def _candidates(raw: str, separator: re.Pattern[str]) -> Iterator[tuple[str, str | None]]:
    """Every way to read a line, the likelier first."""
    line = raw.strip()
    quoted = _QUOTED.match(line)
    if quoted:
        rest = line[quoted.end() :]
        between = separator.match(rest)
        if not rest or between:
            yield _unquote(quoted.group()), _label(rest[between.end() :] if between else "")
    label = re.search(f"(?:{separator.pattern})({_QUOTED.pattern})$", line)
    if label and label.start() > 0:
        yield _unquote(line[: label.start()]), _unquote(label.group(1))
    yield from _splits(line, 0, separator)
    yield line, None
    if raw[0].isspace():  # a name may begin with a blank
        yield raw.rstrip(), None
        yield from _splits(raw.rstrip(), len(raw) - len(raw.lstrip()), separator)


def _splits(line: str, start: int, separator: re.Pattern[str]) -> Iterator[tuple[str, str | None]]:
    """Split in two at each separator, from the right: the label is the last field."""
    for between in reversed(deque(separator.finditer(line, start), maxlen=MAX_FIELDS)):
        if between.start() > 0:
            yield _unquote(line[: between.start()]), _label(line[between.end() :])


_EXISTS, _VIDEO_NAME, _ID, _NAME, _VIDEO_AS_LABEL = 8, 4, 2, 1, -8
_CERTAIN = _EXISTS + _VIDEO_NAME + _NAME


def _worth(path: str, label: str | None, is_file: Callable[[str], bool]) -> int:
    worth = _EXISTS * is_file(path) + _VIDEO_NAME * is_video_name(path)
    if label is None:
        return worth
    if any(is_video_name(word) for word in re.split(r"[\s,;]+", label)):
        return worth + _VIDEO_AS_LABEL
    return worth + (_ID if label.isdecimal() else _NAME)


def _label(text: str) -> str | None:
    return _unquote(text.strip()) or None


def _unquote(text: str) -> str:
    if _QUOTED.fullmatch(text):
        return text[1:-1].replace(text[0] * 2, text[0])
    return text
