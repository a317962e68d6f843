"""What is learned from a video. One file a task, found by scanning this folder; none imports torch."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def task_names() -> tuple[str, ...]:
    """Names of all tasks: the module names in this folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load_task(name: str) -> ModuleType:
    """The module of one task. See `single_label` for the functions a task has."""
    return importlib.import_module(f"{__name__}.{name}")
