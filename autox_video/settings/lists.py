"""Values that are lists: words, plugins, parts of MMEngine, and URLs that may hold secrets."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autox_video.settings.foreign_code import foreign_code
from autox_video.settings.given import REFUSED, Given, Refused, read_each
from autox_video.settings.key import Key
from autox_video.settings.messages import complaint, did_you_mean, instead, refused, wanted
from autox_video.settings.secret_url import SecretUrl

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+")


def read_words(name: str, key: Key, given: Given, base: Path) -> tuple[str, ...]:
    """One of the choices, or a list of them."""

    def word(item: Given) -> str:
        if item.value not in key.choices:
            raise refused(name, item, f"must be {wanted(key)}", did_you_mean(item.text, key.choices) or instead(key))
        return str(item.value)

    return _each(given, word)


def read_plugins(name: str, key: Key, given: Given, base: Path) -> tuple[str, ...]:
    """Modules by name, or by the absolute path of their file, as those beside the settings are."""

    def plugin(item: Given) -> str:
        text = item.value
        if isinstance(text, str) and text.endswith(".py"):
            file = Path(os.path.abspath(base / os.path.expanduser(text)))
            if not file.is_file():
                raise refused(name, item, "there is no such file", f"Write it, or correct the path; looked at {file}")
            return str(file)
        if not isinstance(text, str) or not _MODULE.fullmatch(text):
            raise refused(name, item, f"must be {wanted(key)}", instead(key))
        beside = (base / f"{text}.py", base / text / "__init__.py")
        return next((str(file) for file in beside if file.is_file()), text)

    return _each(given, plugin)


def plugin_name(plugin: str) -> str:
    """The name that a plugin is imported by, whether it was given as a module or as a file."""
    file = Path(plugin)
    return (file.parent.name if file.name == "__init__.py" else file.stem) if file.suffix == ".py" else plugin


def read_parts(name: str, key: Key, given: Given, base: Path) -> tuple[dict[str, Any], ...]:
    """Parts in MMEngine's words, a mapping each with the `type` that it is registered under."""
    if not isinstance(given.value, tuple):
        raise refused(name, given, f"must be {wanted(key)}", instead(key))

    def part(item: Given) -> dict[str, Any]:
        if not isinstance(item.value, dict) or not isinstance(getattr(item.value.get("type"), "value", None), str):
            raise refused(name, item, f"must be {wanted(key)}", instead(key))
        return {inner: plain(f"{name}.{inner}", value) for inner, value in item.value.items()}

    return tuple(read_each(given.value, part, foreign_code(name, given)))


def read_urls(name: str, key: Key, given: Given, base: Path) -> tuple[SecretUrl, ...]:
    """URLs, of which no message shows more than the beginning."""

    def url(item: Given) -> SecretUrl:
        if not isinstance(item.value, str) or not _URL.fullmatch(item.value):
            hidden = Given(item.value, "something else", item.origin, item.line)
            shown = complaint(name, hidden, f"must be {wanted(key)}", instead(key))
            raise Refused([(item.line, type(shown)(shown.where, shown.wrong, shown.cure))])
        return SecretUrl(item.value)

    return _each(given, url)


def plain(name: str, given: Given) -> Any:
    """The plain Python value, such as JSON can hold."""
    value = given.value
    if isinstance(value, dict):
        return {key: plain(name, item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(name, item) for item in value]
    if value is REFUSED or value is None or isinstance(value, (bool, int, str)):
        return value
    if not isinstance(value, float) or not math.isfinite(value):
        raise refused(
            name, given, "must be text, a finite number, true, false, a list or a mapping", "Write it as text"
        )
    return value


def _each(given: Given, read: Callable[[Given], Any]) -> tuple[Any, ...]:
    """The items of a list, or the one that stands for a list of one; each once."""
    items = given.value if isinstance(given.value, tuple) else (given,)
    return tuple(dict.fromkeys(read_each((item for item in items if item.value is not REFUSED), read)))
