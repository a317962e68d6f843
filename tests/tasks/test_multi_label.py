from __future__ import annotations

import numpy as np
import pytest

from autox_video.tasks.multi_label import (
    average_precision,
    choose_thresholds,
    label_array,
    probabilities,
    read_label,
    score_metrics,
)


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.9, 0.8, 0.1], [1, 1, 0], 1.0),
        ([0.9, 0.8, 0.1], [0, 0, 1], 1 / 3),
        ([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0], (1 + 2 / 3) / 2),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0], 1 / 4),  # equal scores say nothing, in whatever order they stand
        ([0.5, 0.5, 0.5, 0.5], [0, 0, 0, 1], 1 / 4),
    ],
)
def test_average_precision_is_the_area_under_the_steps(scores, labels, expected):
    assert average_precision(np.array(scores), np.array(labels, dtype=bool)) == pytest.approx(expected)


def test_the_mean_is_over_the_labels_that_occur():
    scores = np.array([[0.9, 0.2, 0.9], [0.1, 0.8, 0.9]])
    figures = score_metrics(scores, label_array([(0,), (1,)], 3))
    assert figures["mean_average_precision"] == 1.0
    assert figures["loss"] == pytest.approx(-np.log([0.9, 0.8, 0.1, 0.9, 0.8, 0.1]).mean())


@pytest.mark.parametrize(
    ("scores", "labels", "threshold"),
    [
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 0.5),
        ([0.3, 0.2, 0.1], [1, 0, 0], 0.25),
        ([0.9, 0.6, 0.5], [1, 1, 1], 0.25),  # the lowest score that counts, half-way to 0
        ([0.9, 0.8], [0, 0], 0.5),  # nothing to learn it from
        ([0.9, 0.9], [1, 0], 0.45),
    ],
)
def test_the_threshold_of_a_label_has_the_best_f1(scores, labels, threshold):
    (chosen,) = choose_thresholds(np.array([scores]).T, np.array([labels], dtype=bool).T)
    assert chosen == pytest.approx(threshold)


def test_no_logit_is_too_large():
    assert probabilities(np.array([-1e30, 0.0, 1e30], dtype=np.float32)).tolist() == [0.0, 0.5, 1.0]


def test_a_vector_without_a_one_is_no_label():
    assert read_label(np.array([0.0, 1.0, 1.0])) == (1, 2)
    assert read_label(np.zeros(3)) is None
