"""How sure a figure is, and what is said of it in words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from autox_video.predictions import Prediction, Predictions
from autox_video.report.common import numbers
from autox_video.report.html.parts import Course, ReportedRun
from autox_video.report.html.remarks import RULES
from autox_video.report.html.sections import figures
from autox_video.report.intervals import figure_intervals, wilson
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.work_dir import WorkDir


def results_of(right: int, wrong: int, classes: int = 4, task: str = "single_label") -> AnyResults:
    """Videos of each class in turn, so many of them recognised; the wrong ones are taken for the next class."""
    rows = []
    for number in range(right + wrong):
        true = number % classes
        scores = np.full(classes, 0.1 / classes, np.float32)
        scores[true if number < right else (true + 1) % classes] = 0.9
        rows.append(Prediction(f"{number}.mp4", (true,) if task == "multi_label" else true, scores))
    names = tuple(f"c{n}" for n in range(classes))
    thresholds = (0.5,) * classes if task == "multi_label" else None
    return make_outcome(
        Predictions(task, "tiny", names, "a.pth", "0" * 64, 1, "", 1, 1, tuple(rows), thresholds=thresholds)
    )


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_every_figure_lies_in_its_interval(task: str) -> None:
    results = results_of(60, 20, task=task)
    spans = figure_intervals(results, {})
    values = numbers(results.metrics)
    assert spans.keys() == values.keys()
    assert [name for name, value in values.items() if not spans[name].low <= value <= spans[name].high] == []


def test_an_interval_is_that_of_the_normal_distribution_where_videos_are_many_and_stand_alone() -> None:
    span = figure_intervals(results_of(320, 80), {})["top1"]
    spread = 1.96 * (0.8 * 0.2 / 400) ** 0.5
    assert (span.low, span.high) == pytest.approx((0.8 - spread, 0.8 + spread), abs=0.006)


def test_videos_of_one_recording_count_as_one() -> None:
    results = results_of(60, 20)
    alone = figure_intervals(results, {})["top1"]
    # Four recordings of twenty videos: the last has all the mistakes.
    grouped = figure_intervals(results, {f"{n}.mp4": str(n // 20) for n in range(80)})["top1"]
    assert grouped.high - grouped.low > 3 * (alone.high - alone.low)


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_one_recording_says_nothing_of_others(task: str) -> None:
    results = results_of(75, 5, task=task)
    groups = {f"{n}.mp4": "the only one" for n in range(80)}
    spans = figure_intervals(results, groups)
    assert spans.keys() == numbers(results.metrics).keys() - {"loss"}
    assert [name for name, span in spans.items() if not span.low < 0.25 < 0.99 < span.high] == []
    lines = [
        remark.text.en for rule in RULES for remark in rule(ReportedRun(WorkDir(Path("x")), results, groups=groups))
    ]
    assert [line for line in lines if line.startswith("80 test videos of 1 recording are too few to be sure")]
    if task == "single_label":
        assert lines[0].endswith("it cannot be told from that.")


@pytest.mark.parametrize(("right", "expected"), [(20, (0.839, 1.0)), (0, (0.0, 0.161))])
def test_all_right_or_all_wrong_is_not_certain(right: int, expected: tuple[float, float]) -> None:
    span = figure_intervals(results_of(right, 20 - right), {})["top1"]
    assert (span.low, span.high) == pytest.approx(expected, abs=0.001)


def test_where_every_draw_gives_the_same_no_interval_claims_to_be_certain() -> None:
    right = figure_intervals(results_of(20, 0, task="multi_label"), {})
    assert {name: (round(one.low, 3), one.high, one.draws) for name, one in right.items()} == {
        "exact_match": (0.839, 1.0, 0)
    }
    # In each recording one of two videos is right: a draw of recordings cannot be any other.
    halves = figure_intervals(results_of(10, 10), {f"{n}.mp4": str(n % 10) for n in range(20)})
    assert (halves["top1"], halves["top5"]) == (wilson(5, 10), wilson(10, 10))
    assert figure_intervals(make_outcome(Predictions("single_label", "t", ("a",), "", "", 1, "", 1, 1, ())), {}) == {}


@pytest.mark.parametrize(("values", "ranked"), [(2_000_000, 500), (80 * 4 * 120, 120), (80 * 4, 100)])
def test_a_ranking_of_many_videos_is_drawn_less_often_and_the_page_says_how_often(values, ranked, monkeypatch) -> None:
    drawn = []

    def interval(statistic, recordings, resamples):
        drawn.append(resamples)
        return 0.1, 0.9

    monkeypatch.setattr("autox_video.report.intervals.interval", interval)
    monkeypatch.setattr("autox_video.report.intervals.RANKED_VALUES", values)
    results = results_of(60, 20, task="multi_label")
    text = figures.section(ReportedRun(WorkDir(Path("x")), results)).html
    assert drawn == [ranked]
    assert f"80 videos were drawn anew 2000 times ({ranked} times for mAP), videos of one recording" in text
    assert f"重复抽样 2000 次（mAP 为 {ranked} 次）" in text
    assert "Wilson" not in text


def test_a_figure_without_an_interval_says_so_on_the_page() -> None:
    run = ReportedRun(WorkDir(Path("x")), results_of(20, 0, task="multi_label"))
    text = figures.section(run).html
    assert text.count("no interval: every draw of these videos gives the same") == 3
    assert text.count("无区间：重复抽样的结果全都相同") == 3
    assert "20 videos were drawn anew 2000 times, videos of one recording together. Where every draw gives the" in text
    lines = [f"{remark.level}: {remark.text.en}" for rule in RULES for remark in rule(run)]
    assert lines[:2] == [
        "info: Its mean average precision is 100.0 %; a random order would reach about 25.0 %: there is no interval to "
        "judge that by.",
        "info: 20 test videos give the same figure however they are drawn, which leaves open how sure it is.",
    ]


def test_wilsons_interval_is_the_published_one() -> None:
    # E. B. Wilson's score interval for 15 of 50, R's prop.test without correction.
    span = wilson(15, 50)
    assert (span.low, span.high) == pytest.approx((0.1910, 0.4375), abs=1e-4)


def course(val_loss: list[float], train_loss: list[float], train: float = 0.9, val: float = 0.85) -> Course:
    rows = [
        {"epoch": n, "train_loss": a, "val_loss": b, "train_top1": train, "val_top1": val}
        for n, (a, b) in enumerate(zip(train_loss, val_loss, strict=True), start=1)
    ]
    return Course("", tuple(rows))


def told(results: AnyResults | None, *courses: Course) -> list[str]:
    run = ReportedRun(WorkDir(Path("nowhere")), results, courses=courses)
    return [f"{remark.level}: {remark.text.en}" for rule in RULES for remark in rule(run)]


@pytest.mark.parametrize(
    ("results", "courses", "expected"),
    [
        (results_of(72, 8), (), "good: It is right on 90.0 % of the test videos. Guessing would be right on 25.0 %, always saying “c0” on 25.0 %: it has learned something."),
        (results_of(20, 60), (), "bad: It is right on 25.0 % of the test videos. Guessing would be right on 25.0 %, always saying “c0” on 25.0 %: it cannot be told from that."),
        (results_of(0, 80), (), "bad: It is right on 0.0 % of the test videos. Guessing would be right on 25.0 %, always saying “c0” on 25.0 %: it is worse than that."),
        (results_of(0, 80), (), "bad: Never recognised: “c0”, “c1”, “c2”, “c3”."),
        (results_of(6, 2), (), "caution: Fewer than 5 test videos in 4 of 4 classes: figures of each say little (“c0”, “c1”, “c2”, “c3”)."),
        (results_of(72, 8, classes=2), (), "info: Of its 8 mistakes, 8 are between “c0” and “c1”."),
        (results_of(72, 8, task="multi_label"), (), "info: The hardest labels: “c0”, “c1”, “c2”."),
        (None, (course([1.0, 0.5, 0.8], [1.0, 0.5, 0.1]),), "caution: It overfits: the validation loss was lowest after epoch 2 (0.500) and rose to 0.800, while that of training went on falling. More videos, stronger augmentation or fewer epochs help; best.pth is of the best epoch."),
        (None, (course([1.0, 0.5, 0.5], [1.0, 0.5, 0.4]),), "good: No sign of overfitting: the validation loss did not rise again."),
        (None, (course([1.0, 0.9, 0.8, 0.7, 0.6], [1.0, 0.5, 0.4, 0.3, 0.2]),), "info: The validation loss was still falling when training ended: more epochs may help."),
        (None, (course([1.0, 0.5, 0.5], [1.0, 0.5, 0.4], 0.99, 0.6),), "caution: It knows its training videos much better than new ones (99.0 % against 60.0 %): it has too few to learn from, or training and validation differ."),
    ],
)  # fmt: skip
def test_what_the_figures_mean_is_said_in_words(results, courses, expected: str) -> None:
    assert expected in told(results, *courses)


def test_leaked_and_unreadable_videos_are_spoken_of() -> None:
    results = results_of(72, 8)
    videos = [dataclasses.replace(video, leak="same file as train: a.mp4") for video in results.videos[:1]]
    counts = dataclasses.replace(results.counts, unreadable=2)
    lines = told(dataclasses.replace(results, videos=(*videos, *results.videos[1:]), counts=counts))
    assert "bad: 1 test video also stands in train or val, which makes the figures too good." in lines
    assert "caution: 2 test videos could not be read and count nowhere." in lines
