from __future__ import annotations

import torch

from autox_video.runner.evaluator import ScoreMetric


def sample(name: str, label: int, *scores: float) -> dict:
    return {"filename": name, "gt_label": torch.tensor([label]), "pred_score": torch.tensor(scores)}


def test_figures_cover_the_labelled_videos_and_rows_keep_all_in_order():
    metric = ScoreMetric(task="single_label")
    metric.process(None, [sample("a", 0, 0.9, 0.1, 0.0), sample("b", -1, 0.5, 0.3, 0.2)])
    metric.process(None, [sample("c", 1, 0.2, 0.1, 0.7)])
    figures = metric.evaluate(3)
    assert figures["top1"] == 0.5
    # Stock counts the class that is predicted and never present as a third of accuracy 0.
    assert figures["mean_class_accuracy"] == 0.5
    assert [name for name, _, _ in metric.rows] == ["a", "b", "c"]
    assert [label for _, label, _ in metric.rows] == [0, None, 1]


def test_padding_of_a_sharded_test_is_dropped():
    metric = ScoreMetric(task="single_label")
    metric.process(None, [sample("a", 0, 0.9, 0.1), sample("a", 0, 0.9, 0.1)])
    metric.evaluate(1)
    assert len(metric.rows) == 1


def test_without_labels_there_is_no_figure():
    metric = ScoreMetric(task="single_label")
    metric.process(None, [sample("a", -1, 0.9, 0.1)])
    assert metric.evaluate(1) == {}
    assert len(metric.rows) == 1
