"""The command that finds out what happens when in long videos."""

from __future__ import annotations

import argparse
from pathlib import Path

from autox_video.commands.command import SOME_UNREAD, Command, input_options, model_options, positive


def _timeline(arguments: argparse.Namespace) -> int:
    from autox_video.dataset.messages import printable
    from autox_video.using.timeline.timelines import Wishes, make_timelines

    wishes = Wishes(
        stride_seconds=arguments.stride,
        window_seconds=arguments.window_seconds,
        min_seconds=arguments.min_seconds,
        threshold=arguments.threshold,
        keep_still=arguments.keep_still,
    )
    found = make_timelines(
        arguments.inputs,
        arguments.model,
        arguments.output,
        wishes,
        data_root=arguments.data_root,
        truth=arguments.truth,
        device=arguments.device,
        plugins=arguments.plugin,
        max_download_mib=arguments.max_download_mib,
        max_seconds=arguments.time_limit,
    )
    for name, row, page in zip(found.names, found.rows, found.pages, strict=True):
        found_ones = f"{len(row.segments)} segment{'' if len(row.segments) == 1 else 's'}"
        what = f"{found_ones} in {row.duration_seconds:.1f} s  {page}" if page else row.error
        print(f"{row.status:8} {printable(name)}: {what}")
    if found.num_kept:
        print(f"kept     {found.num_kept} of {len(found.rows)} videos were done before")
    if found.metrics is not None:
        figures = "  ".join(f"F1@{overlap} {value:.3f}" for overlap, value in found.metrics.f1.items())
        print(
            f"truth    {figures}  frames right {found.metrics.frame_accuracy:.3f}  ({found.metrics.num_videos} videos)"
        )
    print(f"segments {arguments.output / 'timelines.csv'}")
    return 0 if all(found.pages) else SOME_UNREAD


def _probability(text: str) -> float:
    """A number above 0 up to 1, of an option."""
    if (value := positive(text)) > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no probability")
    return value


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="videos, folders, quoted patterns, lists, http(s) URLs, `-` (a list on standard input)",
    )
    model_options(parser, views=False)
    input_options(parser, limit="for the download of a URL")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("timelines"),
        metavar="DIR",
        help="where to write (default: timelines)",
    )
    parser.add_argument(
        "--stride",
        type=positive,
        metavar="SECONDS",
        help="from one window to the next (default: a quarter of a window)",
    )
    parser.add_argument(
        "--min-seconds", type=positive, metavar="SECONDS", help="shortest segment (default: half a window)"
    )
    parser.add_argument(
        "--threshold", type=_probability, metavar="P", help="probability a segment must reach (default: by validation)"
    )
    parser.add_argument(
        "--window-seconds",
        type=positive,
        metavar="SECONDS",
        help="length of a window, for models whose clips cover whole videos (default: as long as validation videos)",
    )
    parser.add_argument("--keep-still", action="store_true", help="look for segments where nothing moves, too")
    parser.add_argument(
        "--truth", type=Path, metavar="CSV", help="known segments, to compare with: file,start,end,label"
    )


COMMANDS = {
    "timeline": Command("find out what happens when in long videos", _timeline, _options, False),
}
