"""The data: its splits, videos that stand in two of them, and those that were left out."""

from __future__ import annotations

from autox_video.dataset.facts import Fingerprint
from autox_video.report.html.markup import Cell, Html, in_english, join, paragraph, percent, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text

ORDER = 100
TITLE = Text("The data: leaks and quarantine", "数据：泄漏与隔离")
# Of more rows the file in the work dir has them all.
MAX_ROWS = 500


def section(run: ReportedRun) -> Section | None:
    """What is known of the data; None before it was looked at."""
    facts = run.fingerprint
    if facts is None:
        return None
    parts = [_splits(facts), in_english("备注和原因"), *_notes(facts), *_leaks(run, facts), *_left_out(run, facts)]
    return Section("data", TITLE, join(parts))


def _splits(facts: Fingerprint) -> Html:
    rows = []
    for name, split in facts.splits.items():
        size = f"{split.long_side_px.p50:.0f} x {split.short_side_px.p50:.0f}"
        length = Cell(f"{split.duration_seconds.p50:.1f} s", split.duration_seconds.p50)
        rows.append((name, split.num_videos, split.num_bad, split.source, length, split.fps.p50, size))
    head = (Text("split", "划分"), Text("videos", "视频数"), Text("left out", "排除"), Text("from", "来源"))
    more = (Text("length (median)", "时长（中位数）"), Text("frames a second", "帧率"), Text("size", "尺寸"))
    return table((*head, *more), rows)


def _notes(facts: Fingerprint) -> list[Html]:
    return [tag("ul", *(tag("li", note) for note in facts.notes), class_="notes")] if facts.notes else []


def _leaks(run: ReportedRun, facts: Fingerprint) -> list[Html]:
    head = tag("h3", Text("Videos in two splits", "同时出现在两个划分中的视频"))
    if not facts.leaks:
        return [head, paragraph(Text("None was found.", "未发现。"), kind="good")]
    shown = facts.leaks[:MAX_ROWS]
    rows = [(leak.path, leak.split, leak.kind, leak.other_path, leak.other_split) for leak in shown]
    names = (
        Text("video", "视频"),
        Text("in", "属于"),
        Text("why", "原因"),
        Text("is in the other as", "另一处"),
        Text("of", "属于"),
    )
    told = [paragraph(Text("They make figures too good.", "它们会使指标偏高。"), kind="warning")]
    if len(shown) < len(facts.leaks):
        text = Text(
            f"The first {len(shown)} of {len(facts.leaks)}; all: ",
            f"前 {len(shown)} 个，共 {len(facts.leaks)} 个；全部见：",
        )
        told.append(paragraph(text, tag("code", str(run.work_dir.leaks)), kind="note"))
    return [head, *told, table(names, rows)]


def _left_out(run: ReportedRun, facts: Fingerprint) -> list[Html]:
    """Videos that were left out before the run, and those that failed in the test."""
    found = {(video.split, video.path): video.reason for video in facts.bad_videos}
    for video in run.results.videos if run.results else ():
        if video.error:
            found.setdefault(("test", video.file), video.error)
    head = tag("h3", Text("Left out, or unreadable", "被隔离或无法读取"))
    if not found:
        return [head, paragraph(Text("None: every video could be read.", "没有：所有视频都可读取。"), kind="good")]
    total = sum(split.num_videos + split.num_bad for split in facts.splits.values())
    share = percent(len(found) / max(total, 1))
    told = paragraph(Text(f"{len(found)} videos, {share} of all.", f"{len(found)} 个视频，占全部的 {share}。"))
    rows = [(path, split, reason) for (split, path), reason in list(found.items())[:MAX_ROWS]]
    return [head, told, table((Text("video", "视频"), Text("split", "划分"), Text("why", "原因")), rows)]
