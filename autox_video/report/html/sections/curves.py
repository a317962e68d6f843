"""How the training went: losses, accuracies, learning rate, and what it waited for."""

from __future__ import annotations

from typing import Any

from autox_video.dataset.messages import plural
from autox_video.report.html.markup import Html, in_plot, join, paragraph, plot, tag
from autox_video.report.html.names import name_of
from autox_video.report.html.parts import Course, ReportedRun, Section, Text

ORDER = 30
TITLE = Text("How the training went", "训练过程")
EPOCH = Text("epoch", "轮次")
PLOTS: tuple[tuple[str, Text, tuple[str, ...], dict[str, Any]], ...] = (
    ("loss", Text("loss", "损失"), ("train_loss", "val_loss"), {}),
    (
        "figures",
        Text("accuracy", "准确率"),
        ("train_top1", "val_top1", "val_mean_average_precision"),
        {"tickformat": ".0%"},
    ),
    ("rate", Text("learning rate", "学习率"), ("learning_rate",), {"exponentformat": "power"}),
    ("wait", Text("time spent waiting for data", "等待数据的时间占比"), ("data_wait",), {"tickformat": ".0%"}),
)
SPLITS = {"train": Text("train", "训练"), "val": Text("val", "验证")}
# So many curves in one plot can be told apart.
MAX_COURSES = 8
# An axis as short as this would have halves of epochs.
FEW_EPOCHS = 5


def section(run: ReportedRun) -> Section | None:
    """The curves; None before the first epoch is done."""
    if not run.courses:
        return None
    courses = list(run.courses)[:MAX_COURSES]
    plots = [_plot(courses, *one) for one in PLOTS]
    return Section("curves", TITLE, join([_told(run), tag("div", *plots, class_="plots")]))


def _told(run: ReportedRun) -> Html:
    rows = [row for course in run.courses for row in course.rows]
    seconds = sum(row.get("seconds", 0.0) for row in rows)
    wait = sum(row.get("seconds", 0.0) * row.get("data_wait", 0.0) for row in rows) / max(seconds, 1e-9)
    rate = rows[-1].get("videos_per_second", 0.0)
    minutes = f"{seconds / 60:.1f}"
    return paragraph(
        Text(
            f"{plural(len(rows), 'epoch')} in {minutes} minutes, {rate:.3g} videos a second at the end; {wait:.0%} of"
            " the time was spent waiting for data.",
            f"共 {len(rows)} 轮，用时 {minutes} 分钟，最后每秒 {rate:.3g} 个视频；{wait:.0%} 的时间用于等待数据。",
        )
    )


def _plot(courses: list[Course], name: str, title: Text, columns: tuple[str, ...], axis: dict[str, Any]) -> Html:
    traces = []
    for number, course in enumerate(courses):
        for column in columns:
            points = [(row["epoch"], row[column]) for row in course.rows if column in row and "epoch" in row]
            if points:
                traces.append(_trace(course, column, points, number, len(courses) > 1))
    if not traces:
        return Html("")
    few = {"dtick": 1} if max(trace["x"][-1] for trace in traces) <= FEW_EPOCHS else {}
    layout = {
        "title": {"text": title, "font": {"size": 14}, "x": 0.02, "xanchor": "left"},
        "xaxis": {"title": {"text": EPOCH}, "rangemode": "tozero", **few},
        "yaxis": {"rangemode": "tozero", **axis},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "margin": {"t": 56},
        "showlegend": len(traces) > 1,
    }
    return plot(traces, layout, title, height=300)


def _trace(
    course: Course, column: str, points: list[tuple[float, float]], number: int, several: bool
) -> dict[str, Any]:
    split, _, figure = column.partition("_")
    known = SPLITS.get(split)
    name = Text(column, column)
    if known is not None:
        said = name_of(figure) if figure not in ("loss", "top1") else Text("", "")
        name = Text(f"{known.en} {said.en}".strip(), f"{known.zh} {said.zh}".strip())
    if several:
        name = Text(f"{in_plot(course.name)} {name.en}", f"{in_plot(course.name)} {name.zh}")
    colour = number if several else {"train": 0, "val": 1}.get(split, 0)
    dash = "dot" if several and split == "val" else "solid"
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(points) < 60 else "lines",
        "name": name,
        "x": [int(epoch) for epoch, _ in points],
        "y": [value for _, value in points],
        "line": {"color": f"c{colour % 8}", "width": 2, "dash": dash},
        "marker": {"size": 5},
    }
