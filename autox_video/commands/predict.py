"""`predict`: a trained model on new videos."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autox_video.commands.command import SOME_UNREAD, Command, count, input_options, model_options, positive, workers

if TYPE_CHECKING:
    from autox_video.using.predict import Asked

DEFAULT_OUTPUT = Path("predictions.json")


def _predict(arguments: argparse.Namespace) -> int:
    from autox_video.dataset.messages import plural
    from autox_video.report.outcome import outcome_lines
    from autox_video.using.predict import Watching, predict_files, predict_stream, stream_of

    source = stream_of(arguments.inputs)

    def open_model() -> Any:
        from autox_video.runner.predictor import open_predictor

        # Of the few frames of a window all views would be nearly the same.
        views = arguments.views or ((1, 1) if source else None)
        return open_predictor(arguments.model, arguments.device, views, arguments.plugin)

    def show(video: Any, labels: Sequence[tuple[str, float]]) -> None:
        if not arguments.quiet:
            print(_line(video, labels, source is not None), flush=True)

    if source is not None:
        watching = Watching(arguments.every, arguments.window, arguments.average, arguments.seconds)
        scored = predict_stream(source, _asked(arguments), watching, open_model, show)
        print(f"watched  {plural(scored, 'window')}")
        _say_where(arguments)
        return 0
    arguments.output = arguments.output or DEFAULT_OUTPUT
    results = predict_files(_asked(arguments), open_model, show)
    if results.counts.labelled:
        for line in outcome_lines(results):
            print(line)
    unread = results.counts.unreadable
    what = f"{results.counts.scored} of {plural(results.counts.videos, 'video')}"
    print(f"predicted {what}, {unread} cannot be read" if unread else f"predicted {what}")
    _say_where(arguments)
    return SOME_UNREAD if unread else 0


def _say_where(arguments: argparse.Namespace) -> None:
    for path in filter(None, (arguments.output, arguments.csv, arguments.annotate)):
        print(f"results  {path}")


def _asked(arguments: argparse.Namespace) -> Asked:
    from autox_video.using.predict import Asked

    names = ("output", "csv", "annotate", "data_root", "ignore_labels", "threshold", "top_k", "image_fps", "workers")
    chosen = {name: getattr(arguments, name) for name in (*names, "max_download_mib", "batch", "fresh")}
    return Asked(arguments.inputs, max_seconds=arguments.time_limit, **chosen)


def _line(video: Any, labels: Sequence[tuple[str, float]], of_stream: bool) -> str:
    """A row for the console."""
    from autox_video.dataset.messages import printable

    where = f"{video.start_seconds:8.2f} - {video.end_seconds:.2f} s" if of_stream else printable(video.file)
    if video.start_seconds is not None and not of_stream:
        where += f" from {video.start_seconds:g} s"
    if video.status != "ok":
        return f"{where}  ERROR {video.error}"
    said = [f"{name} {score:.2f}" for name, score in labels] or ["-"]
    return "  ".join([where, *said, *(["uncertain"] if video.uncertain else [])])


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def _predict_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="videos, folders, quoted patterns, lists, http(s) URLs, `-` (a list on standard input); or one stream: a "
        "camera (0, /dev/video0), rtsp://, udp:// and the like, or a pipe",
    )
    model_options(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help=f"results, .json .csv .pkl .yaml (default: {DEFAULT_OUTPUT}, of a stream none); a journal stands beside "
        "it, from which a rerun goes on",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a table besides")
    parser.add_argument("--annotate", type=Path, metavar="DIR|FILE.mp4", help="write copies with the labels drawn in")
    parser.add_argument("--top-k", type=count, default=1, metavar="K", help="labels shown of each video (default: 1)")
    parser.add_argument(
        "--threshold",
        type=_share,
        metavar="P",
        help="several labels a video: those whose probability, as it is shown, is P or more",
    )
    parser.add_argument("--ignore-labels", action="store_true", help="do not read the labels in lists")
    parser.add_argument("--fresh", action="store_true", help="score all videos anew")
    parser.add_argument("-q", "--quiet", action="store_true", help="no line for each video")
    parser.add_argument("--batch", type=count, metavar="N", help="videos scored together (default: what fits)")
    parser.add_argument("--workers", type=workers, metavar="N", help="processes that decode (default: by the machine)")
    input_options(parser, limit="for a video")
    stream = parser.add_argument_group("of a stream")
    stream.add_argument("--every", type=positive, metavar="SECONDS", help="from window to window (default: its length)")
    stream.add_argument("--window", type=positive, metavar="SECONDS", help="its length (default: that of a clip)")
    stream.add_argument("--average", type=count, default=1, metavar="N", help="mean of the last N windows (default: 1)")
    stream.add_argument("--seconds", type=positive, metavar="SECONDS", help="end after so many (default: at Ctrl-C)")
    parser.add_argument(
        "--image-fps", type=positive, default=25.0, metavar="FPS", help="of folders of images (default: 25)"
    )


COMMANDS = {
    "predict": Command(
        "say what is seen in new videos: files, folders, URLs, a camera", _predict, _predict_options, False
    ),
}
