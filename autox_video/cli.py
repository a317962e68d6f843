"""The command line. The only place that prints, with the commands.

Exit codes: 0 done; 1 the run failed; 2 the request was wrong; 3 `predict` has written results, with videos among them
that cannot be read; 75 the run made no progress; 128 + n signal n stopped it.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from pathlib import Path

from autox_video import __version__
from autox_video.commands import COMMANDS
from autox_video.errors import AutoXVideoError, StoppedError
from autox_video.processes import own_place
from autox_video.stopping import end_with, stoppable

DEFAULT_CONFIG = Path("config.yaml")


def main(argv: list[str] | None = None, *, prog: str | None = None, default_config: Path | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments, without the program's name; those of this process when None.
        prog: The name that `--help` shows, of a script that is one command.
        default_config: The config.yaml to read when the current directory has none and -c is not given.

    Returns:
        The exit code.
    """
    parser = _parser(prog)
    arguments = parser.parse_args(given := sys.argv[1:] if argv is None else argv)
    arguments.command_line = list(given)
    _log_to_console()
    if arguments.takes_config and arguments.config is None:
        found = DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() or default_config is None else default_config
        arguments.config = found
        arguments.command_line += ["-c", str(found)]
    try:
        if pid := own_place().launcher_pid:
            end_with(pid)
        with stoppable():
            code: int = arguments.run(arguments) if own_place().is_first else _join_in(arguments)
        return code
    except AutoXVideoError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return error.exit_code
    except StoppedError as stopped:
        return 128 + stopped.signal
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; Python would complain once more at exit.
        sys.stdout = None
        return 1


def _join_in(arguments: argparse.Namespace) -> int:
    """Help the first process of the run; what concerns all of them, that one says."""
    if not arguments.joins:
        return 0
    logging.getLogger("autox_video").setLevel(logging.WARNING)
    logging.getLogger("autox_video.stopping").setLevel(logging.ERROR)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        code: int = arguments.run(arguments)
        return code


def _parser(prog: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog or "autox-video", description="Train and test video models from one config.yaml."
    )
    if prog is None:
        parser.add_argument("--version", action="version", version=f"autox_video {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, prog=prog, help=command.help, description=command.help)
        if command.takes_config:
            sub.add_argument("-c", "--config", type=Path, metavar="FILE", help="the settings (default: config.yaml)")
            sub.add_argument(
                "--set",
                action="append",
                default=[],
                metavar="KEY=VALUE",
                help="one setting, e.g. train.learning_rate=1e-3; repeatable",
            )
            sub.add_argument("--work-dir", type=Path, metavar="DIR", help="where the run writes, instead of work_dir")
        command.options(sub)
        sub.set_defaults(run=command.run, takes_config=command.takes_config, joins=command.joins)
    return parser


def _log_to_console() -> None:
    """Messages of this package go to standard output, bare."""
    logger = logging.getLogger("autox_video")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
