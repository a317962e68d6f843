"""Commands of a run: look, plan, train, test."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from autox_video.commands.command import Command, count, settings_of


def _train(arguments: argparse.Namespace) -> int:
    from autox_video import folds, workflow
    from autox_video.launching import launched

    settings = settings_of(arguments)
    if (code := launched(settings, arguments.command_line)) is not None:
        return code
    (folds if settings.test.folds else workflow).train(settings, fresh=arguments.fresh)
    print(f"next     python AutoTest.py{_same_options(arguments)}")
    return 0


def _same_options(arguments: argparse.Namespace) -> str:
    """What names the same run to another command."""
    given = [] if arguments.config == Path("config.yaml") else ["-c", str(arguments.config)]
    # The URLs of `notify` are secrets.
    given += [word for text in arguments.set if not text.startswith("notify") for word in ("--set", text)]
    given += [] if arguments.work_dir is None else ["--work-dir", str(arguments.work_dir)]
    return "".join(f" {shlex.quote(word)}" for word in given)


def _test(arguments: argparse.Namespace) -> int:
    from autox_video import folds, workflow
    from autox_video.launching import launched
    from autox_video.report.outcome import outcome_lines
    from autox_video.work_dir import WorkDir

    settings = settings_of(arguments)
    if (code := launched(settings, arguments.command_line)) is not None:
        return code
    results = (folds if settings.test.folds else workflow).test(settings, checkpoint=arguments.checkpoint)
    for line in outcome_lines(results):
        print(line)
    print(f"results  {settings.test_results_path}")
    print(f"report   {WorkDir(settings.work_dir).report_of(settings.test_results_path)}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    settings = settings_of(arguments)
    workflow.check(settings)
    print(f"ready    details: {settings.work_dir / 'check.json'}")
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    from autox_video import workflow
    from autox_video.plan.estimates import estimate_lines
    from autox_video.plan.schema import in_words

    decided = workflow.plan(settings_of(arguments), arguments.gpus, arguments.gpu_memory_gib)
    rows = [(name, _short(in_words(d.value)), d.source, d.why) for name, d in decided.decisions().items()]
    widths = [max(len(row[column]) for row in [("value", "value", "from", ""), *rows]) for column in range(3)]
    for row in [("", "value", "from", "why"), *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
        print("  ".join([*cells, row[3]]).rstrip())
    print()
    for line in estimate_lines(decided.estimates, decided.device.value) if decided.estimates else []:
        print(line)
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    print(workflow.render(settings_of(arguments), arguments.output, stock=arguments.stock))
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    print(f"preview  {workflow.preview(settings_of(arguments), arguments.videos, arguments.draws)}")
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from autox_video import workflow

    settings = settings_of(arguments)
    for line in workflow.bench(settings, arguments.seconds):
        print(line)
    print(f"bench    {settings.work_dir / 'bench.json'}")
    return 0


def _short(text: str) -> str:
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
    parser.add_argument("--videos", type=count, default=2, metavar="N", help="videos of each class (default: 2)")
    parser.add_argument("--draws", type=count, default=3, metavar="N", help="draws of a training video (default: 3)")


def _bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=count, default=10, metavar="N", help="for each of three measurements (default: 10)"
    )


COMMANDS = {
    "train": Command("train, or go on where the last run stopped", _train, _train_options, joins=True),
    "test": Command("score the test videos with the best checkpoint", _test, _test_options, joins=True),
    "check": Command("read the lists and open every video, nothing else", _check),
    "plan": Command("show every value of the run, where it comes from and why", _plan, _plan_options),
    "render": Command("write the MMEngine config of the run", _render, _render_options),
    "preview": Command("show what the network will see of each class", _preview, _preview_options),
    "bench": Command("measure what training would wait for, and what would make it faster", _bench, _bench_options),
}
