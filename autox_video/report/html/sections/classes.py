"""Class by class: how many videos, how many were recognised, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autox_video.report.html.markup import Cell, Content, Html, percent, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.intervals import wilson
from autox_video.report.multi_label import MultiLabelMetrics
from autox_video.report.results import Metrics

ORDER = 50
TITLE = Text("Class by class", "各类别")
CLASS = Text("class", "类别")
LEARNED = Text("training videos", "训练视频")
TESTED = Text("test videos", "测试视频")
PRECISION = Text("precision", "精确率")


def section(run: ReportedRun) -> Section | None:
    """The table; None without figures."""
    metrics = run.results.metrics if run.results else None
    if metrics is None:
        return None
    splits = run.fingerprint.splits if run.fingerprint else {}
    learned = splits["train"].class_counts if "train" in splits else {}
    if isinstance(metrics, Metrics):
        return Section("classes", TITLE, _of_classes(metrics, learned))
    return Section("classes", Text("Label by label", "各标签"), _of_labels(metrics, learned))


def _of_classes(metrics: Metrics, learned: dict[str, int]) -> Html:
    off = np.array(metrics.confusion_matrix)
    np.fill_diagonal(off, 0)
    rows: list[Sequence[Content]] = []
    for number, one in enumerate(metrics.per_class):
        other = int(off[number].argmax()) if off[number].any() else None
        taken = Cell("–", "") if other is None else f"{metrics.per_class[other].label} ({off[number, other]})"
        figures = (percent(one.precision), percent(_f1(one.accuracy, one.precision)), taken)
        row = (one.label, learned.get(one.label), one.num_videos, _share(one.accuracy, one.num_videos), *figures)
        rows.append(row)
    recognised, taken_for = (
        Text("recognised (95 % interval)", "识别率（95 % 置信区间）"),
        Text("most often taken for", "最常被当作"),
    )
    return table([CLASS, LEARNED, TESTED, recognised, PRECISION, "F1", taken_for], rows, max_rows=30)


def _of_labels(metrics: MultiLabelMetrics, learned: dict[str, int]) -> Html:
    rows: list[Sequence[Content]] = []
    for one in metrics.per_label:
        figures = (_share(one.recall, one.num_videos), percent(one.precision), percent(one.f1), one.threshold)
        rows.append((one.label, learned.get(one.label), one.num_videos, percent(one.average_precision), *figures))
    found, ranked = Text("found (95 % interval)", "召回率（95 % 置信区间）"), Text("average precision", "平均精度 (AP)")
    head: list[Content] = [
        Text("label", "标签"),
        LEARNED,
        TESTED,
        ranked,
        found,
        PRECISION,
        "F1",
        Text("threshold", "阈值"),
    ]
    return table(head, rows, max_rows=30)


def _share(share: float | None, videos: int) -> Cell:
    """A share of so many videos, with a bar and where it would lie for more of them."""
    if share is None:
        return Cell("–", None)
    span = wilson(round(share * videos), videos)
    interval = tag("i", style=f"left:{100 * span.low:.1f}%;width:{100 * (span.high - span.low):.1f}%")
    bar = tag("span", interval, tag("b", style=f"left:{100 * share:.1f}%"), class_="bar small", aria_hidden="true")
    ends = tag("small", f"{100 * span.low:.0f} – {100 * span.high:.0f}")
    return Cell(tag("span", bar, tag("span", f"{100 * share:.1f} %"), ends, class_="share"), share)


def _f1(recall: float | None, precision: float | None) -> float | None:
    if recall is None:
        return None
    return 2 * recall * precision / (recall + precision) if recall and precision else 0.0
