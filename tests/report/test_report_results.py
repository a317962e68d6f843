from __future__ import annotations

import copy
import csv
import dataclasses
import json
import pickle
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml

from autox_video.errors import RequestError, RunError
from autox_video.predictions import Prediction, Predictions, mark_leaks
from autox_video.report.results import Results, make_results, shortest, summary_lines, to_plain
from autox_video.report.writers import read_results, write_results

SCHEMA = json.loads((Path(__file__).parent.parent.parent / "resources" / "results.schema.json").read_text())
CLASSES = ("run", "jump", "Flug, hoch")


def predictions(*rows: Prediction) -> Predictions:
    return Predictions("single_label", "video_swin_nano", CLASSES, "/run/best.pth", "0" * 64, 3, "/videos", 2, 1, rows)


def scored(path: str, label: int | None, *scores: float) -> Prediction:
    return Prediction(path, label, np.array(scores, dtype=np.float32))


ROWS = (
    scored("a.mp4", 0, 0.7, 0.2, 0.1),
    scored("-跳.mp4", 1, 0.5, 0.4, 0.1),
    Prediction("broken.mp4", 1, None, "is empty"),
    scored("c, d.mp4", 0, 0.1, 0.3, 0.6),
    scored('e "f".mp4', 1, 0.6, 0.3, 0.1),
)


def test_figures_are_over_the_labelled_videos_that_could_be_read():
    results = make_results(predictions(*ROWS))
    metrics = results.metrics
    assert metrics is not None
    assert metrics.top1 == 1 / 4
    assert metrics.top5 == 1.0
    assert metrics.mean_class_accuracy == (1 / 2 + 0) / 2
    assert metrics.loss == pytest.approx(-np.log(np.float32([0.7, 0.4, 0.1, 0.3])).mean())
    assert metrics.confusion_matrix == ((1, 0, 1), (2, 0, 0), (0, 0, 0))
    assert [(c.num_videos, c.accuracy, c.precision) for c in metrics.per_class] == [
        (2, 0.5, pytest.approx(1 / 3)),
        (2, 0.0, None),
        (0, None, 0.0),
    ]
    assert results.metrics_note == "the figures leave out 1 of 5 videos: unreadable or without a label"


def test_every_video_is_a_row_in_the_order_of_the_list():
    videos = make_results(predictions(*ROWS)).videos
    assert [video.file for video in videos] == [row.path for row in ROWS]
    assert (videos[1].true_label.name, videos[1].predicted_label.name, videos[1].correct) == ("jump", "run", False)
    assert [top.label for top in videos[3].top5] == ["Flug, hoch", "jump", "run"]
    assert (videos[2].status, videos[2].error, videos[2].scores, videos[2].top5) == ("error", "is empty", None, ())


def test_without_labels_there_are_no_figures():
    results = make_results(predictions(scored("a.mp4", None, 0.1, 0.2, 0.7)))
    assert (results.metrics, results.metrics_note) == (None, "the videos have no labels")
    assert results.videos[0].correct is None
    assert summary_lines(results) == ["no figures: the videos have no labels (1 of 1 videos scored, in 2x1 views each)"]


def test_nothing_readable_is_said_so():
    results = make_results(predictions(Prediction("a.mp4", 0, None, "is empty")))
    assert (results.metrics, results.metrics_note) == (None, "no labelled video could be read")


def test_the_summary_names_the_most_frequent_mistake():
    assert summary_lines(make_results(predictions(*ROWS))) == [
        "test     top-1 0.250  top-5 1.000  mean class accuracy 0.250  (4 of 5 videos scored, in 2x1 views each)",
        "note     the figures leave out 1 of 5 videos: unreadable or without a label",
        "most frequent mistake: 'jump' is taken for 'run' (2 times)",
    ]


def leaking(*rows: Prediction, **leaks: str) -> Results:
    return make_results(
        mark_leaks(predictions(*rows), {(f"{name}.mp4", None, None): text for name, text in leaks.items()})
    )


def test_figures_without_the_videos_that_training_knew_stand_beside_those_over_all():
    rows = (scored("a.mp4", 0, 0.7, 0.2, 0.1), scored("b.mp4", 1, 0.5, 0.4, 0.1), scored("c.mp4", None, 0.5, 0.4, 0.1))
    results = leaking(*rows, a="same file as train: a.mp4", c="same file as val: c.mp4")
    assert results.metrics is not None
    assert results.metrics_without_leaks is not None
    assert (results.metrics.top1, results.metrics_without_leaks.top1) == (0.5, 0.0)
    assert [video.leak for video in results.videos] == ["same file as train: a.mp4", None, "same file as val: c.mp4"]
    assert summary_lines(results)[:2] == [
        "test     top-1 0.500  top-5 1.000  mean class accuracy 0.500  (3 of 3 videos scored, in 2x1 views each)",
        "note     the figures leave out 1 of 3 videos: unreadable or without a label",
    ]
    assert summary_lines(results)[2] == (
        "new      top-1 0.000  top-5 1.000  mean class accuracy 0.000  "
        "(without the 1 of 2 test videos that also stand in train or val)"
    )
    jsonschema.validate(json.loads(json.dumps(to_plain(results))), SCHEMA)


def test_where_every_video_was_known_there_is_no_figure_for_new_ones():
    results = leaking(scored("a.mp4", 0, 0.7, 0.2, 0.1), a="same content as val: x.mp4")
    assert results.metrics_without_leaks is None
    assert summary_lines(results)[1] == (
        "note     all 1 test videos also stand in train or val: there is no figure for new videos"
    )
    jsonschema.validate(json.loads(json.dumps(to_plain(results))), SCHEMA)


def test_where_every_video_is_new_nothing_is_said_of_it():
    results = make_results(predictions(*ROWS))
    assert (results.metrics_without_leaks, results.leaks_note) == (None, None)


def test_a_score_that_is_no_number_stops_the_report():
    with pytest.raises(RunError) as caught:
        make_results(predictions(scored("a.mp4", 0, float("nan"), 0, 0)))
    assert str(caught.value) == "a.mp4: the model gives scores that are not finite numbers. Test another checkpoint."


def test_scores_read_back_to_the_same_float32():
    rng = np.random.default_rng(0)
    for score in rng.random(1000).astype(np.float32):
        assert np.float32(shortest(score)) == score


def test_json_reads_back_and_fits_the_schema(tmp_path):
    results = make_results(predictions(*ROWS))
    write_results(results, tmp_path / "r.json")
    assert read_results(tmp_path / "r.json") == results
    jsonschema.validate(json.loads((tmp_path / "r.json").read_text()), SCHEMA)
    for part in (ROWS[2:3], (scored("a.mp4", None, 0.1, 0.2, 0.7),)):
        jsonschema.validate(json.loads(json.dumps(to_plain(make_results(predictions(*part))))), SCHEMA)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda r: r.pop("classes"),
        lambda r: r.update(version=2),
        lambda r: r.update(extra=1),
        lambda r: r["metrics"].update(top1=1.5),
        lambda r: r["videos"][0].update(status="fine"),
        lambda r: r["videos"][2].update(error=None),
        lambda r: r["videos"][0].update(scores=None),
        lambda r: r["checkpoint"].update(sha256="abc"),
        lambda r: r["videos"][0]["true_label"].pop("name"),
    ],
)
def test_the_schema_refuses_tampered_results(tamper):
    value = copy.deepcopy(json.loads(json.dumps(to_plain(make_results(predictions(*ROWS))))))
    tamper(value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, SCHEMA)


def test_every_format_holds_the_same(tmp_path):
    results = make_results(predictions(*ROWS))
    for ending in (".json", ".pkl", ".yaml", ".yml", ".csv"):
        write_results(results, tmp_path / f"r{ending}")
    value = json.loads((tmp_path / "r.json").read_text())
    assert pickle.loads((tmp_path / "r.pkl").read_bytes()) == value
    assert yaml.safe_load((tmp_path / "r.yaml").read_text()) == value
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [video["file"] for video in value["videos"]]
    assert [float(rows[0][f"score:{name}"]) for name in CLASSES] == value["videos"][0]["scores"]
    assert rows[2]["error"] == "is empty"
    assert rows[2]["score:run"] == ""


def test_the_bare_scores_keep_a_place_for_what_could_not_be_read(tmp_path):
    results = make_results(predictions(*ROWS))
    write_results(results, tmp_path / "s.json", "scores")
    assert json.loads((tmp_path / "s.json").read_text()) == [
        None if row.scores is None else [shortest(score) for score in row.scores] for row in ROWS
    ]
    write_results(results, tmp_path / "s.csv", "scores")
    assert (tmp_path / "s.csv").read_text().splitlines()[:3] == ["0.7,0.2,0.1", "0.5,0.4,0.1", ""]


def test_equal_results_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_results(make_results(predictions(*ROWS)), tmp_path / f"{name}.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_score_vector_is_one_line(tmp_path):
    write_results(make_results(predictions(*ROWS)), tmp_path / "r.json")
    assert '      "scores": [0.7, 0.2, 0.1],' in (tmp_path / "r.json").read_text().splitlines()


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(RequestError) as caught:
        write_results(make_results(predictions(*ROWS)), tmp_path / "r.txt")
    assert str(caught.value) == (
        "test_results_path: the ending names no format (got 'r.txt'). Choose one of .json, .csv, .pkl, .yaml, .yml."
    )


def test_a_file_that_holds_no_results_is_named(tmp_path):
    (tmp_path / "r.json").write_text("{}")
    with pytest.raises(RunError, match=r"r\.json: holds no results: 'version'\. Name a results\.json"):
        read_results(tmp_path / "r.json")


def test_the_figures_of_a_single_view_stand_beside_those_of_all():
    rows = [
        dataclasses.replace(row, single_view_scores=None if row.scores is None else row.scores[[1, 0, 2]])
        for row in ROWS
    ]
    results = make_results(predictions(*rows))
    alone = make_results(
        predictions(*(dataclasses.replace(row, scores=row.single_view_scores, single_view_scores=None) for row in rows))
    )
    assert results.metrics == make_results(predictions(*ROWS)).metrics
    assert alone.metrics is not None
    names = ("top1", "top5", "mean_class_accuracy", "loss")
    assert results.metrics_single_view == {name: getattr(alone.metrics, name) for name in names}
    assert alone.metrics_single_view is None
    assert summary_lines(results)[1] == (
        "one view top-1 0.500  top-5 1.000  mean class accuracy 0.500  (of each, nearest to its middle)"
    )
    plain = to_plain(results)
    jsonschema.validate(json.loads(json.dumps(plain)), SCHEMA)
    assert list(plain).index("metrics_single_view") == list(plain).index("metrics") + 1


def test_results_from_before_single_views_are_still_read(tmp_path):
    write_results(make_results(predictions(*ROWS)), tmp_path / "results.json")
    value = json.loads((tmp_path / "results.json").read_text())
    del value["metrics_single_view"]
    (tmp_path / "results.json").write_text(json.dumps(value))
    assert read_results(tmp_path / "results.json") == make_results(predictions(*ROWS))
