from __future__ import annotations

import numpy as np
import pytest

from autox_video.tasks import load_task, task_names


@pytest.mark.parametrize("name", task_names())
def test_every_task_has_what_the_stages_call(name):
    task = load_task(name)
    assert task.BEST_METRICS
    head = task.head_settings(3, None)
    assert head["num_classes"] == 3
    assert "type" in task.stock_evaluator(3)
    scores, labels = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]]), np.array([0, 2])
    figures = task.score_metrics(scores, labels)
    assert set(figures) >= set(task.BEST_METRICS)
    assert task.confusion_matrix(scores, labels).sum() == 2


def test_top_k_counts_ties_by_the_first_class():
    task = load_task("single_label")
    scores = np.array([[0.5, 0.5, 0.0]])
    assert task.predicted_label(scores[0]) == 0
    assert task.score_metrics(scores, np.array([1]))["top1"] == 0.0


@pytest.mark.parametrize(
    ("labels", "predicted", "top1", "mean"),
    [
        ([0, 0, 0, 1], [0, 0, 0, 0], 0.75, 0.5),
        ([0, 0, 0, 1], [0, 0, 0, 1], 1.0, 1.0),
        ([0, 0], [2, 0], 0.5, 0.5),
    ],
)
def test_mean_class_accuracy_is_over_the_classes_that_occur(labels, predicted, top1, mean):
    figures = load_task("single_label").score_metrics(np.eye(3)[predicted], np.array(labels))
    assert (figures["top1"], figures["mean_class_accuracy"]) == (top1, mean)


def test_class_weights_reach_the_loss():
    assert load_task("single_label").head_settings(2, (0.5, 2.0))["loss_cls"]["class_weight"] == [0.5, 2.0]


def test_no_video_is_no_figure():
    with pytest.raises(ValueError, match="at least one labelled video"):
        load_task("single_label").score_metrics(np.zeros((0, 3)), np.zeros(0, dtype=int))
