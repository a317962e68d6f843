from __future__ import annotations

import copy
import csv
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from autox_video.predictions import Prediction, Predictions
from autox_video.report.outcome import make_outcome, outcome_lines
from autox_video.report.results import to_plain
from autox_video.report.writers import read_results, write_results

RESOURCES = Path(__file__).parent.parent.parent / "resources"
SCHEMA = json.loads((RESOURCES / "results_multi_label.schema.json").read_text(encoding="utf-8"))
CLASSES = ("run", "jump", "swim")


def predictions(*rows: Prediction, thresholds: tuple[float, ...] | None = (0.5, 0.3, 0.5)) -> Predictions:
    place = ("/run/best.pth", "0" * 64, 3, "/videos", 2, 1)
    return Predictions("multi_label", "video_swin_nano", CLASSES, *place, rows, thresholds)


def scored(path: str, label: int | tuple[int, ...] | None, *scores: float) -> Prediction:
    return Prediction(path, label, np.array(scores, dtype=np.float32))


ROWS = (
    scored("a.mp4", (0, 1), 0.9, 0.4, 0.1),
    scored("b.mp4", 1, 0.6, 0.2, 0.1),
    Prediction("broken.mp4", (0, 2), None, "is empty"),
    scored("跳.mp4", (0,), 0.4, 0.1, 0.2),
)


def test_each_label_has_its_figures_at_its_threshold():
    results = make_outcome(predictions(*ROWS))
    metrics = results.metrics
    assert metrics is not None
    assert [(label.label, label.num_videos, label.threshold) for label in metrics.per_label] == [
        ("run", 2, 0.5),
        ("jump", 2, 0.3),
        ("swim", 0, 0.5),
    ]
    figures = [(label.precision, label.recall, label.f1) for label in metrics.per_label]
    assert figures == [(0.5, 0.5, 0.5), (1.0, 0.5, pytest.approx(2 / 3)), (None, None, None)]
    assert metrics.per_label[0].average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.mean_average_precision == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)
    assert metrics.mean_f1 == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert metrics.exact_match == pytest.approx(1 / 3)
    assert results.metrics_note == "the figures leave out 1 of 4 videos: unreadable or without a label"


def test_a_video_is_given_every_label_that_reaches_its_threshold():
    videos = make_outcome(predictions(*ROWS)).videos
    given = [None if v.predicted_labels is None else [label.name for label in v.predicted_labels] for v in videos]
    assert given == [["run", "jump"], ["run"], None, []]
    assert [[label.name for label in v.true_labels] for v in videos] == [
        ["run", "jump"],
        ["jump"],
        ["run", "swim"],
        ["run"],
    ]
    assert [v.correct for v in videos] == [True, False, None, False]


def test_pieces_of_a_video_keep_their_times(tmp_path):
    piece = Prediction("a.mp4", (0, 1), ROWS[0].scores, None, 1.5, None)
    lost = Prediction("b.mp4", 1, None, "is empty", 0.0, 2.0)
    results = make_outcome(predictions(piece, lost, ROWS[3]))
    plain = to_plain(results)
    jsonschema.validate(json.loads(json.dumps(plain)), SCHEMA)
    times = [(video.get("start_seconds", "-"), video.get("end_seconds", "-")) for video in plain["videos"]]
    assert times == [(1.5, None), (0.0, 2.0), ("-", "-")]
    write_results(results, tmp_path / "results.csv")
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["start_seconds"], row["end_seconds"]) for row in rows] == [("1.5", ""), ("0.0", "2.0"), ("", "")]


def test_without_a_validation_the_thresholds_are_a_half_and_said_so():
    results = make_outcome(predictions(*ROWS, thresholds=None))
    assert results.thresholds == (0.5, 0.5, 0.5)
    assert results.thresholds_note == "0.5 for each label: the checkpoint was written before any validation"


def test_the_summary_names_the_hardest_label():
    assert outcome_lines(make_outcome(predictions(*ROWS))) == [
        "test     mAP 0.917  mean F1 0.583  exact match 0.333  (3 of 4 videos scored, in 2x1 views each)",
        "note     the figures leave out 1 of 4 videos: unreadable or without a label",
        "hardest label: 'run' (average precision 0.833)",
    ]
    assert outcome_lines(make_outcome(predictions(scored("a.mp4", (0,), 0.9, 0.1, 0.1)))) == [
        "test     mAP 1.000  mean F1 1.000  exact match 1.000  (1 of 1 videos scored, in 2x1 views each)"
    ]
    unlabelled = make_outcome(predictions(scored("a.mp4", None, 0.9, 0.1, 0.1)))
    assert outcome_lines(unlabelled) == [
        "no figures: the videos have no labels (1 of 1 videos scored, in 2x1 views each)"
    ]


def test_json_reads_back_and_fits_the_schema(tmp_path):
    results = make_outcome(predictions(*ROWS))
    write_results(results, tmp_path / "r.json")
    assert read_results(tmp_path / "r.json") == results
    for rows in (ROWS, ROWS[2:3], (scored("a.mp4", None, 0.1, 0.2, 0.7),)):
        jsonschema.validate(json.loads(json.dumps(to_plain(make_outcome(predictions(*rows))))), SCHEMA)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda r: r.pop("thresholds"),
        lambda r: r.update(task="single_label"),
        lambda r: r["metrics"].update(exact_match=1.5),
        lambda r: r["metrics"]["per_label"][0].pop("f1"),
        lambda r: r["videos"][0].update(predicted_labels=None),
        lambda r: r["videos"][2].update(error=None),
    ],
)
def test_the_schema_refuses_tampered_results(tamper):
    value = copy.deepcopy(json.loads(json.dumps(to_plain(make_outcome(predictions(*ROWS))))))
    tamper(value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, SCHEMA)


def test_a_table_has_the_labels_of_a_video_in_one_cell(tmp_path):
    results = make_outcome(predictions(*ROWS))
    write_results(results, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["true_labels"], row["predicted_labels"]) for row in rows] == [
        ("run;jump", "run;jump"),
        ("jump", "run"),
        ("run;swim", ""),
        ("run", ""),
    ]
    assert [float(rows[0][f"score:{name}"]) for name in CLASSES] == list(results.videos[0].scores)
    write_results(results, tmp_path / "s.json", "scores")
    assert json.loads((tmp_path / "s.json").read_text())[0] == [0.9, 0.4, 0.1]
