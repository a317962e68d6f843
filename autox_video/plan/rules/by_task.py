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


def choose_balance(settings: Settings, train: SplitFacts, task: str) -> Decision[str]:
    """What is done about classes of different size: `none`, `sampler` or `weights`.

    With several labels, weights only where they are asked for: a weight counts for the videos without the label too,
    so it does not make up for their number.

    Raises:
        RequestError: `data.balance` asks for what the task has not.
    """
    if task == ONE_LABEL:
        return schedule.choose_balance(settings, train)
    if (decision := asked(settings, "data.balance")) and decision.value == "sampler":
        wrong = "a video with several labels cannot be drawn for one of them alone"
        raise RequestError(Problem(f"{decision.source}: data.balance", wrong, "Choose none or weights", "sampler"))
    return decision or Decision("none", "default", "a rare label has a threshold of its own instead")
