from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from autox_video.predictions import Prediction, Predictions, pool_folds
from autox_video.report.outcome import make_outcome, outcome_lines
from autox_video.report.results import to_plain
from autox_video.report.writers import read_results, table, write_results

RESOURCES = Path(__file__).parent.parent.parent / "resources"
ORDER = ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4"]


def scored(path, label, *scores, **rest):
    return Prediction(path, label, np.array(scores, dtype=np.float32), **rest)


def pooled(task, classes, *of_folds, thresholds=(None, None)):
    """Folds of which each is given as its rows."""
    found = [
        Predictions(
            task, "video_swin_nano", classes, f"/run/{n}.pth", f"{n}" * 64, n, "/videos", 2, 1, rows, thresholds[n - 1]
        )
        for n, rows in enumerate(of_folds, start=1)
    ]
    return pool_folds(found, lambda row: ORDER.index(row.path))


def single():
    return pooled(
        "single_label",
        ("run", "jump"),
        (scored("b.mp4", 0, 0.9, 0.1), scored("d.mp4", 1, 0.2, 0.8), Prediction("e.mp4", 1, None, "is empty")),
        (scored("a.mp4", 0, 0.3, 0.7), scored("c.mp4", 1, 0.4, 0.6, leak="same group as train: b.mp4")),
    )


def test_pooled_rows_are_in_the_order_of_the_list_with_their_fold():
    results = make_outcome(single())
    assert [(video.file, video.fold) for video in results.videos] == [*zip(ORDER, (2, 1, 2, 1, 1), strict=True)]
    assert results.checkpoint is None
    assert [
        (fold.fold, fold.checkpoint.path, fold.checkpoint.epoch, fold.counts.videos) for fold in results.folds.each
    ] == [
        (1, "/run/1.pth", 1, 3),
        (2, "/run/2.pth", 2, 2),
    ]


def test_figures_are_over_all_videos_and_their_spread_over_the_folds():
    results = make_outcome(single())
    assert results.metrics.top1 == 3 / 4
    assert results.metrics_without_leaks.top1 == 2 / 3
    assert [fold.metrics["top1"] for fold in results.folds.each] == [1.0, 0.5]
    assert results.folds.mean["top1"] == 0.75
    assert results.folds.std["top1"] == pytest.approx(0.5**0.5 / 2)
    assert "2 folds, mean +- standard deviation: top1 0.750 +- 0.354, top5 1.000 +- 0.000" in outcome_lines(results)[-2]


def test_a_fold_without_a_figure_is_left_out_of_the_mean():
    bad = (Prediction("b.mp4", 0, None, "is empty"),)
    folds = make_outcome(pooled("single_label", ("run", "jump"), (scored("a.mp4", 0, 0.9, 0.1),), bad)).folds
    assert [fold.metrics is None for fold in folds.each] == [False, True]
    assert (folds.mean["top1"], folds.std) == (1.0, None)
    nothing = make_outcome(pooled("single_label", ("run", "jump"), bad, (Prediction("a.mp4", 1, None, "is empty"),)))
    assert (nothing.metrics, nothing.folds.mean, nothing.folds.std) == (None, None, None)


def several():
    return pooled(
        "multi_label",
        ("run", "jump"),
        (scored("a.mp4", (0,), 0.9, 0.35), scored("b.mp4", (0, 1), 0.6, 0.45)),
        (scored("c.mp4", (1,), 0.7, 0.2), scored("d.mp4", (1,), 0.1, 0.3)),
        thresholds=((0.5, 0.4), (0.8, 0.2)),
    )


def test_labels_are_given_by_the_thresholds_of_the_own_fold():
    results = make_outcome(several())
    given = [[label.name for label in video.predicted_labels] for video in results.videos]
    assert given == [["run"], ["run", "jump"], ["jump"], ["jump"]]
    assert results.metrics.exact_match == 1.0
    assert results.thresholds == pytest.approx((0.65, 0.3))
    assert results.thresholds_note == (
        "the mean of those of the folds, each chosen on its validation videos and used for its test videos"
    )


def test_average_precision_is_over_the_scores_of_all_folds():
    results = make_outcome(several())
    # run, by score: a yes, c no, b yes, d no; jump: b yes, a no, d yes, c yes.
    run, jump = (1 + 2 / 3) / 2, (1 + 2 / 3 + 3 / 4) / 3
    assert [label.average_precision for label in results.metrics.per_label] == pytest.approx([run, jump])
    assert results.metrics.mean_average_precision == pytest.approx((run + jump) / 2)
    # Within the folds both labels are ranked without a mistake.
    assert results.folds.mean["mean_average_precision"] == 1.0
    assert results.folds.std["mean_average_precision"] == 0.0


@pytest.mark.parametrize(("make", "name"), [(single, "results"), (several, "results_multi_label")])
def test_the_layout_is_the_documented_one_and_is_read_back(make, name, tmp_path):
    results = make_outcome(make())
    schema = json.loads((RESOURCES / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(to_plain(results))), schema)
    write_results(results, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == results


@pytest.mark.parametrize("make", [single, several])
def test_a_table_has_a_column_of_folds(make):
    results = make_outcome(make())
    head, *rows = table(results)
    assert head[1] == "fold"
    assert [row[:2] for row in rows] == [[video.file, video.fold] for video in results.videos]


def test_without_folds_nothing_speaks_of_them():
    rows = (scored("a.mp4", 0, 0.9, 0.1),)
    one = Predictions(
        "single_label", "video_swin_nano", ("run", "jump"), "/run/best.pth", "0" * 64, 3, "/videos", 2, 1, rows
    )
    results = make_outcome(one)
    assert "fold" not in json.dumps(to_plain(results))
    assert "fold" not in " ".join([*table(results)[0], *outcome_lines(results)])
