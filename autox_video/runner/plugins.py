"""Modules of the user's own, imported so that what is in them registers itself with MMEngine."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from autox_video.errors import AutoXVideoError, Problem, RequestError
from autox_video.runner import components  # noqa: F401  (a plugin may import what only works with the upstream fixes)
from autox_video.settings.lists import plugin_name


def import_plugins(plugins: Sequence[str]) -> None:
    """Import modules, each once in a process; those that load videos are forked and have them too.

    Args:
        plugins: As the settings hold them: names of modules, or absolute paths of files.

    Raises:
        RequestError: One cannot be imported; all that cannot are named.
    """
    problems: list[Problem] = []
    for plugin in plugins:
        try:
            _import(plugin)
        except AutoXVideoError as error:
            problems += error.problems
        except Exception as error:  # whatever the user's code raises
            what = f"{type(error).__name__}: {error}"
            problems.append(Problem("plugins", f"cannot import {plugin}", "Correct the module", what))
    if problems:
        raise RequestError(problems)


def _import(plugin: str) -> None:
    name = plugin_name(plugin)
    if name == plugin:
        importlib.import_module(name)
        return
    file = Path(plugin)
    folder = file.parent.parent if file.name == "__init__.py" else file.parent
    if str(folder) not in sys.path:
        # At the end: nothing in the folder takes the place of an installed module.
        sys.path.append(str(folder))
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != file.resolve():
        wrong = f"cannot import {plugin}: another module is called {name}"
        raise RequestError(Problem("plugins", wrong, "Give the file a name of its own", found or "built into Python"))
