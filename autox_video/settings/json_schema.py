"""The JSON Schema of `config.yaml`, from which editors complete: made from `schema.py`, never edited.

python -m autox_video.settings.json_schema    writes resources/config.schema.json
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from autox_video.settings.data_source import SOURCE_KEYS
from autox_video.settings.epochs import FREEZE, VIEWS
from autox_video.settings.key import AUTO, DURATION, Key
from autox_video.settings.schema import KEYS, SECTIONS, SHORTHANDS, Settings
from autox_video.writing import write_text

SCHEMA_FILE = Path(__file__).parents[2] / "resources" / "config.schema.json"

_NUMBERS = {"int": "integer", "float": "number"}
_BOUNDS = {"minimum": "minimum", "maximum": "maximum", "above": "exclusiveMinimum", "multiple_of": "multipleOf"}
_WORD = {"type": "string", "minLength": 1}
_NAMES = {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 2, "uniqueItems": True}


def config_json_schema() -> dict[str, Any]:
    """The schema as a dictionary, draft 2020-12."""
    properties: dict[str, Any] = {}
    for part in dataclasses.fields(Settings):
        if part.name in SECTIONS:
            properties[part.name] = _section(part.name)
        elif part.name in KEYS:
            properties[part.name] = _property(KEYS[part.name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config.yaml of autox_video",
        "description": "What to train on and how. Only data_root is needed; the rest may be left out or `auto`.",
        "type": "object",
        "properties": properties,
        "required": [name for name, key in KEYS.items() if key.required],
        "additionalProperties": False,
    }


def write_schema(path: Path = SCHEMA_FILE) -> None:
    """Write the schema.

    Raises:
        RunError: The file cannot be written.
    """
    write_text(path, json.dumps(config_json_schema(), indent=2, ensure_ascii=False) + "\n")


def _section(name: str) -> dict[str, Any]:
    prefix = f"{name}."
    keys = {key.removeprefix(prefix): _property(value) for key, value in KEYS.items() if key.startswith(prefix)}
    section = {"type": ["object", "null"], "properties": keys, "additionalProperties": False}
    described = {"description": SECTIONS[name].__doc__}
    if name not in SHORTHANDS:
        return {**described, **section}
    key = KEYS[prefix + SHORTHANDS[name]]
    word = {"enum": [*key.choices, AUTO]} if key.choices else _WORD
    return {
        **described,
        "anyOf": [section, {**word, "description": f"Short for `{SHORTHANDS[name]}`. {key.help}"}],
    }


def _property(key: Key) -> dict[str, Any]:
    forms = _forms(key)
    if not key.required and key.kind != "mapping":
        forms.append({"const": AUTO})
    if key.auto or key.none or key.kind == "mapping":
        forms.append({"type": "null"})
    described: dict[str, Any] = {"description": key.help, "examples": [key.example]}
    if key.default not in (None, {}, ()):
        described["default"] = key.default.as_posix() if isinstance(key.default, Path) else key.default
    return {**described, **(forms[0] if len(forms) == 1 else {"anyOf": forms})}


def _forms(key: Key) -> list[dict[str, Any]]:
    if key.kind == "words":
        word = {"enum": [*key.choices, "none"]}
        return [word, {"type": "array", "items": word}]
    if key.choices:
        return [{"enum": list(key.choices)}]
    if key.kind in ("plugins", "urls"):
        return [_WORD, {"type": "array", "items": _WORD}]
    if key.kind == "parts":
        part = {"type": "object", "properties": {"type": _WORD}, "required": ["type"]}
        return [{"type": "array", "items": part}, {"const": "none"}]
    if key.kind in _NUMBERS:
        bounds = {word: value for name, word in _BOUNDS.items() if (value := getattr(key, name)) is not None}
        number = {"type": _NUMBERS[key.kind], **bounds}
        return [number, {"const": "none"}] if key.none else [number]
    if key.kind == "bool":
        return [{"type": "boolean"}]
    if key.kind == "epochs":
        return [{"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1}]
    if key.kind == "freeze":
        return [{**_WORD, "pattern": f"^({FREEZE})$"}]
    if key.kind == "mapping":
        return [{"type": "object"}]
    if key.kind == "duration":
        return [{**_WORD, "pattern": f"^({DURATION}|none)$"}]
    if key.kind == "views":
        return [{**_WORD, "pattern": f"^{VIEWS}$"}]
    if key.kind == "sources":
        paths = {name: _property(KEYS[name]) for name in SOURCE_KEYS}
        item = {"type": "object", "properties": paths, "required": ["data_root"], "additionalProperties": False}
        return [{"type": "array", "items": item}, {"const": "none"}]
    if key.kind == "classes":
        return [_NAMES, _WORD]
    if key.endings:
        either = "|".join(ending.removeprefix(".") for ending in key.endings)
        return [{**_WORD, "pattern": rf"\.({either})$"}]
    return [_WORD]


if __name__ == "__main__":
    write_schema()
