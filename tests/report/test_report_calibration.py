from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from autox_video.predictions import Calibration, FoldModel, Prediction, Predictions
from autox_video.report.bootstrap import wilson_interval
from autox_video.report.outcome import make_outcome, outcome_lines
from autox_video.report.results import to_plain
from autox_video.report.writers import read_results, table, write_results

RESOURCES = Path(__file__).parent.parent.parent / "resources"
KNOWN = Calibration(2.0, "fitted", 40, 0.95, 0.6, "38 of the 40", (0.7, None), (25, 15))
ROWS = tuple(
    Prediction(f"{number}.mp4", label, np.float32([score, 1 - score]))
    for number, (label, score) in enumerate([(0, 0.9), (0, 0.75), (1, 0.4), (1, 0.9), (None, 0.6)])
)
PREDICTIONS = Predictions(
    "single_label", "nano", ("run", "jump"), "/best.pth", "0" * 64, 3, "/videos", 1, 1, ROWS, calibration=KNOWN
)
# Of 0.9: sqrt(0.9) / (sqrt(0.9) + sqrt(0.1)) = 3 / 4.
SURE = [3 / 4, 1 / (1 + math.sqrt(1 / 3)), 1 / (1 + math.sqrt(2 / 3)), 3 / 4, 1 / (1 + math.sqrt(2 / 3))]


def check_schema(results) -> None:
    name = "results_multi_label" if results.task == "multi_label" else "results"
    schema = json.loads((RESOURCES / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(to_plain(results))), schema)


def test_confidences_are_calibrated_and_scores_are_what_the_model_gave():
    results = make_outcome(PREDICTIONS)
    assert [video.confidence for video in results.videos] == pytest.approx(SURE, abs=1e-6)
    assert [video.uncertain for video in results.videos] == [False, False, True, False, True]
    assert results.videos[0].scores == (0.9, 0.1)
    assert results.videos[0].top5[0].score == 0.9
    check_schema(results)


def test_figures_of_trust_are_those_one_reckons_by_hand():
    found = make_outcome(PREDICTIONS).calibration
    assert (found.temperature, found.certain_from, found.num_val_videos, found.note) == (2.0, 0.6, 40, "fitted")
    # Bins: 0.9 (one right of two), 0.75 (right), 0.6 (right).
    assert found.before.ece == pytest.approx((2 * 0.4 + 0.25 + 0.4) / 4)
    low, high = SURE[1], SURE[2]
    assert found.after.ece == pytest.approx((2 * 0.25 + (1 - low) + (1 - high)) / 4)
    spread = [math.sqrt(2 * 3 / 16), math.sqrt(low * (1 - low)), math.sqrt(high * (1 - high))]
    assert found.after.ece_by_chance == pytest.approx(math.sqrt(2 / math.pi) * sum(spread) / 4)
    assert [one.count for one in found.after.bins] == [0, 0, 0, 0, 0, 1, 1, 2, 0, 0]
    assert (found.after.bins[7].accuracy, found.after.bins[7].confidence) == (0.5, pytest.approx(0.75))
    assert (found.certain.num_videos, found.certain.coverage, found.certain.accuracy) == (3, 0.75, pytest.approx(2 / 3))
    assert [(row.coverage, row.accuracy) for row in found.coverage] == [
        *[(1.0, 0.75)] * 3,
        *[(0.75, pytest.approx(2 / 3))] * 2,
        # Two are equally sure, and the one that is right comes first in the list.
        *[(0.5, 0.5)] * 5,
    ]
    assert [(one.label, one.num_val_predicted, one.certain_from) for one in found.per_class] == [
        ("run", 25, 0.7),
        ("jump", 15, None),
    ]
    assert (found.per_class[0].certain.num_videos, found.per_class[0].certain.accuracy) == (2, 0.5)
    assert found.per_class[1].certain is None


def test_the_console_says_what_confidences_are_worth():
    assert outcome_lines(make_outcome(PREDICTIONS))[2:4] == [
        "trust    temperature 2; calibration error 0.362 -> 0.329 (0.317 would be chance)",
        "certain  3 videos (75%), confidence 0.600 or more, and 0.667 of them right",
    ]


def test_of_a_checkpoint_without_it_the_confidence_is_what_the_model_gives_and_it_is_said():
    results = make_outcome(dataclasses.replace(PREDICTIONS, calibration=None))
    assert [video.confidence for video in results.videos] == [0.9, 0.75, 0.6, 0.9, 0.6]
    assert {video.uncertain for video in results.videos} == {None}
    found = results.calibration
    assert (found.temperature, found.certain, found.per_class) == (None, None, ())
    assert found.note == (
        "none: the checkpoint was written before any was fitted, so a confidence is what the model gives"
    )
    assert found.before == found.after
    check_schema(results)


def test_without_labels_there_are_confidences_and_no_figures(tmp_path):
    rows = (dataclasses.replace(ROWS[0], label=None), Prediction("broken.mp4", None, None, "is empty"))
    results = make_outcome(dataclasses.replace(PREDICTIONS, rows=rows))
    assert (results.calibration.after, results.calibration.coverage) == (None, ())
    assert [(video.confidence, video.uncertain) for video in results.videos] == [(0.75, False), (None, None)]
    assert results.calibration.per_class[0].certain_from == 0.7
    check_schema(results)
    write_results(results, tmp_path / "r.json")
    assert read_results(tmp_path / "r.json") == results


def test_each_fold_is_believed_by_its_own_validation_videos():
    models = (
        FoldModel(1, "/1.pth", "0" * 64, 3, None, KNOWN),
        FoldModel(2, "/2.pth", "0" * 64, 3, None, dataclasses.replace(KNOWN, temperature=1.0, certain_from=0.95)),
    )
    rows = tuple(dataclasses.replace(row, fold=1 + number % 2) for number, row in enumerate(ROWS))
    results = make_outcome(dataclasses.replace(PREDICTIONS, calibration=None, checkpoint="", rows=rows, folds=models))
    assert [video.confidence for video in results.videos] == pytest.approx([SURE[0], 0.75, SURE[2], 0.9, SURE[4]])
    assert [video.uncertain for video in results.videos] == [False, True, True, True, True]
    found = results.calibration
    assert (found.temperature, found.note, found.num_val_videos) == (None, "that of each fold: 2, 1", 80)
    assert (found.certain.confidence_from, found.certain.num_videos) == (None, 1)
    assert [(fold.temperature, fold.certain_from) for fold in results.folds.each] == [(2.0, 0.6), (1.0, 0.95)]
    check_schema(results)


def test_several_labels_have_one_confidence_and_a_calibration_error_over_all_of_them():
    rows = (
        Prediction("a.mp4", (0,), np.float32([0.9, 0.2])),
        Prediction("b.mp4", (0, 1), np.float32([0.8, 0.4])),
    )
    known = dataclasses.replace(KNOWN, temperature=1.0, certain_from=0.6, class_certain_from=(), class_num_predicted=())
    several = dataclasses.replace(PREDICTIONS, task="multi_label", rows=rows, thresholds=(0.5, 0.5), calibration=known)
    results = make_outcome(several)
    assert [video.confidence for video in results.videos] == pytest.approx([0.72, 0.48])
    assert [(video.uncertain, video.correct) for video in results.videos] == [(False, True), (True, False)]
    assert results.calibration.after.ece == pytest.approx((0.1 + 0.2 + 0.2 + 0.6) / 4)
    assert results.calibration.certain.accuracy == 1.0
    heading, first, _ = table(results)
    assert heading[5:8] == ["correct", "confidence", "uncertain"]
    assert first[5:8] == [True, pytest.approx(0.72), False]
    check_schema(results)


def test_results_of_an_older_version_are_read(tmp_path):
    results = make_outcome(PREDICTIONS)
    older = json.loads(json.dumps(to_plain(results)))
    del older["calibration"]
    for video in older["videos"]:
        del video["uncertain"]
    (tmp_path / "r.json").write_text(json.dumps(older))
    assert read_results(tmp_path / "r.json").calibration is None


@pytest.mark.parametrize(
    ("right", "count", "span"),
    # The intervals of Newcombe's table of 1998 for 81 of 263, 15 of 148, 0 of 20 and 1 of 29, without correction.
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_the_interval_of_a_share_is_that_of_wilson(right, count, span):
    assert wilson_interval(right, count) == pytest.approx(span, abs=1e-4)
