"""The table of all keys for the README, in English and Chinese: made from `schema.py`, never edited.

    python -m autox_video.settings.reference README.md README_zh-CN.md

rewrites what stands between the two marker lines of each file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from autox_video.errors import AutoXVideoError, Problem, RequestError
from autox_video.settings.key import Key
from autox_video.settings.reference_zh import HELP_ZH, WORDS_ZH
from autox_video.settings.schema import KEYS
from autox_video.writing import write_text

BEGIN: Final = "<!-- settings:begin -->"
END: Final = "<!-- settings:end -->"

# The words of the table; their Chinese is in `reference_zh.py`.
WORDS: Final = {
    "header": "| Key | Value | Default | Meaning | Example |",
    "required": "(needed)",
    "not given": "(none)",
    "nothing": "(empty)",
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "str": "name",
    "path": "path",
    "weights": "name, path, URL",
    "classes": "list of names, or path",
    "sources": "list of mappings",
    "mapping": "mapping",
    "words": "word or list",
    "plugins": "name, path, or list of them",
    "parts": "list of mappings",
    "urls": "URL or list of URLs",
    "duration": "time in `s`, `min` or `h`",
    "views": "clips x crops",
    "epochs": "list of epochs",
    "freeze": "`none`, `head_only`, `stages:N`",
    "between": "{low} to {high}",
    "above": "above {low}, up to {high}",
    "multiple": "multiple of {step}",
    "or": " or ",
    "comma": ", ",
}


def settings_reference(language: str = "en") -> str:
    """A Markdown table of every key.

    Args:
        language: `en` or `zh`.

    Raises:
        ValueError: There is no such language.
    """
    if language not in ("en", "zh"):
        raise ValueError(f"language must be 'en' or 'zh', not {language!r}")
    words = WORDS if language == "en" else WORDS_ZH
    lines = [words["header"], "|---|---|---|---|---|"]
    for name, key in KEYS.items():
        meaning = key.help if language == "en" else HELP_ZH[name]
        cells = (f"`{name}`", _value(key, words), _default(key, words), meaning, f"`{_as_yaml(key.example)}`")
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def update_file(path: Path) -> None:
    """Rewrite the table in a file; one whose name contains `zh` gets Chinese.

    Raises:
        RequestError: The file cannot be read, or does not have each marker once and in order.
        RunError: The file cannot be written.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(Problem(str(path), f"cannot be read: {error}", "Name an existing text file")) from error
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end or text.count(BEGIN) != 1 or text.count(END) != 1:
        cure = f"Write {BEGIN} and {END} once each, in this order, on lines of their own"
        raise RequestError(Problem(str(path), "does not mark one place for the settings", cure))
    language = "zh" if "zh" in path.name else "en"
    write_text(path, f"{before}{BEGIN}\n{settings_reference(language)}{END}{after}")


def main(arguments: Sequence[str]) -> None:
    """Update the files named on the command line."""
    for argument in arguments:
        update_file(Path(argument))


def _value(key: Key, words: dict[str, str]) -> str:
    """What may be written, e.g. `whole number, 1 to 512`."""
    if key.choices:
        return words["comma"].join(f"`{choice}`" for choice in key.choices)
    parts = [words[key.kind]]
    if key.above is not None:
        parts.append(words["above"].format(low=key.above, high=key.maximum))
    elif key.minimum is not None:
        parts.append(words["between"].format(low=key.minimum, high=key.maximum))
    if key.multiple_of is not None:
        parts.append(words["multiple"].format(step=key.multiple_of))
    if key.endings:
        parts.append(" ".join(f"`{ending}`" for ending in key.endings))
    return words["comma"].join(parts) + (f"{words['or']}`none`" if key.none else "")


def _default(key: Key, words: dict[str, str]) -> str:
    if key.required:
        return words["required"]
    if key.default is None:
        return words["not given"]
    if key.default in ({}, ()):
        return words["nothing"]
    return f"`{_as_yaml(key.default)}`"


def _as_yaml(value: Any) -> str:
    """A value as one would write it into the YAML, on one line."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_as_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_as_yaml(item)}' for key, item in value.items())}}}"
    if isinstance(value, Path):
        return value.as_posix()
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except AutoXVideoError as error:
        sys.exit(str(error))
