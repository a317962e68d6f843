"""What is decided otherwise where a video has several labels."""

from __future__ import annotations

from autox_video.dataset.facts import SplitFacts
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules import schedule
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision
from autox_video.settings.schema import Settings
from autox_video.tasks import load_task

ONE_LABEL = "single_label"


def choose_best_metric(settings: Settings, train: SplitFacts, task: str) -> Decision[str]:
    """The validation figure that decides which checkpoint is best.

    Raises:
        RequestError: `train.best_metric` asks for a figure of another task.
    """
    known = load_task(task).BEST_METRICS
    if (decision := asked(settings, "train.best_metric")) and decision.value not in known:
        where = f"{decision.source}: train.best_metric"
        raise RequestError(Problem(where, f"is no figure of {task}", f"Choose {' or '.join(known)}", decision.value))
    if task == ONE_LABEL:
        return schedule.choose_best_metric(settings, train)
    return decision or Decision(known[0], "data", "a video has several labels")


def choose_class_weights(settings: Settings, train: SplitFacts, task: str) -> Decision[tuple[float, ...] | None]:
    """One weight a class for the loss, inverse to its number of videos, or None.

    With several labels, only where that is asked for: a weight counts for the videos without the label too, so it
    does not make up for their number.
    """
    if task == ONE_LABEL or asked(settings, "train.class_weights"):
        return schedule.choose_class_weights(settings, train)
    return Decision(None, "default", "a rare label has a threshold of its own instead")
