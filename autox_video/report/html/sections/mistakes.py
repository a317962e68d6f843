"""The mistakes as playing filmstrips, the surest first; of a test without labels, what the model says."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from pathlib import PurePath

from autox_video.report.common import Label
from autox_video.report.html.markup import Html, film, join, paragraph, tag
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.multi_label import MultiLabelVideo
from autox_video.report.results import VideoResult

ORDER = 80
# More strips than this no one looks through, and no browser likes.
MAX_FILMS = 300
# Where there are hardly any mistakes, what was nearly one is shown too.
FEW, NEARLY = 12, 24
UNLABELLED = 120

Video = VideoResult | MultiLabelVideo


def section(run: ReportedRun) -> Section | None:
    """The films; None before the test, or where no video could be read."""
    if run.results is None:
        return None
    scored = [video for video in run.results.videos if video.scores is not None]
    judged = [video for video in scored if video.correct is not None]
    if not scored:
        return None
    if not judged:
        return _predictions(run, scored)
    wrong = sorted((video for video in judged if not video.correct), key=_wrongness, reverse=True)
    parts = [_told(wrong, judged), _filters(wrong[:MAX_FILMS]), _films(run, wrong[:MAX_FILMS])] if wrong else []
    if not wrong:
        parts = [
            paragraph(
                Text("There are none: every video was recognised.", "没有错误：所有视频都识别正确。"), kind="good"
            )
        ]
    if len(wrong) < FEW:
        right = sorted((video for video in judged if video.correct), key=_sureness)[:NEARLY]
        head = Text("Right, but the least sure", "正确，但把握最小")
        parts += [tag("h3", head), _films(run, right)] if right else []
    return Section("mistakes", Text("The mistakes", "错误判断"), join(parts))


def _predictions(run: ReportedRun, scored: Sequence[Video]) -> Section:
    shown = sorted(scored, key=_sureness)[:UNLABELLED]
    told = Text(
        f"The videos have no labels. The {len(shown)} of {len(scored)} that the model is least sure of:",
        f"视频没有标签。以下是 {len(scored)} 个视频中模型最没有把握的 {len(shown)} 个：",
    )
    parts = [paragraph(told), _filters(shown), _films(run, shown)]
    return Section("predictions", Text("What the model says", "模型的判断"), join(parts))


def _told(wrong: Sequence[Video], judged: Sequence[Video]) -> Html:
    shown = min(len(wrong), MAX_FILMS)
    limit = (f" The {shown} worst are shown.", f"仅显示最严重的 {shown} 个。") if shown < len(wrong) else ("", "")
    return paragraph(
        Text(
            f"{len(wrong)} of {len(judged)} videos, those first where the model was surest of what is wrong.{limit[0]}",
            f"{len(judged)} 个视频中有 {len(wrong)} 个判断错误，模型越确信的错误越靠前。{limit[1]}",
        )
    )


def _filters(videos: Sequence[Video]) -> Html:
    every = Text("all", "全部")
    true, predicted = ({label for video in videos for label in of(video)} for of in (true_labels, predicted_labels))
    parts = [_select("true", Text("truth", "真实"), every, true)] if true else []
    parts.append(_select("predicted", Text("prediction", "预测"), every, predicted))
    hint = {"data_placeholder_en": "file name", "data_placeholder_zh": "文件名", "aria_label": "file name / 文件名"}
    search = tag("input", type="search", name="file", **hint)
    count = tag("span", f"{len(videos)} / {len(videos)}", class_="count", role="status")
    return tag("div", *parts, search, count, class_="filters")


def _select(name: str, said: Text, every: Text, labels: set[Label]) -> Html:
    first = tag("option", every.en, value="", data_en=every.en, data_zh=every.zh)
    options = [tag("option", one.name, value=one.id) for one in sorted(labels, key=attrgetter("name"))]
    return tag("label", said, " ", tag("select", first, *options, name=name))


def _films(run: ReportedRun, videos: Sequence[Video]) -> Html:
    return tag("div", *(_figure(run, video) for video in videos), class_="films")


def _figure(run: ReportedRun, video: Video) -> Html:
    true, predicted = ([label.name for label in of(video)] for of in (true_labels, predicted_labels))
    label = f"{', '.join(predicted) or '–'}: {video.file}"
    strip = film(run.films, video.file, video.start_seconds, video.end_seconds, label=label)
    kind = "" if video.correct is None else "good" if video.correct else "bad"
    lines = [tag("b", ", ".join(predicted) or Text("no label", "无标签"), class_=kind or None), _confidence(video)]
    if video.correct is False:
        lines.append(tag("div", Text("is ", "实为 "), tag("b", ", ".join(true))))
    if video.leak:
        lines.append(tag("div", Text("also in training: ", "也出现在训练数据中："), video.leak, class_="note"))
    piece = "" if video.start_seconds is None else f" {video.start_seconds:g}–{video.end_seconds or 0:g} s"
    lines.append(tag("span", PurePath(video.file).name + piece, class_="file", title=video.file))
    # Filters go by ids: names may hold anything.
    ids = [" ".join(str(label.id) for label in of(video)) for of in (true_labels, predicted_labels)]
    data = {"data_true": ids[0], "data_predicted": ids[1], "data_file": video.file}
    return tag("figure", strip, tag("figcaption", *lines), **data)


def _confidence(video: Video) -> Html:
    best = video.top5[:1] if isinstance(video, VideoResult) else video.top5[:3]
    if isinstance(video, VideoResult):
        return Html(f' <span class="sure">{100 * (video.confidence or 0):.0f}&nbsp;%</span>')
    return tag("div", ", ".join(f"{one.label} {100 * one.score:.0f} %" for one in best), class_="note")


def true_labels(video: Video) -> Sequence[Label]:
    """The true classes of a video; none where it is not labelled."""
    if isinstance(video, MultiLabelVideo):
        return video.true_labels or ()
    return (video.true_label,) if video.true_label else ()


def predicted_labels(video: Video) -> Sequence[Label]:
    """What it was given."""
    if isinstance(video, MultiLabelVideo):
        return video.predicted_labels or ()
    return (video.predicted_label,) if video.predicted_label else ()


def _wrongness(video: Video) -> float:
    """How sure the model was of what is wrong."""
    if isinstance(video, VideoResult):
        return video.confidence or 0.0
    true = {label.id for label in video.true_labels or ()}
    return max(((1 - score) if index in true else score) for index, score in enumerate(video.scores or (0.0,)))


def _sureness(video: Video) -> float:
    if isinstance(video, VideoResult):
        return video.confidence or 0.0
    return min(abs(2 * score - 1) for score in video.scores or (0.0,))
