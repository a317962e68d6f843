"""Commands that set several runs side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from autox_video.commands.command import Command


def _ensemble(arguments: argparse.Namespace) -> int:
    from autox_video.ensemble import ensemble
    from autox_video.report.outcome import outcome_lines

    results = ensemble(arguments.runs, arguments.weights, arguments.output, arguments.plugin)
    for line in outcome_lines(results):
        print(line)
    print(f"results  {arguments.output / 'results.json'}")
    print(f"report   {arguments.output / 'report.html'}")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from autox_video.report.comparison import comparison_lines
    from autox_video.using.compare import PAGE, compare

    for line in comparison_lines(compare(arguments.runs, arguments.output)):
        print(line)
    print(f"compare  {arguments.output / 'compare.json'}")
    print(f"page     {arguments.output / PAGE}")
    return 0


def _ensemble_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="work dir of a tested run, or its results")
    parser.add_argument(
        "--weights",
        type=_weights,
        default="fit",
        metavar="HOW",
        help="fit (on the validation videos, the default), equal, or one number a run: 0.3,0.7",
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("work_dirs/ensemble"), metavar="DIR", help="where to write"
    )
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="MODULE", help="a plugin of a run's training; repeatable"
    )


def _compare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="work dir of a tested run, or its results")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("work_dirs/compare"), metavar="DIR", help="where to write"
    )


def _weights(text: str) -> str | tuple[float, ...]:
    if text in ("fit", "equal"):
        return text
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither fit, equal nor numbers like 0.3,0.7") from None


COMMANDS = {
    "ensemble": Command(
        "join the scores of several runs, and say what that gains", _ensemble, _ensemble_options, False
    ),
    "compare": Command(
        "say which of several runs is better on the same videos, and whether that can be told",
        _compare,
        _compare_options,
        False,
    ),
}
