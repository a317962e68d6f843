"""Packages that only some runs need: the names to install, and a clear word where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from autox_video.dataset.messages import setting_place
from autox_video.errors import Problem, RequestError
from autox_video.settings.schema import Settings


def check_extras(settings: Settings) -> None:
    """See to it that what the settings ask for is installed.

    Raises:
        RequestError: Something is missing; every one is named with what installs it.
    """
    problems = []
    wanted = [("loggers", name) for name in settings.loggers]
    if settings.notify:
        wanted.append(("notify", "apprise"))
    for key, package in wanted:
        if find_spec(package) is None:
            cure = f"Run pip install {package}, or leave it out"
            problems.append(
                Problem(setting_place(settings, key), f"needs the package {package}, which is missing", cure)
            )
    if problems:
        raise RequestError(problems)


def check_package(package: str, option: str) -> None:
    """See to it that what an option of the command line needs is installed.

    Raises:
        RequestError: It is not.
    """
    if find_spec(package) is None:
        cure = f"Run pip install {package}, or leave it out"
        raise RequestError(Problem(option, f"needs the package {package}, which is missing", cure))
