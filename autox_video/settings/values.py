"""One value: from what was given to what `Settings` holds, or a sentence on why not."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from autox_video.errors import Problem
from autox_video.settings.data_source import SOURCE_KEYS, DataSource
from autox_video.settings.epochs import read_epochs, read_freeze, read_views
from autox_video.settings.foreign_code import foreign_code
from autox_video.settings.given import REFUSED, Findings, Given, Refused, read_each
from autox_video.settings.key import AUTO, DURATION, Key
from autox_video.settings.lists import plain, read_parts, read_plugins, read_urls, read_words
from autox_video.settings.messages import complaint, did_you_mean, instead, listed, named, refused, wanted
from autox_video.settings.schema import KEYS

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_WEIGHT_ENDINGS = (".pth", ".pt", ".safetensors")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NONE = "none"
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def is_left_out(key: Key, given: Given) -> bool:
    """Whether the value says no more than leaving the key out would."""
    if given.value is None:
        return key.auto or key.none or key.kind == "mapping"
    if not isinstance(given.value, str) or key.required or key.kind == "mapping":
        return False
    word = given.value.lower()
    return word == AUTO or (word == NONE and key.none and key.default in (None, ()))


def read_value(name: str, key: Key, given: Given, base: Path) -> Any:
    """Check one value and bring it into the form that `Settings` holds.

    Args:
        name: The dotted key.
        key: What the value must look like.
        given: The value, not left out.
        base: Folder that relative paths start from.

    Raises:
        Refused: The value has the wrong type, is out of range, or is not among the choices.
    """
    return _READERS[key.kind](name, key, given, base)


def option_entries(given: Given) -> list[tuple[str, Given]]:
    """The entries of `cfg_options` by dotted key; a list is one entry, an empty mapping too."""
    entries = []
    for key, item in given.value.items():
        nested = option_entries(item) if isinstance(item.value, dict) and item.value else [("", item)]
        entries += [(f"{key}.{inner}" if inner else key, value) for inner, value in nested]
    return entries


def merge_options(options: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Dotted options with later ones laid over them: a later value replaces what stands above or below it."""
    kept = {name: value for name, value in options.items() if not any(_overlap(name, other) for other in later)}
    return {**kept, **later}


def absolute(text: str, base: Path) -> Path:
    """A path as the user wrote it, from `base`, with `~` for the home folder."""
    return Path(os.path.abspath(base / os.path.expanduser(text)))


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _int(name: str, key: Key, given: Given, base: Path) -> int:
    value = given.value
    if isinstance(value, bool) or not isinstance(value, int):
        cure = instead(key)
        if isinstance(value, float) and value.is_integer():
            cure = f"Write {value:.0f}"
        elif isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
            cure = f"Write {int(value)}"
        raise refused(name, given, f"must be {wanted(key)}", cure)
    if key.choices and value not in key.choices:
        raise refused(name, given, f"must be {wanted(key)}", instead(key))
    _check_range(name, key, given)
    return value


def _float(name: str, key: Key, given: Given, base: Path) -> float | None:
    value = given.value
    if key.none and isinstance(value, str) and value.lower() == NONE:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refused(name, given, "must be a number", instead(key))
    if isinstance(value, float) and not math.isfinite(value):
        raise refused(name, given, "must be a finite number", instead(key))
    _check_range(name, key, given)
    return float(value)


def _check_range(name: str, key: Key, given: Given) -> None:
    value = given.value
    noun = wanted(key)
    if key.minimum is not None and value < key.minimum:
        raise refused(name, given, f"must be {noun} of at least {key.minimum}", instead(key))
    if key.maximum is not None and value > key.maximum:
        raise refused(name, given, f"must be {noun} of at most {key.maximum}", instead(key))
    if key.above is not None and value <= key.above:
        raise refused(name, given, f"must be {noun} above {key.above}", instead(key))
    if key.multiple_of is not None and value % key.multiple_of:
        below = value - value % key.multiple_of
        cure = f"Write {below} or {below + key.multiple_of}"
        raise refused(name, given, f"must be a multiple of {key.multiple_of}", cure)


def _bool(name: str, key: Key, given: Given, base: Path) -> bool:
    if not isinstance(given.value, bool):
        truth = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
        meant = truth.get(given.text.lower())
        raise refused(name, given, "must be true or false", f"Write {meant}" if meant else instead(key))
    return given.value


def _text(name: str, key: Key, given: Given) -> str:
    """One line of text that is not a word with another meaning."""
    value = given.value
    if not isinstance(value, str):
        number = isinstance(value, (bool, int, float)) and key.kind != "str"
        cure = f"Write ./{given.text}, or put it in quotes" if number else instead(key)
        raise refused(name, given, f"must be {wanted(key)}", cure)
    if not value.strip():
        raise refused(name, given, f"must be {wanted(key)}", instead(key))
    if _CONTROL.search(value):
        raise refused(name, given, "must be one line without tabs and control characters", instead(key))
    word = value.lower()
    if word in (AUTO, NONE) and not (word == NONE and key.none):
        cure = instead(key) if key.kind == "str" else f"{instead(key)}; a file of that name is ./{value}"
        raise refused(name, given, f"cannot be {word}", cure)
    return value


def _str(name: str, key: Key, given: Given, base: Path) -> str:
    if not key.choices:
        return _text(name, key, given)
    if given.value not in key.choices:
        cure = did_you_mean(given.text, key.choices) or instead(key)
        raise refused(name, given, f"must be {wanted(key)}", cure)
    return given.value


def _path(name: str, key: Key, given: Given, base: Path) -> Path:
    text = _text(name, key, given)
    if key.endings and Path(text).suffix.lower() not in key.endings:
        raise refused(name, given, f"must end in {listed(key.endings)}", instead(key))
    return absolute(text, base)


def _weights(name: str, key: Key, given: Given, base: Path) -> str:
    text = _text(name, key, given)
    if text.lower() == NONE:
        return NONE
    looks_like_path = "/" in text or os.sep in text or text.lower().endswith(_WEIGHT_ENDINGS)
    return str(absolute(text, base)) if looks_like_path and not _URL.match(text) else text


def _duration(name: str, key: Key, given: Given, base: Path) -> float | None:
    text = given.value
    if key.none and isinstance(text, str) and text.lower() == NONE:
        return None
    if not isinstance(text, str) or not re.fullmatch(DURATION, text):
        raise refused(name, given, f"must be {wanted(key)}", instead(key))
    number = text.rstrip("".join(SECONDS))
    return float(number) * SECONDS[text.removeprefix(number)]


def _classes(name: str, key: Key, given: Given, base: Path) -> tuple[str, ...] | Path:
    if not isinstance(given.value, tuple):
        return absolute(_text(name, key, given), base)
    names: dict[str, None] = {}
    findings: Findings = []
    for item in given.value:
        plain = isinstance(item.value, (str, bool, int, float))
        if item.value is not REFUSED and (not plain or not item.text.strip() or _CONTROL.search(item.text)):
            wrong, cure = "holds something that is not a name", "Write text, in quotes if need be"
            findings.append((item.line, complaint(name, item, wrong, cure)))
        elif item.text in names:
            findings.append((item.line, complaint(name, item, "names a class twice", "Remove one of the two")))
        names[item.text] = None
    if len(given.value) < 2:
        findings.append((given.line, complaint(name, given, "must name at least two classes", instead(key))))
    if findings:
        raise Refused(findings)
    return tuple(names)


def _sources(name: str, key: Key, given: Given, base: Path) -> tuple[DataSource, ...]:
    if not isinstance(given.value, tuple):
        raise refused(name, given, f"must be {wanted(key)}", instead(key))
    return tuple(read_each(given.value, lambda item: _source(name, key, item, base)))


def _source(name: str, key: Key, given: Given, base: Path) -> DataSource:
    if not isinstance(given.value, dict) or "data_root" not in given.value:
        raise refused(name, given, f"must be {wanted(key)}", instead(key))

    def path(entry: tuple[str, Given]) -> tuple[str, Path] | None:
        inner, item = entry
        if inner not in SOURCE_KEYS:
            cure = did_you_mean(inner, SOURCE_KEYS) or f"Its keys are {', '.join(SOURCE_KEYS)}"
            raise refused(f"{name}.{inner}", item, "is not a key of a data set", cure)
        if item.value is REFUSED or is_left_out(KEYS[inner], item):
            return None
        return inner, _path(f"{name}.{inner}", KEYS[inner], item, base)

    paths = dict(filter(None, read_each(given.value.items(), path)))
    return DataSource(**paths, origins={inner: f"{item.origin}: {name}" for inner, item in given.value.items()})


def _mapping(name: str, key: Key, given: Given, base: Path) -> dict[str, Any]:
    if not isinstance(given.value, dict):
        raise refused(name, given, f"must be {wanted(key)}", instead(key))
    entries = option_entries(given)
    findings = [*_contradictions(name, entries), *foreign_code(name, given)]
    return dict(read_each(entries, lambda entry: (entry[0], plain(f"{name}.{entry[0]}", entry[1])), findings))


def _contradictions(name: str, entries: list[tuple[str, Given]]) -> Findings:
    """Options given twice, once dotted and once nested, or as a value and as a mapping."""
    # Sorted by their parts, a key that stands above others comes right before the first of them.
    ordered = sorted(entries, key=lambda entry: entry[0].split("."))
    findings: Findings = []
    for pair in pairwise(ordered):
        (first, early), (second, late) = sorted(pair, key=lambda entry: entry[1].line)
        if _overlap(first, second):
            wrong = f"contradicts {named(f'{name}.{first}')} of {early.origin}"
            problem = Problem(f"{late.origin}: {named(f'{name}.{second}')}", wrong, "Keep one of the two")
            findings.append((late.line, problem))
    return findings


_READERS: dict[str, Callable[[str, Key, Given, Path], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": _str,
    "path": _path,
    "weights": _weights,
    "classes": _classes,
    "sources": _sources,
    "mapping": _mapping,
    "duration": _duration,
    "views": read_views,
    "words": read_words,
    "plugins": read_plugins,
    "parts": read_parts,
    "urls": read_urls,
    "epochs": read_epochs,
    "freeze": read_freeze,
}
