"""What the first process of a run hands to the others: see `runner.distributed.decided_by_first`."""

from __future__ import annotations

from dataclasses import dataclass

from autox_video.dataset.facts import Fingerprint
from autox_video.plan.schema import Plan


@dataclass(frozen=True)
class TrainingJob:
    """What it decided for all that train.

    Attributes:
        plan: Every value of the run.
        resume_from: The checkpoint to go on from, or None to start.
        finished_epochs: The epochs of a run that is finished already; None where there is something to do.
    """

    plan: Plan
    resume_from: str | None
    finished_epochs: int | None


@dataclass(frozen=True)
class ScoringJob:
    """What it decided for all that test.

    Attributes:
        plan: Every value of the test.
        fingerprint: The facts on the test split.
    """

    plan: Plan
    fingerprint: Fingerprint
