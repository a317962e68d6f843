"""Motion or background: what `test.probe` found of each class."""

from __future__ import annotations

from collections.abc import Callable

from autox_video.report.html.markup import Cell, Content, join, paragraph, percent, table
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.motion_probe import ProbedClass

ORDER = 60
TITLE = Text("Motion or background", "运动还是背景")
# The sentences of the results, in Chinese: they are given the accuracies as is, still, shuffled and reversed.
IN_CHINESE: dict[str, Callable[..., str]] = {
    "direction": lambda a, s, m, r: f"需要时间的方向：原样 {a}，倒放 {r}，一帧静止画面 {s}",
    "motion": lambda a, s, m, r: f"需要运动：原样 {a}，一帧静止画面 {s}，打乱 {m}，倒放 {r}",
    "still": lambda a, s, m, r: f"一帧静止画面就能识别：{s}，原样 {a}",
    "default": lambda a, s, m, r: f"无论静止画面是什么，模型都倾向于判为该类（{s}），这不算识别",
    "missed": lambda a, s, m, r: f"原样就没有识别出来（{a}），谈不上失去什么",
    "unknown": lambda a, s, m, r: f"视频太少，无法判断：原样 {a}，一帧静止画面 {s}，倒放 {r}",
}


def section(run: ReportedRun) -> Section | None:
    """A row a class; None without `test.probe`."""
    probe = run.results.probe if run.results else None
    if probe is None:
        return None
    note = Text(
        "The test once more with other frames: still (the middle frame, repeated), shuffled (one random order of each "
        "video) and reversed. What is lost against the videos as they are stands with its 95 % interval.",
        "用另外的帧重测：静止（中间一帧重复）、打乱（每个视频一种随机顺序）和倒放。与原样相比的损失附有 95 % 区间。",
    )
    names = (Text("still", "静止"), Text("shuffled", "打乱"), Text("reversed", "倒放"))
    lost = (Text(f"lost {name.en}", f"{name.zh}的损失") for name in names)
    head = (Text("class", "类别"), Text("videos", "视频数"), Text("as it is", "原样"), *names, *lost)
    shares = ", ".join(f"{order.replace('_', ' ')} {100 * value:.1f} %" for order, value in probe.accuracy.items())
    rows: list[list[Content]] = [[one.label, one.num_videos, *_cells(one)] for one in probe.classes]
    told: list[list[Content]] = [[one.label, _told(one)] for one in probe.classes]
    sentences = table((Text("class", "类别"), Text("it ...", "结论")), told)
    right = Text(f"Right: {shares}.", f"正确率：{shares}。")
    return Section(
        "motion", TITLE, join([paragraph(note, kind="note"), paragraph(right), sentences, table(head, rows)])
    )


def _cells(one: ProbedClass) -> list[Cell]:
    lost = [way for way in one.ways if way.loss is not None]
    spans = [Cell(f"{way.loss:.2f} ({way.low:.2f} … {way.high:.2f})", way.loss) for way in lost]
    return [*(percent(way.accuracy) for way in one.ways), *spans] or [Cell("–", None)] * 7


def _told(one: ProbedClass) -> Text:
    if not one.ways:
        return Text(one.told, "没有带标签的测试视频")
    return Text(one.told, IN_CHINESE[one.needs](*(f"{way.accuracy:.2f}" for way in one.ways)))
