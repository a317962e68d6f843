from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from autox_video.errors import RequestError
from autox_video.predictions import Prediction, Predictions
from autox_video.report.bootstrap import interval, paired_gain
from autox_video.report.fusion import ensemble_results, fit_weights, fuse, look_at_val
from autox_video.report.outcome import make_outcome, outcome_lines
from autox_video.report.results import to_plain
from autox_video.report.side_by_side import aligned, predictions_of
from autox_video.report.writers import read_results, write_results

RESOURCES = Path(__file__).parent.parent.parent / "resources"
CLASSES = ("run", "jump")


def predicted(*rows, task="single_label", classes=CLASSES, model="video_swin_nano", clips=2):
    made = tuple(
        Prediction(name, label, None if scores is None else np.array(scores, dtype=np.float32))
        for name, label, scores in rows
    )
    thresholds = (0.5,) * len(classes) if task == "multi_label" else None
    return Predictions(task, model, classes, f"/{model}/best.pth", "0" * 64, 3, "/videos", clips, 1, made, thresholds)


# Each is sure where it is right, and unsure where it is wrong.
ONE = predicted(("a", 0, (0.9, 0.1)), ("b", 1, (0.1, 0.9)), ("c", 1, (0.55, 0.45)), ("d", 0, (0.9, 0.1)))
OTHER = predicted(("a", 0, (0.45, 0.55)), ("b", 1, (0.1, 0.9)), ("c", 1, (0.1, 0.9)), ("d", 0, (0.8, 0.2)))


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        ([[0.9, 0.1], [0.1, 0.9]], [0.5, 0.5]),
        ([[0.9, 0.9], [0.1, 0.2]], [1.0, 0.0]),
        # Of two outcomes that each knows one third and two thirds of: the least of -log(w/3 + ...) is in the middle.
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]], [1 / 3, 2 / 3]),
    ],
)
def test_weights_make_the_least_log_loss(given, weights):
    assert fit_weights(np.array(given)) == pytest.approx(weights, abs=1e-6)


def test_fitted_weights_are_no_worse_than_any_on_a_grid():
    given = np.random.default_rng(0).uniform(0.05, 1, (3, 40))
    best = -np.log(fit_weights(given) @ given).mean()
    grid = [(a, b, 1 - a - b) for a in np.linspace(0, 1, 21) for b in np.linspace(0, 1 - a, 21)]
    assert best <= min(-np.log(np.array(weights) @ given).mean() for weights in grid) + 1e-9


def test_scores_are_the_weighted_mean():
    together = fuse([ONE, OTHER], np.array([0.75, 0.25]))
    assert together.rows[0].scores == pytest.approx([0.7875, 0.2125])
    assert together.model == "ensemble of video_swin_nano, video_swin_nano"


def test_what_one_view_says_to_one_member_is_no_figure_of_all():
    seen = dataclasses.replace(ONE.rows[0], single_view_scores=ONE.rows[0].scores)
    one = dataclasses.replace(ONE, rows=(seen, *ONE.rows[1:]))
    assert {row.single_view_scores is None for row in fuse([one, OTHER], np.array([0.5, 0.5])).rows} == {True}


def test_a_video_that_one_could_not_read_has_no_score():
    broken = predicted(("a", 0, None), ("b", 1, (0.1, 0.9)))
    broken = dataclasses.replace(broken, rows=(Prediction("a", 0, None, "is empty"), broken.rows[1]))
    whole = predicted(("a", 0, (0.9, 0.1)), ("b", 1, (0.6, 0.4)))
    first, second = fuse([whole, broken], np.array([0.5, 0.5])).rows
    assert (first.scores, first.error) == (None, "is empty")
    assert second.scores is not None


def test_two_that_err_on_different_videos_gain_together():
    val = look_at_val([ONE, OTHER])
    results = ensemble_results(
        {"A": ONE, "B": OTHER}, val.weights, "fitted on 4 validation videos", val, lambda r: r.path
    )
    assert results.metrics.top1 == 1.0
    assert results.ensemble.best == "A"
    assert [member.metrics["top1"] for member in results.ensemble.members] == [0.75, 0.75]
    assert results.ensemble.val_loss < min(member.val_loss for member in results.ensemble.members)
    gain = results.ensemble.gain
    assert (gain.figure, gain.value, gain.num_videos, gain.num_groups) == ("top1", 0.25, 4, 4)
    assert gain.told == "4 test videos are too few to tell the two apart"
    assert outcome_lines(results)[-1] == (
        f"gain     top1 +0.250 over A (95 % interval {gain.low:+.3f} to {gain.high:+.3f}): "
        "4 test videos are too few to tell the two apart"
    )


def several():
    one = predicted(("a", (0,), (0.9, 0.3)), ("b", (0, 1), (0.4, 0.6)), ("c", (1,), (0.5, 0.2)), task="multi_label")
    other = predicted(("a", (0,), (0.3, 0.1)), ("b", (0, 1), (0.8, 0.7)), ("c", (1,), (0.1, 0.9)), task="multi_label")
    return one, other


@pytest.mark.parametrize(
    ("make", "name"), [(lambda: (ONE, OTHER), "results"), (several, "results_multi_label")], ids=["one", "several"]
)
def test_the_layout_is_the_documented_one_and_is_read_back(make, name, tmp_path):
    one, other = make()
    val = look_at_val([one, other])
    other = dataclasses.replace(other, num_clips=5)
    results = ensemble_results({"A": one, "B": other}, val.weights, "fitted", val, lambda row: row.path)
    assert results.views is None  # each has its own
    schema = json.loads((RESOURCES / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(to_plain(results))), schema)
    write_results(results, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == results


def test_labels_of_an_ensemble_are_given_by_thresholds_of_its_own():
    val = look_at_val(several())
    results = ensemble_results(
        dict(zip("AB", several(), strict=True)), val.weights, "fitted", val, lambda row: row.path
    )
    given = [[label.name for label in video.predicted_labels] for video in results.videos]
    assert given == [["run"], ["run", "jump"], ["jump"]]
    assert results.ensemble.gain.figure == "mean_average_precision"


def test_results_give_back_what_was_predicted():
    for predictions in (ONE, *several()):
        again = predictions_of(make_outcome(predictions))
        assert [row.scores.tolist() for row in again.rows] == [row.scores.tolist() for row in predictions.rows]
        assert [row.label for row in again.rows] == [row.label for row in predictions.rows]


def test_classes_and_videos_in_another_order_are_the_same():
    turned = predicted(
        ("d", 1, (0.2, 0.8)), ("b", 0, (0.9, 0.1)), ("a", 1, (0.55, 0.45)), ("c", 0, (0.9, 0.1)), classes=CLASSES[::-1]
    )
    found = aligned({"A": ONE, "B": turned}, "test videos", "Do something")["B"]
    assert [(row.path, row.label, row.scores.tolist()) for row in found.rows] == [
        (row.path, row.label, row.scores.tolist()) for row in OTHER.rows
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            predicted(("a", 0, (0.9, 0.1)), ("e", 1, (0.6, 0.4))),
            "B: has other test videos than A: 1 more, 3 fewer (b, c, d, e). Test all of them on one list.",
        ),
        (
            predicted(*(("abcd"[n], 0, (0.5, 0.5)) for n in range(4))),
            "B: has other labels than A for 2 test videos (b, c). Test all of them on one list.",
        ),
        (
            dataclasses.replace(OTHER, classes=("run", "swim")),
            "B: has other classes than A: in one of the two only jump, swim. Name runs that learned the same classes.",
        ),
        (
            dataclasses.replace(OTHER, task="multi_label"),
            "B: is a model for multi_label, and A is one for single_label. Name runs of one task.",
        ),
    ],
    ids=["videos", "labels", "classes", "task"],
)
def test_what_does_not_go_together_is_refused(other, message):
    with pytest.raises(RequestError) as caught:
        aligned({"A": ONE, "B": other}, "test videos", "Test all of them on one list")
    assert str(caught.value) == message


def test_the_interval_of_a_mean_is_the_textbooks():
    values = np.random.default_rng(1).normal(size=400)
    low, high = interval(lambda videos: values[videos].mean(), range(400))
    error = values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.15 * error)
    assert interval(lambda videos: values[videos].mean(), range(400)) == (low, high)  # seeded


def test_videos_of_one_recording_count_once():
    values = np.repeat(np.random.default_rng(2).normal(size=40), 10)
    alone = interval(lambda videos: values[videos].mean(), range(400))
    together = interval(lambda videos: values[videos].mean(), [n // 10 for n in range(400)])
    # Ten copies of each say no more than one: the interval is sqrt(10) times as wide.
    assert 2.5 < (together[1] - together[0]) / (alone[1] - alone[0]) < 3.9


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (1.0, 0.0, "better, and more than the chance of which 40 test videos of 20 recordings were tested"),
        (0.0, 1.0, "worse, and more than the chance of which 40 test videos of 20 recordings were tested"),
        (1.0, 1.0, "none of 40 test videos of 20 recordings tells them apart"),
    ],
)
def test_what_a_gain_means_is_said(first, second, told):
    labels = np.zeros(40, dtype=int)
    scores = [np.tile([share, 1 - share], (40, 1)) for share in (first, second)]
    assert paired_gain("single_label", labels, *scores, [n // 2 for n in range(40)]).told == told
