"""The page of `audit-labels`: the suspicious videos as films, with those they are most alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.label_table import Suspect
from autox_video.report.html.films import Films
from autox_video.report.html.markup import Html, film, join, paragraph, tag
from autox_video.report.html.page import draw_films, filled
from autox_video.report.html.parts import Section, Text
from autox_video.report.html.video_figure import figure
from autox_video.report.label_audit import LOOKS_WRONG, Alike, LabelAudit
from autox_video.work_dir import WorkDir

# More is no page that somebody looks through; the table has them all.
MAX_SHOWN = 200
ALIKE_SHOWN = 4


def audit_page(audit: LabelAudit, work_dir: WorkDir) -> str:
    """The page as HTML; it needs no other file.

    Args:
        audit: What was found.
        work_dir: Of the run.
    """
    decoders: dict[str, str] = {}
    for split in audit.lists:
        for path in (work_dir.annotations(split), work_dir.list_of_run(split)):
            with suppress(OSError, ValueError):
                decoders |= {row.path: row.decoder for row in read_rows(path)}
    films = Films(audit.data_root, decoders)
    shown = list(zip(audit.suspects[:MAX_SHOWN], audit.alike, strict=False))
    # The suspects before what they are like: room and time may not do for all.
    for one, _ in shown:
        film(films, one.file, one.start_seconds, one.end_seconds)
    cards = [_card(one, alike, films, audit.classes) for one, alike in shown]
    title = Text("Labels that look wrong", "可疑的标签")
    body = join([*_introduction(audit, len(shown)), _filters(audit), tag("div", *cards, class_="suspects")])
    return filled([Section("labels", title, body)], draw_films(films), work_dir.root.absolute().name, plots=False)


def _introduction(audit: LabelAudit, num_shown: int) -> list[Html]:
    counts = (audit.num_videos, audit.num_look_wrong, LOOKS_WRONG, len(audit.suspects))
    lines = [
        paragraph(
            Text(
                "{} labels were judged by the other videos. {} look wrong (a score of at least {:g}); the {} most "
                "suspicious are in suspicious.csv, worst first.".format(*counts),
                "共检查 {} 个标签，依据是其他视频。其中 {} 个看起来有误（得分不低于 {:g}）；最可疑的 {} 个列在 "
                "suspicious.csv 中，最可疑者在前。".format(*counts),
            )
        ),
        paragraph(
            Text(
                "A hard video of the right class looks suspicious too: look before you change anything. In "
                "suspicious.csv, write the right class into new_label, or no into keep to leave a video out.",
                "类别正确但较难的视频也会显得可疑：请先看再改。在 suspicious.csv 的 new_label 列填写正确类别，"
                "或在 keep 列填 no 以去掉该视频。",
            ),
            kind="note",
        ),
    ]
    if num_shown < len(audit.suspects):
        lines.append(paragraph(Text(f"The first {num_shown} are shown.", f"此处显示前 {num_shown} 个。"), kind="note"))
    if audit.not_judged:
        names = ", ".join(audit.not_judged)
        lines.append(
            paragraph(
                Text(
                    f"Not judged, for all videos of the class are of one recording: {names}",
                    f"以下类别的视频全部来自同一次拍摄，无法判断：{names}",
                ),
                kind="warning",
            )
        )
    return lines


def _filters(audit: LabelAudit) -> Html:
    def choose(name: str, text: Text, values: Mapping[str, int | str]) -> Html:
        everything = tag("option", "", value="", data_en="all", data_zh="全部")
        options = [tag("option", shown, value=value) for shown, value in values.items()]
        return tag("label", text, " ", tag("select", everything, *options, name_=name))

    def ids(names: Iterable[str]) -> dict[str, int | str]:
        # Filters go by ids: names may hold anything.
        return {name: audit.classes.index(name) for name in sorted(set(names))}

    labels, suggested = ids(one.label for one in audit.suspects), ids(one.suggested_label for one in audit.suspects)
    search = tag("input", type="search", name_="file", data_placeholder_en="file name", data_placeholder_zh="文件名")
    return tag(
        "div",
        choose("label", Text("label", "标签"), labels),
        choose("suggested", Text("looks like", "看起来像"), suggested),
        choose("split", Text("split", "划分"), {split: split for split in audit.lists}),
        search,
        tag("span", class_="count"),
        class_="filters",
    )


def _card(one: Suspect, alike: Sequence[Alike], films: Films, classes: Sequence[str]) -> Html:
    said = Text(
        f"by the other videos {one.chances[0]:.2f}, its label {one.chances[1]:.2f}; of the {one.near[2]} most alike "
        f"{one.near[0]} are so labelled, {one.near[1]} as it is",
        f"依据其他视频：{one.chances[0]:.2f}，原标签 {one.chances[1]:.2f}；最相似的 {one.near[2]} 个中分别有 "
        f"{one.near[0]} 个和 {one.near[1]} 个",
    )
    own = figure(
        films,
        one.split,
        one.file,
        (one.start_seconds, one.end_seconds),
        tag("b", f"{one.rank}. "),
        tag("span", one.label, class_="bad"),
        " → ",
        tag("span", one.suggested_label, class_="good"),
        f" ({one.score:.2f})",
        tag("span", said, class_="file"),
    )
    others = [
        figure(
            films,
            near.split,
            near.file,
            (near.start_seconds, near.end_seconds),
            Text("alike: ", "相似："),
            tag("span", near.label, class_="bad" if near.label == one.label else "good"),
        )
        for near in alike[:ALIKE_SHOWN]
    ]
    ids = classes.index(one.label), classes.index(one.suggested_label)
    about = {"data_label": ids[0], "data_suggested": ids[1], "data_split": one.split}
    return tag("div", own, *others, class_="films beside", data_file=one.file, **about)
