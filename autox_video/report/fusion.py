"""Late fusion: one prediction of several models, a weighted mean of their probabilities; weights fitted on val."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autox_video.calibration import calibrate
from autox_video.errors import Problem, RequestError
from autox_video.predictions import Calibration, Prediction, Predictions
from autox_video.report.bootstrap import Gain, paired_gain
from autox_video.report.ensembles import Ensemble, Member
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.report.side_by_side import arrays, in_common
from autox_video.tasks import load_task

MAX_STEPS = 5000
TOLERANCE = 1e-9


def fit_weights(true_probabilities: np.ndarray) -> np.ndarray:
    """The weights, at least 0 and 1 in sum, with which the mean of M models has the least log loss on N outcomes.

    By expectation maximisation for the shares of a mixture: each step lowers the loss, which is convex in the weights.

    Args:
        true_probabilities: What each model gives for what is true, shape (M, N).

    Returns:
        Shape (M,).
    """
    given = np.clip(true_probabilities.astype(np.float64), 1e-12, None)
    weights = np.full(len(given), 1 / len(given))
    for _ in range(MAX_STEPS):
        shares = weights[:, None] * given
        step = (shares / shares.sum(axis=0)).mean(axis=1)
        moved, weights = np.abs(step - weights).max(), step / step.sum()
        if moved < TOLERANCE:
            break
    return weights


def fuse(runs: Sequence[Predictions], weights: np.ndarray) -> Predictions:
    """One prediction of all runs; a video that one of them could not read has none.

    Args:
        runs: As `side_by_side.aligned` gives them.
        weights: One a run, 1 in sum.
    """
    rows = []
    for same in zip(*(run.rows for run in runs), strict=True):
        vectors = [row.scores for row in same if row.scores is not None]
        error = next((row.error for row in same if row.scores is None), None)
        leak = next((row.leak for row in same if row.leak is not None), None)
        mean = np.average(vectors, axis=0, weights=weights).astype(np.float32) if len(vectors) == len(same) else None
        rows.append(dataclasses.replace(same[0], scores=mean, error=error, leak=leak, single_view_scores=None))
    return dataclasses.replace(
        runs[0],
        model=f"ensemble of {', '.join(run.model for run in runs)}",
        checkpoint="",
        checkpoint_sha256="",
        rows=tuple(rows),
        thresholds=None,
        calibration=None,
    )


@dataclass(frozen=True)
class OnVal:
    """What the validation videos say of an ensemble.

    Attributes:
        weights: Those that fit them best.
        losses: The log loss of each member.
        runs: The members' predictions.
    """

    weights: np.ndarray
    losses: tuple[float, ...]
    runs: tuple[Predictions, ...]

    def loss(self, weights: np.ndarray) -> float:
        """The log loss of the ensemble with other weights."""
        together = fuse(self.runs, weights)
        return _loss(together, in_common(self.runs))

    def thresholds(self, weights: np.ndarray) -> tuple[float, ...] | None:
        """From which probability on a video has a label; None where labels exclude each other."""
        choose = load_task(self.runs[0].task).choose_thresholds
        thresholds: tuple[float, ...] | None = choose(*arrays(fuse(self.runs, weights), in_common(self.runs)))
        return thresholds

    def calibration(self, weights: np.ndarray) -> Calibration:
        """How far the ensemble can be believed."""
        scores, labels = arrays(fuse(self.runs, weights), in_common(self.runs))
        return calibrate(self.runs[0].task, scores, labels, self.thresholds(weights))


def look_at_val(runs: Sequence[Predictions]) -> OnVal:
    """Fit the weights of an ensemble.

    Args:
        runs: Aligned predictions of the validation videos.

    Raises:
        RequestError: No labelled video is scored by every run.
    """
    places = in_common(runs)
    if not places:
        cure = "Train anew with other validation videos, or use --weights equal"
        raise RequestError(Problem("val", "no labelled validation video can be read by every run", cure))
    right = []
    for run in runs:
        scores, labels = arrays(run, places)
        if run.task == "multi_label":
            right.append(np.where(labels, scores, 1 - scores.astype(np.float64)).reshape(-1))
        else:
            right.append(scores[np.arange(len(labels)), labels])
    return OnVal(fit_weights(np.stack(right)), tuple(_loss(run, places) for run in runs), tuple(runs))


def ensemble_results(
    runs: Mapping[str, Predictions],
    weights: np.ndarray,
    chosen: str,
    val: OnVal | None,
    group_of: Callable[[Prediction], str],
) -> AnyResults:
    """The results of an ensemble, with what it gains over the best of its members.

    Args:
        runs: The aligned predictions of the test videos, by run.
        weights: One a run.
        chosen: How the weights were chosen.
        val: What the validation videos say; None where they were not scored.
        group_of: The recording that a video is from.
    """
    together = fuse(list(runs.values()), weights)
    if val is not None:
        together = dataclasses.replace(
            together, thresholds=val.thresholds(weights), calibration=val.calibration(weights)
        )
    task, places = load_task(together.task), in_common(list(runs.values()))
    losses = val.losses if val is not None else (None,) * len(runs)
    members = []
    for (name, run), weight, loss in zip(runs.items(), weights, losses, strict=True):
        figures = task.score_metrics(*arrays(run, places)) if places else None
        members.append(Member.of(name, run, float(weight), figures, loss))
    best: str | None = None
    gain: Gain | None = None
    if places:
        best = max(members, key=lambda one: _merit(one, task.BEST_METRICS[0])).run
        scores, labels = arrays(together, places)
        others, _ = arrays(runs[best], places)
        recordings = [group_of(together.rows[place]) for place in places]
        gain = paired_gain(together.task, labels, scores, others, recordings)
    val_loss = None if val is None else val.loss(weights)
    results: Any = make_outcome(together)
    same_views = len({(run.num_clips, run.num_crops) for run in runs.values()}) == 1
    ensemble = Ensemble(chosen, val_loss, tuple(members), best, gain)
    return dataclasses.replace(results, ensemble=ensemble, views=results.views if same_views else None)


def _loss(predictions: Predictions, places: Sequence[int]) -> float:
    return float(load_task(predictions.task).score_metrics(*arrays(predictions, places))["loss"])


def _merit(member: Member, figure: str) -> tuple[float, float]:
    assert member.metrics is not None, "there are labelled videos"
    return member.metrics[figure], -member.metrics["loss"]
