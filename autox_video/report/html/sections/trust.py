"""What confidences are worth: the calibration plot, accuracy over coverage, and what to rely on of each class."""

from __future__ import annotations

from autox_video.report.calibration import CalibrationResult, Coverage, Reliability
from autox_video.report.html.markup import Html, in_english, join, paragraph, percent, plot, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text

ORDER = 70
TITLE = Text("How far to trust it", "置信度可信吗")


def section(run: ReportedRun) -> Section | None:
    """Both plots and the tables; None before the test, of older results, and without labelled videos."""
    known = run.results.calibration if run.results else None
    if known is None or known.before is None or known.after is None:
        return None
    told = join([_told(known, known.before, known.after), in_english("温度和界限的依据")])
    parts = [told, tag("div", _reliability(known), _coverage(known), class_="side")]
    return Section("trust", TITLE, join([*parts, _coverage_table(known), _classes(known)]))


def _told(known: CalibrationResult, before: Reliability, after: Reliability) -> Html:
    told = [
        paragraph(
            Text(
                f"On average a confidence is {after.ece:.3f} away from how often it comes true (calibration error). "
                f"Of so many videos perfect ones would be {after.ece_by_chance:.3f} away by chance. The scores as the "
                f"model gives them are {before.ece:.3f} away.",
                f"平均而言，置信度与其实现的频率相差 {after.ece:.3f}（校准误差）；以这样的视频数，完全准确的置信度也会"
                f"偶然相差 {after.ece_by_chance:.3f}。模型直接给出的得分相差 {before.ece:.3f}。",
            )
        ),
        paragraph(Text("Temperature: ", "温度："), _number(known.temperature), " (", known.note, ")", kind="note"),
    ]
    if known.certain_from is not None:
        told.append(
            paragraph(
                Text(
                    f"Videos with a confidence below {known.certain_from:.3f} are marked uncertain: ",
                    f"置信度低于 {known.certain_from:.3f} 的视频标为不确定：",
                ),
                known.certain_note,
                kind="note",
            )
        )
    elif known.certain_note is not None:
        told.append(
            paragraph(Text("No single level is certain: ", "没有统一的可信界限："), known.certain_note, kind="note")
        )
    return join(told)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _reliability(known: CalibrationResult) -> Html:
    traces: list[dict[str, object]] = [
        {
            **{"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip"},
            "name": Text("as it should be", "理想情况"),
            "line": {"color": "--faint", "dash": "dot"},
        }
    ]
    named = (
        (known.before, Text("scores", "原始得分"), "--note"),
        (known.after, Text("confidences", "置信度"), "--accent"),
    )
    for some, name, colour in named:
        assert some is not None, "the caller looks"
        bins = [one for one in some.bins if one.count]
        traces.append(
            {
                **{"type": "scatter", "mode": "lines+markers", "name": name, "line": {"color": colour}},
                "x": [one.confidence for one in bins],
                "y": [one.accuracy for one in bins],
                "text": [str(one.count) for one in bins],
                "hovertemplate": "%{x:.3f} → %{y:.3f} (n = %{text})<extra></extra>",
            }
        )
    layout = {
        "xaxis": {"title": {"text": Text("confidence", "置信度")}, "range": [0, 1.02]},
        "yaxis": {"title": {"text": Text("how often it came true", "实现的频率")}, "range": [0, 1.02]},
    }
    return plot(traces, layout, Text("Confidence against how often it came true", "置信度与实现频率"))


def _coverage(known: CalibrationResult) -> Html:
    rows = known.coverage
    trace = {
        **{"type": "scatter", "mode": "lines+markers", "line": {"color": "--accent"}, "showlegend": False},
        "x": [row.coverage for row in rows],
        "y": [row.accuracy for row in rows],
        "error_y": {
            **{"type": "data", "symmetric": False, "thickness": 1},
            "array": [(row.high or 0) - (row.accuracy or 0) for row in rows],
            "arrayminus": [(row.accuracy or 0) - (row.low or 0) for row in rows],
        },
    }
    layout = {
        "xaxis": {
            "title": {"text": Text("share of the videos, the most confident first", "视频比例（置信度从高到低）")}
        },
        "yaxis": {"title": {"text": Text("right", "正确率")}, "range": [0, 1.02]},
    }
    return plot([trace], layout, Text("Accuracy over coverage", "正确率与覆盖率"))


def _coverage_table(known: CalibrationResult) -> Html:
    head = (
        Text("videos", "视频数"),
        Text("share", "比例"),
        Text("confidence from", "置信度不低于"),
        Text("right", "正确率"),
        Text("95 % interval", "95 % 区间"),
    )
    rows = [_row("", one) for one in known.coverage]
    if known.certain is not None:
        rows.insert(0, _row(Text(" not uncertain", "（未标为不确定）"), known.certain))
    return table(head, rows)


def _row(what: Text | str, one: Coverage) -> tuple[Html, ...]:
    return (
        join([one.num_videos, what]),
        percent(one.coverage),
        join([None if one.confidence_from is None else f"{one.confidence_from:.3f}"]),
        percent(one.accuracy),
        _span(one),
    )


def _span(one: Coverage | None) -> Html:
    if one is None or one.low is None or one.high is None:
        return join([None])
    return join([f"{100 * one.low:.1f} – {100 * one.high:.1f} %"])


def _classes(known: CalibrationResult) -> Html:
    if not known.per_class:
        return join([])
    head = (
        Text("taken for", "预测为"),
        Text("validation videos", "验证视频数"),
        Text("certain from", "可信的置信度"),
        Text("test videos that reach it", "达到的测试视频"),
        Text("right", "正确率"),
        Text("95 % interval", "95 % 区间"),
    )
    rows = [
        (
            one.label,
            one.num_val_predicted,
            None if one.certain_from is None else f"{one.certain_from:.3f}",
            one.certain.num_videos if one.certain else None,
            percent(one.certain.accuracy if one.certain else None),
            _span(one.certain),
        )
        for one in known.per_class
    ]
    note = Text(
        "From which confidence on a class can be relied on; a dash where fewer than 20 validation videos were "
        "taken for it, or none is enough.",
        "每个类别从多高的置信度起可信；被预测为该类的验证视频少于 20 个，或都不够时为短线。",
    )
    return join([paragraph(note, kind="note"), table(head, rows)])
