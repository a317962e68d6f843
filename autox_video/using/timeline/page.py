"""The page of a timeline: a strip of the video with its segments, and a film of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from autox_video.report.html.films import Films
from autox_video.report.html.markup import Content, Html, film, join, paragraph, percent, table, tag
from autox_video.report.html.page import draw_films, filled
from autox_video.report.html.parts import Section, Text
from autox_video.using.predict.inputs import path_in
from autox_video.using.timeline.record import Timeline
from autox_video.using.timeline.segments import Interval, Segment

# Films above the strip, side by side.
NUM_OVERVIEW: Final = 12
# Of more segments the first have films: a page is not to have gigabytes.
MAX_FILMS: Final = 300
# Distances between marks of the axis, in seconds.
STEPS: Final = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000, 86400)
MAX_MARKS: Final = 12


def page_of(row: Timeline, file: Path, known: Sequence[Segment] | None) -> str:
    """The page of a video.

    Args:
        row: What was found.
        file: Where the video lies now; of a URL what was downloaded.
        known: Segments that are known; None where none are.
    """
    films = Films()
    sections = [_strip(row, file, known, films), _segments(row, file, films), _how(row)]
    return filled(sections, draw_films(films), Path(path_in(row.file)).name or row.file, plots=False)


def clock(seconds: float) -> str:
    """A time as `1:02:03.4`; hours only where there are any."""
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    shown = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}:{minutes:02d}:{shown}" if hours else f"{minutes}:{shown}"


def _strip(row: Timeline, file: Path, known: Sequence[Segment] | None, films: Films) -> Section:
    length = row.duration_seconds
    bounds = [length * place / NUM_OVERVIEW for place in range(NUM_OVERVIEW + 1)]
    pictures = [film(films, str(file), start, end, label=clock(start)) for start, end in pairwise(bounds)]
    lines: list[Content] = [tag("span"), tag("div", *pictures, class_="strip")]
    lines += [tag("span"), tag("div", *_marks(length), class_="lane axis")]
    for label in sorted({segment.label for segment in (*row.segments, *(known or ()))}):
        bars = [_bar(number, one, length) for number, one in enumerate(row.segments, start=1) if one.label == label]
        lines += [tag("span", label), tag("div", *bars, class_="lane")]
        if known is not None:
            pieces = [(one.start_seconds, one.end_seconds) for one in known if one.label == label]
            lines += [tag("span", Text("known", "已知"), class_="note"), _thin(pieces, length)]
    if row.still:
        lines += [tag("span", Text("nothing moves", "画面静止"), class_="note"), _thin(row.still, length)]
    parts: list[Content] = [tag("div", *lines, class_="timeline")]
    if not row.segments:
        parts.append(paragraph(Text("No segment was found.", "没有找到任何片段。"), kind="warning"))
    if row.metrics is not None:
        figures = [(f"F1@{name}", value) for name, value in row.metrics.f1.items()]
        told = join([*(f"{name} {value:.3f}" for name, value in figures)], " · ")
        right = f"{row.metrics.frame_accuracy:.1%}"
        parts.append(paragraph(told, " · ", Text(f"frames right: {right}", f"正确的帧：{right}")))
    return Section("strip", Text("Timeline", "时间轴"), join(parts))


def _marks(length: float) -> Iterator[Html]:
    step = next((step for step in STEPS if length / step <= MAX_MARKS), length)
    for place in range(int(length / step) + 1):
        # At the very end there is no room for letters.
        if place * step < 0.97 * length:
            yield tag("span", clock(place * step), style=f"left:{100 * place * step / length:.3f}%")


def _bar(number: int, segment: Segment, length: float) -> Html:
    where = _where((segment.start_seconds, segment.end_seconds), length)
    told = f"{segment.label}, {clock(segment.start_seconds)} – {clock(segment.end_seconds)}, {segment.confidence:.0%}"
    # What has no film has no place on the page to go to.
    link = f"#segment-{number}" if number <= MAX_FILMS else None
    return tag("a", href=link, style=where, title=told, aria_label=told)


def _thin(pieces: Sequence[Interval], length: float) -> Html:
    return tag("div", *(tag("i", style=_where(piece, length)) for piece in pieces), class_="lane thin")


def _where(piece: Interval, length: float) -> str:
    start, end = (min(time, length) for time in piece)
    return f"left:{100 * start / length:.3f}%;width:{100 * (end - start) / length:.3f}%"


def _segments(row: Timeline, file: Path, films: Films) -> Section:
    figures = []
    for number, one in enumerate(row.segments[:MAX_FILMS], start=1):
        times = f"{clock(one.start_seconds)} – {clock(one.end_seconds)}"
        shown = film(films, str(file), one.start_seconds, one.end_seconds, label=f"{one.label}, {times}")
        told = tag("figcaption", tag("b", one.label), f" {one.confidence:.0%}", tag("span", times, class_="file"))
        figures.append(tag("figure", shown, told, id=f"segment-{number}"))
    head = (
        Text("label", "类别"),
        Text("start (s)", "开始（秒）"),
        Text("end (s)", "结束（秒）"),
        Text("confidence", "置信度"),
    )
    rows = [
        (one.label, f"{one.start_seconds:.3f}", f"{one.end_seconds:.3f}", percent(one.confidence))
        for one in row.segments
    ]
    heading = Text(f"Segments ({len(row.segments)})", f"片段（{len(row.segments)}）")
    return Section("segments", heading, join([tag("div", *figures, class_="films"), table(head, rows)]))


def _how(row: Timeline) -> Section:
    low, high = min(row.settings.enter), max(row.settings.enter)
    level = f"{low:.2f}" if low == high else f"{low:.2f} – {high:.2f}"
    facts: list[tuple[Content, Content]] = [
        (Text("video", "视频"), row.file),
        (Text("length", "时长"), f"{row.duration_seconds:.3f} s, {row.num_frames}"),
        (Text("model", "模型"), f"{row.model.name}, {row.model.path}"),
        (Text("windows", "窗口"), f"{row.num_windows} × {row.window_seconds:.2f} s, + {row.stride_seconds:.2f} s"),
        (Text("probability that a segment must reach", "片段须达到的概率"), f"{level}: {row.settings.source}"),
        (Text("background classes", "背景类别"), ", ".join(row.settings.background) or None),
    ]
    return Section("how", Text("How it was made", "如何得到"), table((Text("", ""), Text("", "")), facts))
