"""Commands that look at a run's videos with its trained model: features, suspicious labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from autox_video.commands.command import Command, settings_of, workers


def _embed(arguments: argparse.Namespace) -> int:
    from autox_video.using.embed import embed_to_files

    settings = settings_of(arguments) if arguments.model is None else None
    written = embed_to_files(
        settings,
        arguments.model,
        arguments.inputs,
        arguments.split,
        arguments.output,
        arguments.parquet,
        device=arguments.device,
        plugins=arguments.plugin,
        workers=arguments.workers,
    )
    for line in written:
        print(line)
    return 0


def _audit_labels(arguments: argparse.Namespace) -> int:
    from autox_video.report.label_audit import audit_lines
    from autox_video.using.label_audit import PAGE, TABLE, audit_labels

    settings = settings_of(arguments)
    audit = audit_labels(settings, arguments.share, workers=arguments.workers)
    for line in audit_lines(audit):
        print(line)
    folder = settings.work_dir / "label_audit"
    print(f"page     {folder / PAGE}")
    print(f"table    {folder / TABLE}")
    print(f"next     autox-video apply-labels {folder / TABLE}, when you have filled in new_label and keep")
    return 0


def _apply_labels(arguments: argparse.Namespace) -> int:
    from autox_video.dataset.label_table import changes_in_words
    from autox_video.using.relabelling import apply_labels

    settings = settings_of(arguments)
    written = apply_labels(settings, arguments.table, arguments.output)
    print(
        f"lists    {changes_in_words(written.changed, written.left_out)}; to train with them, write into config.yaml:"
    )
    print()
    for split, path in written.files.items():
        print(f"ann_file_{split}: {path}")
    print(f"classes: {written.classes}")
    if settings.more_data:
        # Their videos are in the new lists too, and their own lists would bring the old labels back.
        print("more_data: []")
    print(f"work_dir: {written.classes.parent}/run")
    return 0


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share above 0 and up to 1")
    return value


def _workers_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=workers, metavar="N", help="processes that decode (default: half the cores)")


def _embed_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="videos, folders, lists (default: those of the run)")
    parser.add_argument("--split", choices=["train", "val", "test", "all"], help="of the run's own videos, which ones")
    parser.add_argument("--model", type=Path, metavar="MODEL", help="work dir, best.pth, best.safetensors or export")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the .npz (default: into work_dir; features.npz of INPUTs)",
    )
    parser.add_argument("--parquet", type=Path, metavar="FILE", help="the same as a table; needs pyarrow")
    parser.add_argument(
        "--device", choices=["auto", "cpu", "cuda"], default="auto", help="with --model (default: auto)"
    )
    parser.add_argument("--plugin", action="append", default=[], metavar="MODULE", help="with --model; repeatable")
    _workers_option(parser)


def _audit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--share", type=_share, default=0.1, metavar="S", help="how many of the labels are listed (default: 0.1)"
    )
    _workers_option(parser)


def _apply_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, metavar="TABLE", help="suspicious.csv, edited")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where to write (default: beside work_dir)")


COMMANDS = {
    "embed": Command("what the model sees in each video, as vectors of features", _embed, _embed_options),
    "audit-labels": Command("list the labels that look wrong, for you to judge", _audit_labels, _audit_options),
    "apply-labels": Command("write new lists with what you wrote into that table", _apply_labels, _apply_options),
}
