"""Packages that only some runs need: the names to install, and a clear word where one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from autox_video.dataset.messages import setting_place
from autox_video.errors import Problem, RequestError
from autox_video.settings.schema import Settings


def check_extras(settings: Settings) -> None:
    """See to it that what the settings ask for is installed.

    Raises:
        RequestError: Something is missing; every one is named with what installs it.
    """
    wanted = [("loggers", name) for name in settings.loggers]
    if settings.notify:
        wanted.append(("notify", "apprise"))
    found = (_missing(setting_place(settings, key), [package]) for key, package in wanted)
    if problems := [problem for problem in found if problem]:
        raise RequestError(problems)


def check_packages(where: str, *packages: str, way_out: str = ", or leave it out") -> None:
    """See to it that what a command or one of its options needs is installed.

    Args:
        where: The option, or the command.
        packages: By their names of pip.
        way_out: What else than installing them one can do.

    Raises:
        RequestError: One is not.
    """
    if problem := _missing(where, packages, way_out):
        raise RequestError(problem)


def _missing(where: str, packages: Sequence[str], way_out: str = ", or leave it out") -> Problem | None:
    missing = [package for package in packages if find_spec(package.replace("-", "_")) is None]
    if not missing:
        return None
    several = len(missing) > 1
    wrong = f"needs the package{'s' * several} {' and '.join(missing)}, which {'are' if several else 'is'} missing"
    return Problem(where, wrong, f"Run pip install {' '.join(missing)}{way_out}")
