"""Modules of the user's own, imported so that what is in them registers itself with MMEngine."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from mmaction.registry import HOOKS, TRANSFORMS

from autox_video.dataset.messages import setting_place
from autox_video.errors import AutoXVideoError, Problem, RequestError
from autox_video.runner import components  # noqa: F401  (a plugin may import what only works with the upstream fixes)
from autox_video.settings.lists import plugin_name
from autox_video.settings.messages import did_you_mean
from autox_video.settings.schema import Settings


def prepare_parts(settings: Settings) -> None:
    """Import the plugins, and see to it that the parts that the settings add are known; before anything long.

    Raises:
        RequestError: A plugin cannot be imported, or no registry has a part.
    """
    import_plugins(settings.plugins)
    problems = []
    for key, registry in (("train.hooks", HOOKS), ("augment.transforms", TRANSFORMS)):
        for part in attrgetter(key)(settings):
            if registry.get(part["type"]) is None:
                known = [*registry.module_dict, *registry.parent.module_dict]
                cure = did_you_mean(part["type"], known) or "Name the module that registers it under plugins"
                wrong = f"there is no {registry.name} of that name"
                problems.append(Problem(setting_place(settings, key), wrong, cure, repr(part["type"])))
    if problems:
        raise RequestError(problems)


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
