"""What `autox-video ensemble` adds to the results: its members, their weights, and what they gain together."""

from __future__ import annotations

from dataclasses import dataclass

from autox_video.predictions import Predictions
from autox_video.report.bootstrap import Gain
from autox_video.report.common import Checkpoint, Views


@dataclass(frozen=True)
class Member:
    """One model of an ensemble.

    Attributes:
        run: Its work dir or results file, as it was named.
        model: Name of the preset.
        checkpoint: Its weights.
        views: How it saw each video.
        weight: Its share of the mean.
        metrics: Its own figures on the videos that all members have scored; None where none is labelled.
        val_loss: Its log loss on the validation videos; None where they were not scored.
    """

    run: str
    model: str
    checkpoint: Checkpoint
    views: Views
    weight: float
    metrics: dict[str, float] | None
    val_loss: float | None

    @staticmethod
    def of(
        run: str, scored: Predictions, weight: float, metrics: dict[str, float] | None, val_loss: float | None
    ) -> Member:
        """The member that has scored the videos."""
        checkpoint = Checkpoint(scored.checkpoint, scored.checkpoint_sha256, scored.epoch)
        views = Views(scored.num_clips, scored.num_crops)
        return Member(run, scored.model, checkpoint, views, weight, metrics, val_loss)


@dataclass(frozen=True)
class Ensemble:
    """Several models whose probabilities were averaged.

    Attributes:
        weights: How the weights were chosen, in words.
        val_loss: Log loss of the ensemble on the validation videos; None where they were not scored.
        members: One entry a model.
        best: The member that is best by itself on the test videos: the hardest to gain on; None without labels.
        gain: What the ensemble gains over that one.
    """

    weights: str
    val_loss: float | None
    members: tuple[Member, ...]
    best: str | None
    gain: Gain | None


def ensemble_lines(ensemble: Ensemble | None) -> list[str]:
    """Members and gain for the console; nothing where there is one model."""
    if ensemble is None:
        return []
    lines = []
    for member in ensemble.members:
        figures = "".join(f"  {name} {value:.3f}" for name, value in (member.metrics or {}).items())
        val = "" if member.val_loss is None else f"  val loss {member.val_loss:.3f}"
        lines.append(f"weight {member.weight:.3f}  {member.run}: {member.model}{figures}{val}")
    lines.append(f"weights  {ensemble.weights}")
    if gain := ensemble.gain:
        span = f"95 % interval {gain.low:+.3f} to {gain.high:+.3f}"
        lines.append(f"gain     {gain.figure} {gain.value:+.3f} over {ensemble.best} ({span}): {gain.told}")
    return lines
