"""The evaluator of validation and test: it keeps every score with its file and computes the task's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, broadcast_object_list
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS

from autox_video.calibration import calibrate
from autox_video.predictions import FRAME_ORDERS, Calibration
from autox_video.runner.frame_orders import field_of
from autox_video.runner.single_view import SINGLE_VIEW_SCORE
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
        single_view_scores: Of the same videos, what one view says of each; None where there is but one, or no score.
        order_scores: Of the same videos, what is said of their frames in other orders; None where that was not asked.
        thresholds: After an evaluation: what the task makes of it to decide by; None where it needs none.

    Args:
        task: Module in `autox_video.tasks`.
    """

    default_prefix = None

    def __init__(self, task: str) -> None:
        super().__init__()
        self.task = load_task(task)
        self.rows: list[Row] = []
        self.single_view_scores: list[np.ndarray | None] = []
        self.order_scores: list[dict[str, Any] | None] = []
        self.thresholds: tuple[float, ...] | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep one batch."""
        for sample in data_samples:
            error = sample.get("error")
            scores, single = (self._probabilities(sample.get(name)) for name in ("pred_score", SINGLE_VIEW_SCORE))
            label = self.task.read_label(sample["gt_label"].reshape(-1).cpu().numpy())
            row: Row = (sample["filename"], label, None if error else scores, error)
            probed = {order: self._probabilities(sample.get(field_of(order))) for order in FRAME_ORDERS}
            known = not error and all(one is not None for one in probed.values())
            self.results.append((row, None if error else single, probed if known else None))

    def _probabilities(self, score: Any) -> np.ndarray | None:
        if score is None:
            return None
        probabilities: np.ndarray = self.task.probabilities(score.detach().float().cpu().numpy())
        return probabilities

    def evaluate(self, size: int) -> dict[str, float]:
        """Put together what all processes have scored; each of them has all rows and the same figures.

        MMEngine's own way leaves the rows with the first process, and passes them through files in the current folder.

        Args:
            size: Length of the list; what the samplers repeated to give all processes as many is dropped.
        """
        shares = all_gather_object(self.results)
        # The samplers deal: line n is result n // world_size of process n % world_size.
        found = [one for turn in zip(*shares, strict=True) for one in turn][:size]
        self.results.clear()
        self.single_view_scores = [single for _, single, _ in found]
        self.order_scores = [probed for _, _, probed in found]
        figures = [self.compute_metrics([row for row, _, _ in found])]
        # Other processors may round otherwise, and all processes must find the same epoch best.
        broadcast_object_list(figures)
        return figures[0]

    def compute_metrics(self, results: list[Row]) -> dict[str, float]:
        """The task's figures over the labelled videos; none when no video has a label."""
        self.rows = results
        if (labelled := self._labelled()) is None:
            return {}
        scores, labels = labelled
        self.thresholds = self.task.choose_thresholds(scores, labels)
        figures: dict[str, float] = self.task.score_metrics(scores, labels)
        return figures

    def calibration(self) -> Calibration | None:
        """What the evaluated videos say of how far scores can be believed; None when none of them has a label."""
        if (labelled := self._labelled()) is None:
            return None
        return calibrate(self.task.__name__.rpartition(".")[2], *labelled, self.thresholds)

    def _labelled(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Scores and labels of the videos that have both."""
        found = [(label, scores) for _, label, scores, _ in self.rows if label is not None and scores is not None]
        if not found:
            return None
        scores = np.stack([scores for _, scores in found])
        return scores, self.task.label_array([label for label, _ in found], scores.shape[1])
