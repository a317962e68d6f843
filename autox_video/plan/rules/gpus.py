"""How many GPUs, or processes on a processor, train together."""

from __future__ import annotations

from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Hardware
from autox_video.settings.schema import Settings


def choose_processes(settings: Settings, found: Hardware) -> int:
    """Processes of a run that nobody else has started: one for each GPU; on a processor as many as are asked for.

    Args:
        settings: What the user asked.
        found: This machine, with the GPUs that are visible.

    Raises:
        RequestError: More GPUs are asked for than are visible.
    """
    decision = asked(settings, "runtime.gpus")
    if decision is None:
        return max(1, found.num_gpus)
    on_cpu = settings.runtime.device == "cpu"
    if decision.value > found.num_gpus and not on_cpu:
        wrong = f"asks for more GPUs than the {found.num_gpus} that are visible"
        cure = "Write auto, or with runtime.device: cpu as many processes on the processor"
        raise RequestError(Problem(f"{decision.source}: runtime.gpus", wrong, cure, str(decision.value)))
    return int(decision.value)
