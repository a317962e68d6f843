"""The training videos that the mistakes of the test are most alike, where `autox-video embed` has been run."""

from __future__ import annotations

import numpy as np

from autox_video.errors import RunError
from autox_video.features import Features, read_features
from autox_video.report.html.markup import Html, join, paragraph, tag
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.html.video_figure import figure
from autox_video.report.neighbours import nearest
from autox_video.report.results import Results, VideoResult

ORDER = 55
MAX_MISTAKES = 60
SHOWN = 4
EMBED = Text("Run `autox-video embed` again.", "请重新运行 `autox-video embed`。")
INTRODUCTION = Text(
    "The surest mistakes first, each beside the training videos that look most alike to the model (by the cosine of "
    "their features). Where these have the predicted class, look for what they share with it; where they have the true "
    "one, the border between the two is thin. A label among them may be wrong: `autox-video audit-labels` looks for "
    "such.",
    "最有把握的错误在前，旁边是模型认为最相似的训练视频（按特征的余弦相似度）。若它们属于预测的类别，请看它们的共同之处；若属于真实类别，"
    "说明两类之间的界限模糊；其中的标签也可能有误：`autox-video audit-labels` 可以查找。",
)


def section(run: ReportedRun) -> Section | None:
    """The mistakes and their neighbours; None without features, or without a mistake."""
    results = run.results
    if not isinstance(results, Results) or results.checkpoint is None or not run.work_dir.features.is_file():
        return None
    title = Text("Most alike training videos", "最相似的训练视频")
    try:
        features = read_features(run.work_dir.features)
    except RunError as error:
        return Section("alike", title, paragraph(Text(str(error), str(error)), kind="warning"))
    if str(features.model_sha256) != results.checkpoint.sha256:
        other = Text("The features are of another model than the results. ", "特征来自另一个模型，与结果不符。")
        return Section("alike", title, paragraph(other, EMBED, kind="warning"))
    train = features.of("train")
    found = _mistakes(results, features)
    if not found or not len(train):
        return None
    vectors = np.stack([features.features[place] for _, place in found])
    indices, cosines = nearest(vectors, train.features, SHOWN)
    # Those of the mistakes before those of their neighbours: room and time may not do for all.
    shown = [_mistake(video, run) for video, _ in found]
    rows = [
        tag(
            "div",
            first,
            *(_neighbour(train, int(at), float(near), video, run) for at, near in zip(*pair, strict=True)),
            class_="films beside",
        )
        for first, (video, _), *pair in zip(shown, found, indices, cosines, strict=True)
    ]
    return Section("alike", title, join([paragraph(INTRODUCTION), *rows]))


def _mistakes(results: Results, features: Features) -> list[tuple[VideoResult, int]]:
    """The surest mistakes first, each with its row in the features."""
    places = {features.key(place): place for place in np.flatnonzero(features.splits == "test").tolist()}
    wrong = [video for video in results.videos if video.correct is False]
    wrong.sort(key=lambda video: -(video.confidence or 0.0))
    found = [(video, places.get((video.file, video.start_seconds, video.end_seconds))) for video in wrong]
    return [(video, place) for video, place in found if place is not None][:MAX_MISTAKES]


def _mistake(video: VideoResult, run: ReportedRun) -> Html:
    assert video.true_label is not None and video.predicted_label is not None
    return figure(
        run.films,
        "test",
        video.file,
        (video.start_seconds, video.end_seconds),
        tag("b", video.true_label.name),
        " → ",
        tag("span", video.predicted_label.name, class_="bad"),
        f" ({video.confidence or 0.0:.2f})",
    )


def _neighbour(train: Features, place: int, cosine: float, video: VideoResult, run: ReportedRun) -> Html:
    assert video.true_label is not None
    label = int(train.labels[place])
    file, *piece = train.key(place)
    kind = "good" if label == video.true_label.id else "bad"
    return figure(
        run.films,
        "train",
        file,
        (piece[0], piece[1]),
        tag("span", str(train.classes[label]), class_=kind),
        f" ({cosine:.2f})",
    )
