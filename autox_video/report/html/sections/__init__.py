"""The sections of the report, a file each: see `autox_video.report.html`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from operator import attrgetter
from types import ModuleType

from autox_video.report.html.parts import ReportedRun, Section

MakeSection = Callable[[ReportedRun], Section | None]


def section_modules() -> list[ModuleType]:
    """The files in this folder, in the order of the page."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return sorted(
        (importlib.import_module(f"{__name__}.{name}") for name in names), key=attrgetter("ORDER", "__name__")
    )
