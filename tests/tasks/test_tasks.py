from __future__ import annotations

import numpy as np
import pytest

from autox_video.tasks import load_task, task_names


@pytest.mark.parametrize("name", task_names())
def test_every_task_has_what_the_stages_call(name):
    task = load_task(name)
    head = task.head_settings(3, None)
    assert head["num_classes"] == 3
    assert task.head_settings(2, (0.5, 2.0))["loss_cls"]["class_weight"] == [0.5, 2.0]
    assert "type" in task.stock_evaluator(3)
    assert isinstance(task.dataset_settings(3), dict)
    scores = task.probabilities(np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]], dtype=np.float32))
    assert scores.dtype == np.float32
    encoded = {"single_label": [[0], [2], [-1]], "multi_label": [[1, 0, 0], [0, 1, 1], [0, 0, 0]]}[name]
    labels = [task.read_label(np.array(one)) for one in encoded]
    assert labels[2] is None
    true = task.label_array(labels[:2], 3)
    figures = task.score_metrics(scores, true)
    assert set(task.BEST_METRICS) <= set(task.VAL_FIGURES) == figures.keys() - {"loss"}
    assert task.SHOWN[0] in task.VAL_FIGURES
    assert set(task.TRAIN_FIGURES) <= set(task.VAL_FIGURES)
    thresholds = task.choose_thresholds(scores, true)
    assert thresholds is None or len(thresholds) == 3
    with pytest.raises(ValueError, match="at least one labelled video"):
        task.score_metrics(scores[:0], true[:0])


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


@pytest.mark.parametrize(
    ("scores", "close"),
    [
        ([0.6, 0.4], False),
        ([0.51, 0.49], True),
        # Which class is third of four changes no figure.
        ([0.6, 0.2, 0.1, 0.1], False),
        ([0.5, 0.2, 0.1, 0.1, 0.06, 0.04], False),
        ([0.5, 0.2, 0.1, 0.1, 0.05, 0.05], True),
        ([0.05, 0.5, 0.05, 0.1, 0.1, 0.2], True),
        ([1.0], False),
    ],
)
def test_a_call_is_close_where_the_first_or_the_fifth_class_is_hardly_ahead(scores, close):
    assert load_task("single_label").is_close(np.array(scores)) is close
