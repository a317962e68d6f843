"""Commands that show what a trained model makes of videos."""

from __future__ import annotations

import argparse
from pathlib import Path

from autox_video.commands.command import Command, count

MODEL_HELP = "work dir of a training, its best.safetensors or best.pth, or an exported folder"


def _explain(arguments: argparse.Namespace) -> int:
    from autox_video.explanations import sentence
    from autox_video.using.explain import explain_to_folder

    page, explanations = explain_to_folder(
        arguments.model,
        arguments.videos,
        arguments.output,
        mistakes=arguments.mistakes,
        results=arguments.results,
        label=arguments.label,
        device=arguments.device,
        plugins=arguments.plugin,
        num_moments=arguments.moments,
        grid=arguments.grid,
    )
    for one in explanations:
        print(f"{one.file}: {sentence(one)}")
    print(f"page     {page}")
    return 0


def _explain_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO", help="video files, or folders of images")
    parser.add_argument("--model", type=Path, required=True, metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where to write (default: explanations)")
    parser.add_argument("--label", metavar="NAME", help="the class to explain, instead of the one predicted")
    parser.add_argument(
        "--mistakes",
        type=count,
        metavar="N",
        help="explain the N most confident mistakes of the test instead of videos",
    )
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="results.json of that test (default: in the work dir)"
    )
    parser.add_argument(
        "--moments", type=count, default=8, metavar="N", help="parts that the time is divided into (default: 8)"
    )
    parser.add_argument(
        "--grid", type=count, default=7, metavar="N", help="rows and columns of regions (default: 7); fewer are faster"
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="MODULE", help="a plugin of the training; repeatable"
    )


COMMANDS = {
    "explain": Command("show which moments and regions of a video decided", _explain, _explain_options, False),
}
