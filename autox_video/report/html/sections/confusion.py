"""Which classes are taken for which: the confusion matrix, and the pairs in it that stand out."""

from __future__ import annotations

import numpy as np

from autox_video.report.html.markup import Html, choices, in_plot, join, paragraph, percent, plot, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.results import Results

ORDER = 40
TITLE = Text("Which classes are confused", "哪些类别被混淆")
# Edge of a cell: between these, so that the matrix of a few classes is not huge and each of 150 keeps its name.
CELLS_PX, MATRIX_PX = (10, 44), 560
MARGIN_PX = 120
MAX_NUMBERED, MAX_NAME = 20, 24
MAX_PAIRS = 100


def section(run: ReportedRun) -> Section | None:
    """The matrix; None where there are no figures or a video has several labels."""
    results = run.results
    if not isinstance(results, Results) or results.metrics is None:
        return None
    counts = np.array(results.metrics.confusion_matrix)
    parts = [_told(counts), _matrix(counts, results.classes), *_pairs(counts, results.classes)]
    return Section("confusion", TITLE, join(parts))


def _told(counts: np.ndarray) -> Html:
    wrong = int(counts.sum() - np.trace(counts))
    return paragraph(
        Text(
            f"A row is a true class, a column what its videos were taken for. {wrong} of {counts.sum()} videos lie off"
            " the diagonal. Drag to zoom, double-click to return; hover to see names and counts.",
            f"每行是真实类别，每列是被预测成的类别。{counts.sum()} 个视频中有 {wrong} 个不在对角线上。"
            "拖动可放大，双击还原，悬停可查看名称和数量。",
        ),
        kind="note",
    )


def _matrix(counts: np.ndarray, classes: tuple[str, ...]) -> Html:
    size = len(classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [in_plot(name) for name in classes]
    edge = int(np.clip(MATRIX_PX / size, *CELLS_PX))
    side = edge * size
    told = "%{y} → %{x}: %{customdata[0]} (%{customdata[1]:.0%})"
    both = np.stack([counts, shares.round(4)], axis=2)
    base = {"type": "heatmap", "x": names, "y": names, "showscale": False, "xgap": 1, "ygap": 1, "customdata": both}
    base |= {"colorscale": [[0, "--card"], [0.001, "--tint"], [1, "--accent"]], "hovertemplate": told, "name": ""}
    numbered = size <= MAX_NUMBERED
    traces = [
        {**base, "z": shares.round(4), "zmin": 0, "zmax": 1, **({"texttemplate": "%{z:.0%}"} if numbered else {})},
        {**base, "z": counts, "zmin": 0, "visible": False, **({"texttemplate": "%{z}"} if numbered else {})},
    ]
    longest = max(len(_short(name)) for name in classes)
    font = max(8, min(12, edge))
    room = min(MARGIN_PX, 14 + round(0.62 * font * longest))
    ticks = {"tickmode": "array", "tickvals": names, "ticktext": [in_plot(_short(name)) for name in classes]}
    axis = {"type": "category", **ticks, "tickfont": {"size": font}, "showgrid": False, "automargin": False}
    layout = {
        "xaxis": {**axis, "side": "top", "tickangle": -90 if longest * font * 0.62 > edge else 0},
        "yaxis": {**axis, "autorange": "reversed"},
        "margin": {"l": room, "t": room, "r": 8, "b": 8},
        "autosize": False,
        "width": side + room + 8,
        "height": side + room + 8,
    }
    show = {
        Text("share of the true class", "占真实类别的比例"): {"visible": [True, False]},
        Text("counts", "数量"): {"visible": [False, True]},
    }
    orders = {Text("as listed", "按列表顺序"): list(range(size)), Text("worst first", "最差优先"): _by_accuracy(counts)}
    orders[Text("confused ones together", "易混淆的相邻")] = by_likeness(counts)
    sort = {text: {"layout": _ordered(names, order)} for text, order in orders.items()}
    figure = plot(traces, layout, Text("confusion matrix", "混淆矩阵"), height=side + room + 8)
    chosen = [choices("show", Text("show", "显示"), show)]
    if size > 2:
        chosen.append(choices("sort", Text("order", "排序"), sort))
    return tag("div", *chosen, tag("div", figure, class_="scrolled"), class_="choosing")


def _ordered(names: list[str], order: list[int]) -> dict[str, object]:
    array = {"categoryorder": "array", "categoryarray": [names[index] for index in order]}
    return {"xaxis": array, "yaxis": array}


def _by_accuracy(counts: np.ndarray) -> list[int]:
    total = counts.sum(axis=1)
    accuracy = np.where(total > 0, np.diag(counts) / np.maximum(total, 1), 2)
    return [int(index) for index in np.argsort(accuracy, kind="stable")]


def by_likeness(counts: np.ndarray) -> list[int]:
    """The classes so that those taken for each other stand together: by the Fiedler vector of what they share.

    Args:
        counts: The confusion matrix, shape (num_classes, num_classes).
    """
    shared = (counts + counts.T).astype(np.float64)
    np.fill_diagonal(shared, 0)
    # A trace of everything with everything: otherwise classes without mistakes would each be a graph of their own.
    shared += 1e-3
    _, vectors = np.linalg.eigh(np.diag(shared.sum(axis=1)) - shared)
    return [int(index) for index in np.argsort(vectors[:, min(1, len(counts) - 1)], kind="stable")]


def _pairs(counts: np.ndarray, classes: tuple[str, ...]) -> list[Html]:
    off = counts.copy()
    np.fill_diagonal(off, 0)
    total = np.maximum(counts.sum(axis=1), 1)
    order = np.argsort(-off, axis=None, kind="stable")[:MAX_PAIRS]
    found = [(int(true), int(other)) for true, other in zip(*np.unravel_index(order, off.shape), strict=True)]
    rows = [
        (classes[true], classes[other], int(off[true, other]), percent(float(off[true, other] / total[true])))
        for true, other in found
        if off[true, other]
    ]
    if not rows:
        return [paragraph(Text("No video was mistaken.", "没有任何视频被判断错误。"), kind="good")]
    head = (
        Text("true class", "真实类别"),
        Text("taken for", "被当作"),
        Text("videos", "视频数"),
        Text("of the class", "占该类别"),
    )
    return [tag("h3", Text("The most frequent mistakes", "最常见的错误")), table(head, rows, max_rows=8)]


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
