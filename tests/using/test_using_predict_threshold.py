"""`predict --threshold` compares what it shows: calibrated probabilities."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autox_video.tasks import load_task
from autox_video.using.predict.asked import Asked, best_labels, results_of
from autox_video.using.predict.inputs import Inputs, Video
from autox_video.using.predict.journal import Row

CLASSES = ("a", "b", "c", "d", "e")
SCORES = np.array([0.02, 0.27, 0.35, 0.55, 0.93], np.float32)


def predictor(temperature: float | None) -> Any:
    def of(value: object) -> SimpleNamespace:
        return SimpleNamespace(value=value)

    plan = SimpleNamespace(task="multi_label", model=of("m"), test_num_clips=of(1), test_num_crops=of(1))
    return SimpleNamespace(
        plan=plan,
        classes=CLASSES,
        task=load_task("multi_label"),
        thresholds=(0.5,) * len(CLASSES),
        temperature=temperature,
        trained=SimpleNamespace(path="best.pth", sha256="0", epoch=1, calibration=None),
    )


@pytest.mark.parametrize("temperature", [None, 1.0, 0.5, 2.0])
@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.3, 0.4, 0.6, 1.0])
def test_a_threshold_is_held_against_the_probabilities_that_are_shown(threshold, temperature):
    model, asked = predictor(temperature), Asked((), threshold=threshold)
    results: Any = results_of(asked, model, Inputs("", (Video("/a.mp4", "a.mp4"),), {}, (), ()), [Row(SCORES)])
    (video,) = results.videos
    shown = model.task.tempered(SCORES, temperature or 1.0)
    expected = {name: pytest.approx(one) for name, one in zip(CLASSES, shown.tolist(), strict=True) if one >= threshold}
    assert dict(best_labels(asked, model, video)) == expected
    # What stands in the file is a level of scores, as in the results of a test.
    assert {label.name for label in video.predicted_labels} == expected.keys()
    assert [name for name, score in zip(CLASSES, video.scores, strict=True) if score >= results.thresholds[0]] == [
        label.name for label in video.predicted_labels
    ]


def test_the_results_say_which_score_a_threshold_stands_for():
    inputs = Inputs("", (Video("/a.mp4", "a.mp4"),), {}, (), ())
    said = {
        temperature: results_of(Asked((), threshold=0.3), predictor(temperature), inputs, [Row(SCORES)]).thresholds_note
        for temperature in (None, 2.0)
    }
    assert said == {
        None: "0.3 for each label, as asked",
        2.0: "0.3 for each label, as asked, a calibrated probability; the scores that have it are 0.1552",
    }
