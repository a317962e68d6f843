"""The words of every complaint about settings: what a key wants, what it got, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final

from autox_video.errors import Problem
from autox_video.settings.given import Given, Refused
from autox_video.settings.key import Key
from autox_video.settings.schema import KEYS, SECTIONS

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "path": "a path",
    "weights": "text",
    "classes": "a list of names or the path of a file",
    "sources": "a list of mappings with a data_root each",
    "mapping": "a mapping",
    "duration": "a time in s, min or h",
    "views": "clips x crops, with 1 or 3 crops",
    "words": "a word or a list of words",
    "plugins": "the name of a module, the path of a .py file, or a list of these",
    "parts": "a list of mappings with a type each",
    "urls": "a URL or a list of URLs",
    "epochs": "a list of rising epochs",
    "freeze": "none, head_only or stages:N",
}

# Names that other tools have for our keys, where spelling alone would not lead there.
_SYNONYMS: Final = {
    "batch_size": "videos_per_gpu",
    "samples_per_gpu": "videos_per_gpu",
    "lr": "train.learning_rate",
    "max_epochs": "epoch",
    "total_epochs": "epoch",
    "pretrained": "model.load_from",
    "checkpoint": "model.load_from",
    "num_workers": "runtime.workers",
    "workers_per_gpu": "runtime.workers",
    "num_frames": "clip.clip_len",
}

# The same for values.
_VALUE_SYNONYMS: Final = {
    "gpu": "cuda",
    "fp16": "float16",
    "half": "float16",
    "bf16": "bfloat16",
    "false": "off",
    "no": "off",
    "accuracy": "top1",
}

# MMEngine imports or executes what stands under these words of its own.
CODE_WORDS: Final = ("_base_", "custom_imports", "default_scope", "_scope_")

# What PyYAML says, and what the person should do.
_YAML_CURES: Final = (
    ("'\\t'", "Use spaces instead of tabs"),
    ("escape", "Put text with backslashes in single quotes"),
    ("alias", "Put text that begins with * in quotes"),
    ("alphabetic or numeric", "Put text that begins with a special character in quotes"),
    ("cannot start any token", "Put text that begins with a special character in quotes"),
    ("mapping values are not allowed", "Put text that contains a colon in quotes, and check the indentation"),
    ("could not find expected ':'", "Write `key: value`, with a space after the colon"),
    ("end of stream", "Close the quote or bracket that is opened here"),
    ("but got", "Close the bracket that is opened here, with commas between its items"),
    ("another document", "Keep only one document: remove the line `---`"),
    ("but found", "Indent the keys of one level equally, and close every quote and bracket"),
    ("deeper", "Write a flatter file"),
    ("is not allowed", "Remove it, and save the file as plain UTF-8 text"),
)


def yaml_cure(wrong: str) -> str:
    """What to do about a syntax error."""
    fallback = "Check the quotes, colons and indentation of this line and the one above"
    return next((cure for fragment, cure in _YAML_CURES if fragment in wrong), fallback)


def shortened(text: str, length: int = 60) -> str:
    """Text in quotes, cut to a length that a message can carry."""
    return repr(text if len(text) <= length else text[: length - 3] + "...")


def shown(given: Given) -> str:
    """The offending value, as a message shows it."""
    if given.value is None:
        return "nothing"
    if isinstance(given.value, str):
        return shortened(given.value)
    return given.text if len(given.text) <= 60 else given.text[:57] + "..."


def complaint(name: str, given: Given, wrong: str, cure: str) -> Problem:
    """A problem with the value of a key."""
    return Problem(f"{given.origin}: {named(name)}", wrong, cure, shown(given))


def refused(name: str, given: Given, wrong: str, cure: str) -> Refused:
    """The refusal of a key's value."""
    return Refused([(given.line, complaint(name, given, wrong, cure))])


def listed(words: Iterable[Any]) -> str:
    """`a, b or c`."""
    *most, last = map(str, words)
    return f"{', '.join(most)} or {last}" if most else last


def wanted(key: Key) -> str:
    """What a value must be, e.g. `a whole number`."""
    return listed(key.choices) if key.choices else _KINDS[key.kind]


def instead(key: Key) -> str:
    """What to write instead of a wrong value."""
    words = [word for word, allowed in (("auto", key.auto), ("none", key.none)) if allowed]
    if key.choices:
        return f"Choose {listed([*key.choices, *words])}"
    if key.kind == "bool":
        return "Write true or false"
    if key.kind == "mapping":
        return "Write its entries indented below the key"
    if key.kind == "sources":
        return "Write e.g. `- data_root: data/more` indented below the key"
    if key.kind == "parts":
        return f"Write e.g. `- type: {key.example[0]['type']}` indented below the key"
    example = ", ".join(map(str, key.example)) if isinstance(key.example, (list, tuple)) else key.example
    example = f"[{example}]" if key.kind in ("classes", "epochs", "plugins", "urls") else example
    ending = "" if words or key.required else ", or leave it out"
    return f"Write e.g. {listed([example, *words])}{ending}"


def did_you_mean(word: str, choices: Iterable[Any]) -> str | None:
    """A cure that names the choice that was probably meant, if there is one."""
    words = [str(choice) for choice in choices]
    meant = _VALUE_SYNONYMS.get(word.lower())
    close = [meant] if meant in words else difflib.get_close_matches(word, words, n=1)
    return f"Did you mean {close[0]!r}" if close else None


def named(name: str) -> str:
    """A key as a message names it: as it is, unless that would spoil the line."""
    return name if name and name.isprintable() and len(name) <= 100 else shortened(name)


def unknown_key(section: str, written: str, given: Given) -> Problem:
    """A key that does not exist, or not where it stands.

    Args:
        section: The section it stands in; empty at the top level.
        written: The key.
        given: What was given for it.
    """
    name = f"{section}.{written}" if section else written
    target = _nearest(section, written.rpartition(".")[2])
    cure = _place(section, written, target, given.line > 0)
    return Problem(f"{given.origin}: {named(name)}", "is not a known key here", cure)


def _nearest(section: str, leaf: str) -> str | None:
    """The dotted name of the key that was probably meant; those of the same section come first."""
    by_leaf = {key.rpartition(".")[2]: key for key in (*KEYS, *SECTIONS)}
    if leaf in by_leaf or leaf in _SYNONYMS:
        return by_leaf.get(leaf) or _SYNONYMS[leaf]
    siblings = [near for near, key in by_leaf.items() if key.rpartition(".")[0] == section]
    close = difflib.get_close_matches(leaf, siblings, n=1) or difflib.get_close_matches(leaf, by_leaf, n=1)
    return by_leaf[close[0]] if close else None


def _place(section: str, written: str, target: str | None, in_file: bool) -> str:
    if written in CODE_WORDS:
        return "Remove it: a settings file runs no code"
    if target is None:
        return "Remove it, or move it under cfg_options if it is one of MMEngine's own words"
    if not in_file:
        return f"Did you mean {target!r}"
    home, _, leaf = target.rpartition(".")
    if home == section:
        return f"Did you mean {leaf!r}"
    place = f"under {home}" if home else "at the top level"
    return f"It belongs {place}" if leaf == written else f"Did you mean {leaf!r} {place}"
