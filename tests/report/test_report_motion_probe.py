from __future__ import annotations

import dataclasses
import json

import jsonschema
import numpy as np
import pytest
from test_report_calibration import RESOURCES

from autox_video.predictions import Prediction, Predictions, mark_recordings
from autox_video.report.bootstrap import binomial_p, interval, mean_interval, sign_test
from autox_video.report.outcome import make_outcome, outcome_lines
from autox_video.report.results import to_plain

CLASSES = ("ball", "left", "jump")
ORDERS = ("as_is", "still", "shuffled", "reversed")


def vote(label: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[label] * 0.7 + np.float32(0.1)


def probed(said: dict[int, tuple[str, str, str, str]], **given) -> Predictions:
    """Videos of each class; a digit a video says for which class it is taken in each order of its frames."""
    rows = []
    for label, orders in said.items():
        for number, digits in enumerate(zip(*orders, strict=True)):
            scores = dict(zip(ORDERS, (vote(int(digit)) for digit in digits), strict=True))
            rows.append(Prediction(f"{label}_{number}.mp4", label, scores.pop("as_is"), order_scores=scores, **given))
    return Predictions("single_label", "nano", CLASSES, "/best.pth", "0" * 64, 3, "/videos", 1, 1, tuple(rows))


BALL = ("0" * 12,) * 4
LEFT = ("1" * 12, "0" * 12, "012" * 4, "2" * 12)


@pytest.mark.parametrize(
    ("said", "needs", "told"),
    [
        (
            {0: BALL, 1: ("1" * 12, "2" * 12, "1" * 12, "1" * 12)},
            "still",
            "is recognised from one still frame: 1.00, and 1.00 as it is",
        ),
        (
            {0: ("0" * 12, "2" * 12, "0" * 12, "0" * 11 + "1"), 1: LEFT},
            "motion",
            "needs motion: 1.00 as it is, 0.00 from one still frame, 1.00 with its frames shuffled, 0.92 backwards",
        ),
        (
            {0: ("0" * 12, "0" * 12, "0" * 12, "1" * 12), 1: LEFT},
            "direction",
            "needs the direction of time: 1.00 as it is, 0.00 backwards, 1.00 from one still frame",
        ),
        (
            {0: BALL, 1: LEFT},
            "default",
            "is what the model says of still frames whatever they show: 1.00 of its own, 100% of other classes' too",
        ),
        (
            {0: ("1" * 12,) * 4, 1: LEFT},
            "missed",
            "is not recognised as it is (0.00), so there is nothing to lose",
        ),
        (
            {0: ("0" * 4, "0" * 3 + "2", "0" * 4, "0" * 4), 2: ("2" * 4,) * 4},
            "unknown",
            "has too few videos to tell: 1.00 as it is, 0.75 from one still frame, 1.00 backwards",
        ),
        # Five of five lost may be chance: 2 / 2 ** 5 is more than 0.05.
        (
            {0: ("0" * 5, "2" * 5, "0" * 5, "0" * 5), 2: ("2" * 5,) * 4},
            "unknown",
            "has too few videos to tell: 1.00 as it is, 0.00 from one still frame, 1.00 backwards",
        ),
    ],
)
def test_a_sentence_says_what_a_class_needs(said, needs, told):
    first = make_outcome(probed(said)).probe.classes[0]
    assert (first.label, first.needs, first.told) == ("ball", needs, told)


def test_a_loss_within_one_recording_is_no_evidence():
    predictions = probed({0: ("0" * 12, "2" * 12, "0" * 12, "0" * 12), 1: LEFT})
    assert make_outcome(predictions).probe.classes[0].needs == "motion"
    same = {("test", row.path): "one film" for row in predictions.rows}
    assert make_outcome(mark_recordings(predictions, same)).probe.classes[0].needs == "unknown"


def test_the_console_and_the_file_say_it_of_all(tmp_path):
    results = make_outcome(probed({0: BALL, 1: LEFT}))
    assert [line for line in outcome_lines(results) if line.startswith("probe")] == [
        "probe    right: as is 1.000  still 0.500  shuffled 0.667  reversed 0.500",
        "probe    of 3 classes 1 need the direction of time; 1 are what the model says of still frames whatever they "
        "show; 1 have too few videos to tell",
    ]
    left, jump = results.probe.classes[1:]
    assert [(way.order, way.accuracy, way.false_alarms) for way in left.ways] == [
        ("as_is", 1.0, 0.0),
        ("still", 0.0, 0.0),
        ("shuffled", pytest.approx(1 / 3), 0.0),
        ("reversed", 0.0, 0.0),
    ]
    assert (jump.ways, jump.told) == ((), "has no labelled test video")
    plain = json.loads(json.dumps(to_plain(results)))
    jsonschema.validate(plain, json.loads((RESOURCES / "results.schema.json").read_text(encoding="utf-8")))


def test_labels_that_do_not_exclude_each_other_are_probed_by_their_thresholds():
    single = probed({0: BALL, 1: LEFT})
    rows = tuple(dataclasses.replace(row, label=(row.label,)) for row in single.rows)
    results = make_outcome(dataclasses.replace(single, task="multi_label", rows=rows, thresholds=(0.5,) * 3))
    assert [one.needs for one in results.probe.classes] == ["default", "direction", "unknown"]
    everything = make_outcome(dataclasses.replace(single, task="multi_label", rows=rows, thresholds=(0.05,) * 3))
    assert [one.needs for one in everything.probe.classes[:2]] == ["missed", "missed"]
    plain = json.loads(json.dumps(to_plain(results)))
    jsonschema.validate(plain, json.loads((RESOURCES / "results_multi_label.schema.json").read_text(encoding="utf-8")))


def test_without_the_probe_or_without_labels_nothing_is_said():
    rows = probed({0: BALL}).rows
    for changed in ({"order_scores": None}, {"label": None}):
        some = dataclasses.replace(probed({}), rows=tuple(dataclasses.replace(row, **changed) for row in rows))
        assert make_outcome(some).probe is None
        assert "probe" not in to_plain(make_outcome(some))


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(0, 0, 1.0), (5, 0, 2 / 2**5), (6, 0, 2 / 2**6), (3, 3, 1.0), (1, 7, 2 * 9 / 2**8), (3000, 2000, 0.0)],
)
def test_a_coin_falls_so_unevenly_by_chance(first, second, p):
    assert binomial_p(first, second) == binomial_p(second, first) == pytest.approx(p, abs=1e-12)


def test_videos_of_one_recording_have_one_say():
    values = np.array([1.0, 1.0, 1.0, -1.0, 0.0])
    assert sign_test(values, [*"abcde"]) == binomial_p(3, 1)
    assert sign_test(values, [*"aaabc"]) == binomial_p(1, 1)


def test_the_quick_interval_is_that_of_the_general_one():
    generator = np.random.default_rng(0)
    values, groups = generator.normal(size=60), generator.integers(20, size=60).tolist()
    assert mean_interval(values, groups) == pytest.approx(interval(lambda some: float(values[some].mean()), groups))


def test_a_single_recording_leaves_every_difference_open():
    values = np.array([1.0, 1.0, 0.0])
    assert mean_interval(values, [*"aaa"]) == (-1, 1)
    assert interval(lambda some: float(values[some].mean()), [*"aaa"]) == (-1, 1)
