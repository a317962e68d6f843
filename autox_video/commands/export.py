"""The command that gives a trained model away."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autox_video.commands.command import Command, count


def _export(arguments: argparse.Namespace) -> int:
    from autox_video.using.export import export

    made = export(
        arguments.model,
        arguments.output,
        onnx=arguments.onnx,
        num_videos=arguments.videos,
        plugins=arguments.plugin,
    )
    for name, agreement in made.checks.items():
        print(f"checked  {name}: {agreement.words(made.several_labels)}")
    print(f"bundle   {made.folder} ({made.num_bytes / 1e6:.1f} MB)")
    for problem in made.problems:
        print(problem, file=sys.stderr)
    return 1 if made.problems else 0


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-m",
        "--model",
        type=Path,
        default=Path("work_dirs/demo"),
        metavar="RUN",
        help="work dir of a training, or its best.pth (default: work_dirs/demo)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where to write (default: bundle in the work dir)"
    )
    parser.add_argument("--onnx", action="store_true", help="write model.onnx too (needs onnx and onnxruntime)")
    parser.add_argument(
        "--videos", type=count, default=16, metavar="N", help="try each file on so many videos (default: 16)"
    )
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="MODULE", help="a plugin of the training; repeatable"
    )


COMMANDS = {
    "export": Command(
        "make a folder of a trained model that runs with torch alone, or as ONNX", _export, _options, False
    ),
}
