"""The sub-commands: one table, each calls one workflow function and prints what comes of it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path


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


def _settings(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]
    from autox_video.runner.distributed import after_first
    from autox_video.settings.load import load_settings

    def load():  # type: ignore[no-untyped-def]
        return load_settings(arguments.config, arguments.set, work_dir=arguments.work_dir)

    return after_first(load) if arguments.joins else load()


def _train(arguments: argparse.Namespace) -> int:
    from autox_video import folds, workflow
    from autox_video.launching import launched

    settings = _settings(arguments)
    if (code := launched(settings, arguments.command_line)) is not None:
        return code
    (folds if settings.test.folds else workflow).train(settings, fresh=arguments.fresh)
    print(f"next     python AutoTest.py{'' if arguments.config.name == 'config.yaml' else f' -c {arguments.config}'}")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    from autox_video import folds, workflow
    from autox_video.launching import launched
    from autox_video.report.outcome import outcome_lines

    settings = _settings(arguments)
    if (code := launched(settings, arguments.command_line)) is not None:
        return code
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
    from autox_video.plan.estimates import estimate_lines

    decided = workflow.plan(_settings(arguments), arguments.gpus, arguments.gpu_memory_gib)
    rows = [(name, _short(d.value), d.source, d.why) for name, d in decided.decisions().items()]
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


def _ensemble(arguments: argparse.Namespace) -> int:
    from autox_video.ensemble import ensemble
    from autox_video.report.outcome import outcome_lines

    results = ensemble(arguments.runs, arguments.weights, arguments.output, arguments.plugin)
    for line in outcome_lines(results):
        print(line)
    print(f"results  {arguments.output / 'results.json'}")
    return 0


def _notify_test(arguments: argparse.Namespace) -> int:
    from autox_video.extras import check_extras
    from autox_video.notifying import send_test_message

    settings = _settings(arguments)
    check_extras(settings)
    taken = send_test_message(settings)
    if taken:
        print(f"sent     a test message to {', '.join(map(str, settings.notify))}")
    return 0 if taken else 1


def _demo_data(arguments: argparse.Namespace) -> int:
    from autox_video.demo_data import write_demo_data

    write_demo_data(arguments.folder)
    print(f"demo data: {arguments.folder}")
    return 0


def _models(arguments: argparse.Namespace) -> int:
    from autox_video.presets import load_preset, preset_names, wheel_names
    from autox_video.report.models import card_lines, model_lines

    names = preset_names() + (wheel_names() if arguments.all else ())
    lines = card_lines(load_preset(arguments.name)) if arguments.name else model_lines(map(load_preset, names))
    for line in lines:
        print(line)
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


def _weights(text: str) -> str | tuple[float, ...]:
    if text in ("fit", "equal"):
        return text
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither fit, equal nor numbers like 0.3,0.7") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _demo_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("data/demo"), help="a new folder (default: data/demo)"
    )


def _models_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="show all that the card of this one says")
    parser.add_argument("--all", action="store_true", help="those of MMAction2's index too")


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
    "ensemble": Command(
        "join the scores of several runs, and say what that gains", _ensemble, _ensemble_options, False
    ),
    "models": Command("compare the models one can name", _models, _models_options, False),
    "notify-test": Command("send a test message to whom `notify` names", _notify_test),
    "demo-data": Command(
        "make the demo videos: 8 classes that only motion tells apart", _demo_data, _demo_data_options, False
    ),
    "doctor": Command("check this machine and name what fixes it", _doctor, _doctor_options, False),
}
