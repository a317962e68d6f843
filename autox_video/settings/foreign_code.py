"""What `cfg_options` may not say: words of MMEngine that import a module or run code of the file's choice.

A config.yaml comes from elsewhere as easily as a checkpoint does. Parts of one's own need none of these words: the key
`plugins` names their modules, in one place that a reader of the file cannot miss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from autox_video.errors import Problem
from autox_video.settings.given import Findings, Given
from autox_video.settings.messages import CODE_WORDS, complaint, named, shortened

# What stands under these is looked up in a registry, and imported where no registry has it.
_NAMES_A_PART: Final = re.compile(r"(?:type|\w*constructor)")
_A_PART: Final = re.compile(r"\w+")
# They would end the quotes around a key in the rendered config, which is Python.
_NO_KEY: Final = re.compile(r"['\"\\\x00-\x1f]")
_CURE_KEY: Final = "Remove it; the module of parts of your own stands under plugins"


def foreign_code(name: str, given: Given) -> Findings:
    """Every entry below a value of `cfg_options` that could run code, with its line.

    Args:
        name: The dotted key of the value.
        given: The value.
    """
    return list(_findings(name, given))


def _findings(name: str, given: Given) -> Iterator[tuple[int, Problem]]:
    if isinstance(given.value, tuple):
        for item in given.value:
            yield from _findings(name, item)
    elif isinstance(given.value, dict):
        for key, item in given.value.items():
            inner = f"{name}.{key}"
            parts = key.split(".")
            if _NO_KEY.search(key):
                wrong = "has a quote, a backslash or a control character in its key"
                where = f"{item.origin}: {named(name)}"
                yield item.line, Problem(where, wrong, "Write a plain word", shortened(key))
            elif any(part in CODE_WORDS for part in parts):
                yield item.line, complaint(inner, item, "would run Python code of the file's choice", _CURE_KEY)
            elif (
                _NAMES_A_PART.fullmatch(parts[-1]) and isinstance(item.value, str) and not _A_PART.fullmatch(item.value)
            ):
                wrong, cure = "must be the plain name of a part of MMAction2 or MMEngine", "Write it without its module"
                yield item.line, complaint(inner, item, wrong, cure)
            else:
                yield from _findings(inner, item)
    elif isinstance(given.value, str) and "{{" in given.value:
        yield (
            given.line,
            complaint(name, given, "holds {{, which MMEngine replaces when it reads a config", "Write the value"),
        )
