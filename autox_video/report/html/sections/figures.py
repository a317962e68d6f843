"""The headline: the figures of the test, each with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence

from autox_video.report.bootstrap import RESAMPLES
from autox_video.report.common import numbers
from autox_video.report.html.markup import Cell, Content, Html, join, paragraph, percent, table, tag
from autox_video.report.html.names import FIGURES, LOSS, name_of, shown
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.intervals import recordings_of
from autox_video.report.outcome import AnyResults

ORDER = 10
NO_INTERVAL = Text("no interval: every draw of these videos gives the same", "无区间：重复抽样的结果全都相同")
TITLE = Text("How good it is", "效果如何")


def section(run: ReportedRun) -> Section | None:
    """The figures; None before the test."""
    results = run.results
    if results is None:
        return None
    if results.metrics is None:
        why = Text("There are no figures for this test: ", "本次测试没有评估指标：")
        more = Text(" What the model says of each video stands below.", " 模型对每个视频的判断见下文。")
        return Section("figures", TITLE, join([_counts(results), paragraph(why, results.metrics_note, ".", more)]))
    left_out = {"top5"} if len(results.classes) <= 5 else set()
    figures = {name: value for name, value in numbers(results.metrics).items() if name not in left_out}
    cards = tag("div", *(_card(name, value, run) for name, value in figures.items()), class_="cards")
    parts = [_counts(results), cards, _how_sure(run, results), *_other_figures(results), *_folds(results)]
    return Section("figures", TITLE, join([*parts, *_ensemble(results)]))


def _card(name: str, value: float, run: ReportedRun) -> Html:
    span = run.intervals.get(name)
    meaning = FIGURES[name][1] if name in FIGURES else ""
    parts = [tag("div", name_of(name), class_="name"), tag("div", shown(name, value), class_="figure")]
    if span is None:
        parts.append(tag("div", NO_INTERVAL, class_="span"))
    else:
        if name != LOSS:
            width = f"left:{100 * span.low:.2f}%;width:{100 * (span.high - span.low):.2f}%"
            mark = tag("b", style=f"left:{100 * value:.2f}%")
            parts.append(tag("div", tag("i", style=width), mark, class_="bar", aria_hidden="true"))
        ends = f"{shown(name, span.low).removesuffix(' %')} – {shown(name, span.high)}"
        title = Text("95 % interval", "95 % 置信区间")
        parts.append(tag("div", title, " ", tag("span", ends, class_="ends"), class_="span"))
    return tag("div", *parts, tag("div", meaning, class_="meaning"), class_="card")


def _counts(results: AnyResults) -> Html:
    counts = results.counts
    said = Text(
        f"{counts.scored} of {counts.videos} test videos scored, {len(results.classes)} classes, model ",
        f"共 {counts.videos} 个测试视频，已评分 {counts.scored} 个，{len(results.classes)} 个类别，模型 ",
    )
    epoch = results.checkpoint and Text(
        f", checkpoint of epoch {results.checkpoint.epoch}", f"，第 {results.checkpoint.epoch} 轮的检查点"
    )
    views = results.views
    many = views is not None and views.num_clips * views.num_crops > 1
    seen = views and Text(
        f", {views.num_clips} x {views.num_crops} views a video",
        f"，每个视频 {views.num_clips} x {views.num_crops} 个视图",
    )
    return paragraph(said, tag("code", results.model), epoch or "", seen if many and seen else "", Text(".", "。"))


def _how_sure(run: ReportedRun, results: AnyResults) -> Html:
    tested = [video.file for video in results.videos if video.correct is not None]
    recordings = len(set(recordings_of(tested, run.groups)))
    if recordings == 1:
        one = (
            "All videos are of one recording, which says nothing of others: the intervals are those of a single trial."
        )
        return paragraph(Text(one, "所有视频来自同一次拍摄，无法据此推断其他拍摄：区间按一次试验计算。"), kind="note")
    of = (f" of {recordings} recordings", f"（来自 {recordings} 次拍摄）") if recordings < len(tested) else ("", "")
    ranked = run.intervals.get("mean_average_precision")
    fewer = (f" ({ranked.draws} times for mAP)", f"（mAP 为 {ranked.draws} 次）") if ranked else ("", "")
    drawn = (
        f"{len(tested)} videos{of[0]} were drawn anew {RESAMPLES} times{fewer[0]}, videos of one recording together."
    )
    drawn_zh = f"对 {len(tested)} 个视频{of[1]}重复抽样 {RESAMPLES} 次{fewer[1]}，同一次拍摄的视频一起抽取。"
    if not all(span.draws for span in run.intervals.values()):
        drawn += " Where every draw gives the same share, its interval is Wilson's."
        drawn_zh += "若每次抽样的比例都相同，则采用 Wilson 区间。"
    told = Text(
        f"The intervals are where the figures would lie for other videos of the same kind: {drawn}",
        f"置信区间表示换一批同类视频时指标可能的取值范围：{drawn_zh}",
    )
    return paragraph(told, kind="note")


def _other_figures(results: AnyResults) -> list[Html]:
    """The same figures of other videos or views, as a table."""
    assert results.metrics is not None
    rows = [(Text("all videos", "全部视频"), numbers(results.metrics))]
    if results.metrics_without_leaks is not None:
        rows.append((Text("new videos only", "仅新视频"), numbers(results.metrics_without_leaks)))
    if results.metrics_single_view is not None:
        rows.append((Text("one view of each video", "每个视频单个视图"), results.metrics_single_view))
    notes = [paragraph(note, kind="note") for note in (results.metrics_note, results.leaks_note) if note]
    return [*notes, *([_figure_table(rows)] if len(rows) > 1 else [])]


def _figure_table(rows: list[tuple[Text, dict[str, float]]]) -> Html:
    names = list(dict.fromkeys(name for _, figures in rows for name in figures))
    body: list[Sequence[Content]] = [
        [said, *(_value(name, figures.get(name)) for name in names)] for said, figures in rows
    ]
    return table(["", *map(name_of, names)], body)


def _value(name: str, value: float | None) -> Cell:
    return Cell(None if value is None else f"{value:.3f}", value) if name == LOSS else percent(value)


def _folds(results: AnyResults) -> list[Html]:
    if results.folds is None:
        return []
    rows = [(Text(f"fold {one.fold}", f"第 {one.fold} 折"), one.metrics or {}) for one in results.folds.each]
    if results.folds.mean:
        rows.append((Text("mean of the folds", "各折平均"), results.folds.mean))
    if results.folds.std:
        rows.append((Text("standard deviation", "标准差"), results.folds.std))
    head = Text("Each fold was tested by the model that did not learn it", "每一折都由未学习过它的模型测试")
    return [tag("h3", head), _figure_table(rows)]


def _ensemble(results: AnyResults) -> list[Html]:
    ensemble = results.ensemble
    if ensemble is None:
        return []
    names = list(dict.fromkeys(name for member in ensemble.members for name in member.metrics or {}))
    rows: list[Sequence[Content]] = [
        [one.run, one.model, one.weight, *(_value(name, (one.metrics or {}).get(name)) for name in names)]
        for one in ensemble.members
    ]
    head = [Text("member", "成员"), Text("model", "模型"), Text("weight", "权重"), *map(name_of, names)]
    parts = [tag("h3", Text("The models that were joined", "集成的模型")), table(head, rows)]
    parts.append(paragraph(Text("Weights: ", "权重："), ensemble.weights, kind="note"))
    if gain := ensemble.gain:
        span = f"{100 * gain.value:+.1f} ({100 * gain.low:+.1f} – {100 * gain.high:+.1f})"
        told = Text(f": {span} percentage points over the best member: ", f"：较最佳成员提高 {span} 个百分点：")
        parts.append(paragraph(name_of(gain.figure), told, gain.told))
    return parts
