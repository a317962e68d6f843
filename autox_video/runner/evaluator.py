"""The evaluator of validation and test: it keeps every score with its file and computes the task's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS

from autox_video.tasks import load_task

Row = tuple[str, Any, np.ndarray | None, str | None]


@METRICS.register_module()
class ScoreMetric(BaseMetric):
    """Figures of the task over all labelled videos.

    Stock `AccMetric` drops the file names and counts a class that is only predicted, never
    present, as one more class of accuracy 0.

    Attributes:
        rows: After an evaluation: `(filename, label, scores, error)` of each video in the order of
            the list; `label` is None where there is none, `scores` are probabilities, float32 of shape
            (num_classes,), or None where the video could not be read and `error` says why.
        thresholds: After an evaluation: what the task makes of it to decide by; None where it needs none.

    Args:
        task: Module in `autox_video.tasks`.
    """

    default_prefix = None

    def __init__(self, task: str) -> None:
        super().__init__(collect_device="cpu")
        self.task = load_task(task)
        self.rows: list[Row] = []
        self.thresholds: tuple[float, ...] | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep one batch."""
        for sample in data_samples:
            error = sample.get("error")
            scores = None if error else self.task.probabilities(sample["pred_score"].detach().float().cpu().numpy())
            label = self.task.read_label(sample["gt_label"].reshape(-1).cpu().numpy())
            self.results.append((sample["filename"], label, scores, error))

    def compute_metrics(self, results: list[Row]) -> dict[str, float]:
        """The task's figures over the labelled videos; none when no video has a label."""
        self.rows = results
        labelled = [(label, scores) for _, label, scores, _ in results if label is not None and scores is not None]
        if not labelled:
            return {}
        scores = np.stack([scores for _, scores in labelled])
        labels = self.task.label_array([label for label, _ in labelled], scores.shape[1])
        self.thresholds = self.task.choose_thresholds(scores, labels)
        figures: dict[str, float] = self.task.score_metrics(scores, labels)
        return figures
