"""The command line: one table, a sub-command to a workflow function. The only place that prints.

Exit codes: 0 done; 1 the run failed; 2 the request was wrong; 75 the run made no progress; 128 + n signal n stopped it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from autox_video.errors import AutoXVideoError, StoppedError
from autox_video.processes import own_place
from autox_video.stopping import stoppable

DEFAULT_CONFIG = Path("config.yaml")


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
    arguments = parser.parse_args(sys.argv[1:] if argv is None else argv)
    _log_to_console()
    if arguments.takes_config and arguments.config is None:
        found = DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() or default_config is None else default_config
        arguments.config = found
    try:
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
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        code: int = arguments.run(arguments)
        return code


def _parser(prog: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog or "autox-video", description="Train and test video models from one config.yaml."
    )
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


def _settings(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]
    from autox_video.runner.distributed import after_first
    from autox_video.settings.load import load_settings

    def load():  # type: ignore[no-untyped-def]
        return load_settings(arguments.config, arguments.set, work_dir=arguments.work_dir)

    return after_first(load) if arguments.joins else load()


def _train(arguments: argparse.Namespace) -> int:
    from autox_video import folds, workflow

    settings = _settings(arguments)
    (folds if settings.test.folds else workflow).train(settings, fresh=arguments.fresh)
    print(f"next     python AutoTest.py{'' if arguments.config.name == 'config.yaml' else f' -c {arguments.config}'}")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    from autox_video import folds, workflow
    from autox_video.report.outcome import outcome_lines

    settings = _settings(arguments)
    results = (folds if settings.test.folds else workflow).test(settings, checkpoint=arguments.checkpoint)
    for line in outcome_lines(results):
        print(line)
    print(f"results  {settings.test_results_path}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    settings = _settings(arguments)
    workflow.check(settings)
    print(f"ready    details: {settings.work_dir / 'check.json'}")
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    decided = workflow.plan(_settings(arguments), arguments.gpus, arguments.gpu_memory_gib)
    rows = [(name, _short(d.value), d.source, d.why) for name, d in decided.decisions().items()]
    widths = [max(len(row[column]) for row in [("value", "value", "from", ""), *rows]) for column in range(3)]
    for row in [("", "value", "from", "why"), *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
        print("  ".join([*cells, row[3]]).rstrip())
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    print(workflow.render(_settings(arguments), arguments.output, stock=arguments.stock))
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    print(f"preview  {workflow.preview(_settings(arguments), arguments.videos, arguments.draws)}")
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    settings = _settings(arguments)
    for line in workflow.bench(settings, arguments.seconds):
        print(line)
    print(f"bench    {settings.work_dir / 'bench.json'}")
    return 0


def _demo_data(arguments: argparse.Namespace) -> int:
    from autox_video.demo_data import write_demo_data

    write_demo_data(arguments.folder)
    print(f"demo data: {arguments.folder}")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from autox_video.doctor import diagnose

    findings = diagnose(arguments.work_dir)
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "ok" if finding.ok else "PROBLEM" if finding.required else "note"
        print(f"{mark:7}  {finding.name:{width}}  {finding.value}")
        if not finding.ok:
            print(f"{'':7}  {'':{width}}  {finding.cure}")
    return 1 if any(finding.required and not finding.ok for finding in findings) else 0


def _short(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 44 else text[:20] + "..." + text[-21:]


def _train_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fresh", action="store_true", help="archive the run in this work_dir and start anew")


def _test_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="test this file instead of work_dir/best.pth")


def _plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gpus", type=int, metavar="N", help="plan for a machine with N GPUs (0: none)")
    parser.add_argument("--gpu-memory-gib", type=float, metavar="GIB", help="memory of each of them")


def _render_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stock", action="store_true", help="only MMAction2's own modules: runs under its tools/train.py"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write (default: into work_dir)")


def _preview_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--videos", type=_count, default=2, metavar="N", help="videos of each class (default: 2)")
    parser.add_argument("--draws", type=_count, default=3, metavar="N", help="draws of a training video (default: 3)")


def _bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=_count, default=10, metavar="N", help="for each of three measurements (default: 10)"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _demo_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("data/demo"), help="a new folder (default: data/demo)"
    )


def _doctor_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work-dir", type=Path, metavar="DIR", help="the folder whose disk is checked")


COMMANDS = {
    "train": Command("train, or go on where the last run stopped", _train, _train_options, joins=True),
    "test": Command("score the test videos with the best checkpoint", _test, _test_options, joins=True),
    "check": Command("read the lists and open every video, nothing else", _check),
    "plan": Command("show every value of the run, where it comes from and why", _plan, _plan_options),
    "render": Command("write the MMEngine config of the run", _render, _render_options),
    "preview": Command("show what the network will see of each class", _preview, _preview_options),
    "bench": Command("measure what training would wait for, and what would make it faster", _bench, _bench_options),
    "demo-data": Command(
        "make the demo videos: 8 classes that only motion tells apart", _demo_data, _demo_data_options, False
    ),
    "doctor": Command("check this machine and name what fixes it", _doctor, _doctor_options, False),
}
