"""What a sub-command is, and what several of them share."""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

# The exit code where results are written, and some videos that were named could not be read.
SOME_UNREAD = 3
# Whose reading can be told apart, see `runner/loading.py`.
MAX_WORKERS = 256


@dataclasses.dataclass(frozen=True)
class Command:
    """One sub-command.

    Attributes:
        help: One line for `--help`.
        run: Takes the parsed arguments, returns the exit code.
        options: Adds the options that only this command has.
        takes_config: Whether it reads a config.yaml.
        joins: Whether several processes do it together; of any other command the first does all.
    """

    help: str
    run: Callable[[argparse.Namespace], int]
    options: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    takes_config: bool = True
    joins: bool = False


def settings_of(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The settings that a command line names."""
    from autox_video.runner.distributed import after_first
    from autox_video.settings.load import load_settings

    def load():  # type: ignore[no-untyped-def]
        return load_settings(arguments.config, arguments.set, work_dir=arguments.work_dir)

    return after_first(load) if arguments.joins else load()


def count(text: str) -> int:
    """A whole number from 1, of an option."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def positive(text: str) -> float:
    """A number above 0, of an option."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def workers(text: str) -> int:
    """How many processes decode, of an option: as many as `runtime.workers` may be."""
    if not text.isdecimal() or int(text) > MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {MAX_WORKERS}")
    return int(text)


def model_options(parser: argparse.ArgumentParser, *, views: bool = True) -> None:
    """Which model, and how it computes: the same for each command that uses a trained one.

    Args:
        parser: Of the command.
        views: Whether it may choose how often to look at a video.
    """
    parser.add_argument(
        "-m",
        "--model",
        type=Path,
        default=Path("work_dirs/demo"),
        metavar="MODEL",
        help="a work_dir, best.pth, best.safetensors or an exported folder (default: work_dirs/demo)",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: a GPU if there is one"
    )
    if views:
        parser.add_argument(
            "--views", type=_views, metavar="CLIPSxCROPS", help="views of a video (default: as in the test)"
        )
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="MODULE", help="a plugin of its training; repeatable"
    )


def input_options(parser: argparse.ArgumentParser, *, limit: str) -> None:
    """How the videos that are named are read: the same for each command that takes lists and URLs.

    Args:
        parser: Of the command.
        limit: What the time limit is for.
    """
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="where paths in lists start (default: the list's folder)"
    )
    parser.add_argument("--time-limit", type=positive, default=300.0, metavar="SECONDS", help=f"{limit} (default: 300)")
    parser.add_argument("--max-download-mib", type=count, default=2048, metavar="MIB", help="for a URL (default: 2048)")


def _views(text: str) -> tuple[int, int]:
    """`4x3`: clips and crops."""
    clips, _, crops = text.partition("x")
    if not (
        clips.isdecimal() and (crops or "1").isdecimal() and 1 <= int(clips) <= 100 and (crops or "1") in ("1", "3")
    ):
        raise argparse.ArgumentTypeError(f"{text!r} is not CLIPSxCROPS, such as 4x3, with 1 or 3 crops")
    return int(clips), int(crops or 1)
