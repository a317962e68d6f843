"""The page of `compare`: what is told of each run, and the videos that it says something else of, as films."""

from __future__ import annotations

from collections.abc import Sequence

from autox_video.report.bootstrap import Gain
from autox_video.report.comparison import ALIKE, BETTER, WORSE, ChangedVideo, ClassDifference, Comparison
from autox_video.report.html.films import Films
from autox_video.report.html.markup import Cell, Content, Html, join, paragraph, percent, table, tag
from autox_video.report.html.names import name_of
from autox_video.report.html.page import draw_films, filled
from autox_video.report.html.parts import Section, Text
from autox_video.report.html.video_figure import figure

# More strips than this no one looks through.
MAX_FILMS = 300
WINNERS = {
    "first": Text("only the first is right", "仅第一个正确"),
    "second": Text("only the second is right", "仅第二个正确"),
    "neither": Text("neither is right", "都不正确"),
}


def comparison_page(comparisons: Sequence[Comparison], films: Films) -> str:
    """The page as HTML; it needs no other file.

    Args:
        comparisons: Of runs with the first one.
        films: Draws the videos of the test.
    """
    sections = [
        Section(f"comparison-{number}", Text(*[f"{one.first} → {one.second}"] * 2), _body(one, films))
        for number, one in enumerate(comparisons, start=1)
    ]
    names = [comparisons[0].first, *(one.second for one in comparisons)]
    return filled(sections, draw_films(films), ", ".join(names), plots=False)


def _body(one: Comparison, films: Films) -> Html:
    known = one.verdict in (BETTER, WORSE)
    # A sentence that begins with the name of a run stays as it is.
    verdict = Text(f"{one.told if known else one.told.capitalize()}.", f"{_told_zh(one)}。")
    kind = "warning" if not known else "good" if one.verdict == BETTER else "bad"
    parts = [paragraph(verdict, kind=kind), _cards(one), _classes(one)]
    parts.append(tag("h3", Text("Videos that they say different things of", "两者判断不同的视频")))
    if not one.changed:
        return join([*parts, paragraph(Text("There are none.", "没有。"))])
    shown = one.changed[:MAX_FILMS]
    if len(shown) < len(one.changed):
        counts = len(shown), len(one.changed)
        told = Text(
            "The first {} of {} are shown; compare.json has all.".format(*counts),
            "共 {1} 个，此处显示前 {0} 个；全部见 compare.json。".format(*counts),
        )
        parts.append(paragraph(told, kind="note"))
    return join([*parts, _filters(), tag("div", *(_film(video, films) for video in shown), class_="films")])


def _cards(one: Comparison) -> Html:
    gain = one.gain
    ends = Text("no interval: every draw gives the same", "无区间：重复抽样的结果全都相同")
    if gain.low < gain.high:
        ends = Text(f"95 % interval {_span(gain, ' to ')}", f"95 % 置信区间 {_span(gain, ' 至 ')}")
    only = f"{one.only_first_right} : {one.only_second_right}"
    shares = f"{100 * one.first_right:.1f} → {100 * one.second_right:.1f}"
    recordings = f" of {gain.num_groups} recordings" if gain.num_groups < gain.num_videos else ""
    test_zh = f"精确符号翻转检验，{gain.num_groups} 次拍摄各为一个整体" if recordings else "McNemar 精确检验"
    cards: list[tuple[Content, Content, Content, Content]] = [
        (name_of(gain.figure), f"{100 * gain.value:+.1f}", ends, Text("in percentage points", "单位：百分点")),
        (
            Text("right, in percent", "正确（%）"),
            shares,
            "",
            Text(f"{gain.num_videos} videos{recordings}", _videos_zh(one)),
        ),
        (
            Text("only one of the two is right", "仅一方正确"),
            only,
            f"p = {one.p:.3g}",
            Text(f"how likely chance alone is as uneven: {one.test}", f"偶然造成如此不均的概率：{test_zh}"),
        ),
    ]
    return tag("div", *(_card(*card) for card in cards), class_="cards")


def _card(name: Content, value: Content, span: Content, meaning: Content) -> Html:
    parts = ((name, "name"), (value, "figure"), (span, "span"), (meaning, "meaning"))
    return tag("div", *(tag("div", content, class_=kind) for content, kind in parts), class_="card")


def _classes(one: Comparison) -> Html:
    head = [Text("class", "类别"), Text("videos", "视频"), Text("first", "第一个"), Text("second", "第二个")]
    head += [Text("difference", "差异"), Text("95 % interval", "95 % 置信区间")]
    rows: list[Sequence[Content]] = [
        (
            *(each.label, each.num_videos, percent(each.first), percent(each.second)),
            Cell(f"{100 * each.difference:+.1f}", each.difference),
            Text(_span(each, " to "), _span(each, " 至 ")),
        )
        for each in sorted(one.per_class, key=lambda each: each.difference)
    ]
    return table(head, rows)


def _filters() -> Html:
    every = tag("option", "", value="", data_en="all", data_zh="全部")
    options = [tag("option", "", value=key, data_en=said.en, data_zh=said.zh) for key, said in WINNERS.items()]
    winner = tag("label", Text("which", "哪些"), " ", tag("select", every, *options, name_="right"))
    search = tag("input", type="search", name_="file", data_placeholder_en="file name", data_placeholder_zh="文件名")
    return tag("div", winner, search, tag("span", class_="count", role="status"), class_="filters")


def _film(video: ChangedVideo, films: Films) -> Html:
    first, second, true = ("; ".join(names) for names in (video.first, video.second, video.true))
    nothing = Text("nothing", "无")
    return figure(
        films,
        "test",
        video.file,
        (video.start_seconds, video.end_seconds),
        tag("span", first or nothing, class_="good" if video.right == "first" else "bad"),
        " → ",
        tag("b", second or nothing, class_="good" if video.right == "second" else "bad"),
        tag("div", Text("is ", "实为 "), tag("b", true or nothing)),
        data_right=video.right,
        data_file=video.file,
    )


def _span(one: Gain | ClassDifference, between: str) -> str:
    return f"{100 * one.low:+.1f}{between}{100 * one.high:+.1f}"


def _videos_zh(one: Comparison) -> str:
    gain = one.gain
    return f"{gain.num_videos} 个视频" + (
        f"（来自 {gain.num_groups} 次拍摄）" if gain.num_groups < gain.num_videos else ""
    )


def _told_zh(one: Comparison) -> str:
    """`Comparison.told` in Chinese."""
    videos, differing = _videos_zh(one), one.only_first_right + one.only_second_right
    if one.verdict == ALIKE:
        return f"{videos}中没有一个只被其中一方判断正确：本次测试无法区分两者"
    if one.verdict in (BETTER, WORSE):
        return f"{one.second} {'更好' if one.verdict == BETTER else '更差'}，差别超出了选取这 {videos}的偶然性"
    where = f"（其中 {one.recordings_differing} 次拍摄有净差异）" if one.gain.num_groups < one.gain.num_videos else ""
    told = f"视频太少，无法判断：{videos}看不出哪个更好"
    if one.smallest_difference is None:
        return f"{told}；两者仅在 {differing} 个视频上不同{where}，说明不了什么（至少需要六比零）"
    return f"{told}；两者在 {differing} 个视频上不同{where}，能够显现的最小差异为 {one.smallest_difference:.3f}"
