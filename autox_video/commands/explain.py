"""Commands that show what a trained model makes of videos."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autox_video.commands.command import SOME_UNREAD, Command, count, model_options


def _explain(arguments: argparse.Namespace) -> int:
    from autox_video.dataset.messages import printable
    from autox_video.explanations import sentence
    from autox_video.using.explain import explain_to_folder

    page, explanations, problems = explain_to_folder(
        arguments.model,
        arguments.videos,
        arguments.output,
        mistakes=arguments.mistakes,
        results=arguments.results,
        label=arguments.label,
        device=arguments.device,
        views=arguments.views,
        plugins=arguments.plugin,
        num_moments=arguments.moments,
        grid=arguments.grid,
    )
    for one in explanations:
        print(f"{printable(one.file)}: {sentence(one)}")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"page     {page}")
    return SOME_UNREAD if problems else 0


def _serve(arguments: argparse.Namespace) -> int:
    from autox_video.using.serve.engine import Source
    from autox_video.using.serve.limits import Limits
    from autox_video.using.serve.serving import serve

    def ready(address: str) -> None:
        print(f"serving  {address}  (Ctrl-C ends it)", flush=True)

    serve(
        Source(arguments.model, arguments.device, arguments.views, tuple(arguments.plugin)),
        Limits(arguments.max_mb, arguments.max_seconds),
        arguments.host,
        arguments.port,
        ready,
    )
    return 0


def _serve_options(parser: argparse.ArgumentParser) -> None:
    model_options(parser)
    parser.add_argument("--host", default="127.0.0.1", metavar="HOST", help="what to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8000, metavar="N", help="default: 8000; 0 for a free one")
    parser.add_argument("--max-mb", type=count, default=200, metavar="N", help="size of an upload (default: 200)")
    parser.add_argument(
        "--max-seconds", type=count, default=60, metavar="N", help="for an upload, and for its answer (default: 60)"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _explain_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("videos", nargs="*", metavar="INPUT", help="videos, folders, quoted patterns, lists")
    model_options(parser)
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


COMMANDS = {
    "explain": Command("show which moments and regions of a video decided", _explain, _explain_options, False),
    "serve": Command("a local web page that labels the videos dropped on it", _serve, _serve_options, False),
}
