"""`predict`: a trained model on new videos."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from autox_video.commands.command import Command, count

# Results are written, and some videos in them have no label.
SOME_UNREAD = 3


def _predict(arguments: argparse.Namespace) -> int:
    from autox_video.report.outcome import outcome_lines
    from autox_video.using.predict import Asked, predict_files
    from autox_video.using.predict.files import best_labels

    names = ("output", "csv", "annotate", "data_root", "ignore_labels", "threshold", "top_k", "image_fps", "workers")
    chosen = {name: getattr(arguments, name) for name in (*names, "max_download_mib", "batch", "fresh")}
    asked = Asked(arguments.inputs, max_seconds=arguments.time_limit, **chosen)

    def open_model() -> Any:
        from autox_video.runner.predictor import open_predictor

        return open_predictor(arguments.model, arguments.device, arguments.views, arguments.plugin)

    def show(video: Any) -> None:
        if not arguments.quiet:
            said = "  ".join(f"{name} {score:.2f}" for name, score in best_labels(video, arguments.top_k))
            print(f"{video.file}  {said if video.status == 'ok' else f'ERROR {video.error}'}".rstrip(), flush=True)

    results = predict_files(asked, open_model, show)
    if results.counts.labelled:
        for line in outcome_lines(results):
            print(line)
    counts = results.counts
    print(f"predicted {counts.scored} of {counts.videos} videos", end="")
    print(f", {counts.unreadable} cannot be read" if counts.unreadable else "")
    for path in filter(None, (arguments.output, arguments.csv, arguments.annotate)):
        print(f"results  {path}")
    return SOME_UNREAD if counts.unreadable else 0


def _views(text: str) -> tuple[int, int]:
    """`4x3`: clips and crops."""
    clips, _, crops = text.partition("x")
    if not (
        clips.isdecimal() and (crops or "1").isdecimal() and 1 <= int(clips) <= 100 and (crops or "1") in ("1", "3")
    ):
        raise argparse.ArgumentTypeError(f"{text!r} is not CLIPSxCROPS, such as 4x3, with 1 or 3 crops")
    return int(clips), int(crops or 1)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def model_options(parser: argparse.ArgumentParser) -> None:
    """Which model, and where it computes: the same for each command of this kind."""
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
    parser.add_argument(
        "--views", type=_views, metavar="CLIPSxCROPS", help="views of a video (default: as in the test)"
    )
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="MODULE", help="a plugin of its training; repeatable"
    )


def _predict_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="videos, folders, quoted patterns, lists, http(s) URLs, `-` (a list on standard input)",
    )
    model_options(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("predictions.json"),
        metavar="FILE",
        help="results, .json .csv .pkl .yaml (default: predictions.json); a journal beside it lets a rerun go on",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a table besides")
    parser.add_argument("--annotate", type=Path, metavar="DIR|FILE.mp4", help="write copies with the labels drawn in")
    parser.add_argument(
        "--top-k", type=count, default=1, metavar="K", help="labels shown of each video, up to 5 (default: 1)"
    )
    parser.add_argument(
        "--threshold", type=_share, metavar="P", help="several labels a video: those from this probability on"
    )
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="where paths in lists start (default: the list's folder)"
    )
    parser.add_argument("--ignore-labels", action="store_true", help="do not read the labels in lists")
    parser.add_argument("--fresh", action="store_true", help="score all videos anew")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line for each video")
    parser.add_argument("--batch", type=count, metavar="N", help="videos scored together (default: what fits)")
    parser.add_argument("--workers", type=_whole, metavar="N", help="processes that decode (default: by the machine)")
    parser.add_argument(
        "--time-limit", type=_seconds, default=300.0, metavar="SECONDS", help="for a video (default: 300)"
    )
    parser.add_argument("--max-download-mib", type=count, default=2048, metavar="MIB", help="for a URL (default: 2048)")
    parser.add_argument(
        "--image-fps", type=_seconds, default=25.0, metavar="FPS", help="of folders of images (default: 25)"
    )


def _whole(text: str) -> int:
    return 0 if text == "0" else count(text)


COMMANDS = {
    "predict": Command(
        "say what is seen in new videos: files, folders, URLs, a camera", _predict, _predict_options, False
    ),
}
