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
    assert [(name, label) for name, label, _, _ in metric.rows] == [("a", 0), ("b", None), ("c", 1)]


def test_a_video_that_could_not_be_read_has_no_scores_and_no_part_in_the_figures():
    metric = ScoreMetric(task="single_label")
    metric.process(None, [sample("a", 0, 0.9, 0.1), {**sample("b", 1, 0.9, 0.1), "error": "is empty"}])
    assert metric.evaluate(2)["top1"] == 1.0
    assert metric.rows[1] == ("b", 1, None, "is empty")


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
