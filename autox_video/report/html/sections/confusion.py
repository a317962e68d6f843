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
MARGIN_PX = 200
MAX_NUMBERED, MAX_NAME = 20, 24
MAX_PAIRS = 100
# Of more classes those with the most mistakes are drawn: a cell for each pair of a thousand is a page no browser opens.
MAX_DRAWN = 200


def section(run: ReportedRun) -> Section | None:
    """The matrix; None where there are no figures or a video has several labels."""
    results = run.results
    if not isinstance(results, Results) or results.metrics is None:
        return None
    counts = np.array(results.metrics.confusion_matrix)
    drawn = most_mistaken(counts)
    names = tuple(results.classes[index] for index in drawn)
    matrix, pairs = _matrix(counts[np.ix_(drawn, drawn)], names), tag("div", *_pairs(counts, results.classes))
    return Section("confusion", TITLE, join([_told(counts, len(drawn)), tag("div", matrix, pairs, class_="side")]))


def most_mistaken(counts: np.ndarray) -> list[int]:
    """The classes that are drawn, in their order: all, or of many those with the most mistakes in row and column."""
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    return sorted(int(index) for index in np.argsort(-wrong, kind="stable")[:MAX_DRAWN])


def _told(counts: np.ndarray, drawn: int) -> Html:
    wrong = int(counts.sum() - np.trace(counts))
    limit = Text(f" The {drawn} classes with the most mistakes are drawn.", f"仅显示错误最多的 {drawn} 个类别。")
    return paragraph(
        Text(
            f"A row is a true class, a column what its videos were taken for. {wrong} of {counts.sum()} videos lie off"
            " the diagonal. Drag to zoom, double-click to return; hover to see names and counts.",
            f"每行是真实类别，每列是被预测成的类别。{counts.sum()} 个视频中有 {wrong} 个不在对角线上。"
            "拖动可放大，双击还原，悬停可查看名称和数量。",
        ),
        limit if drawn < len(counts) else "",
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
    numbered = {"texttemplate": "%{text}"} if size <= MAX_NUMBERED else {}
    written = [[f"{100 * share:.0f} %" if share else "" for share in row] for row in shares]
    counted = [[str(count) if count else "" for count in row] for row in counts]
    traces = [
        {**base, "z": shares.round(4), "zmin": 0, "zmax": 1, "text": written, **numbered},
        {**base, "z": counts, "zmin": 0, "visible": False, "text": counted, **numbered},
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
