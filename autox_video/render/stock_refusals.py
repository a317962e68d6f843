"""What a config for MMAction2 alone cannot hold."""

from __future__ import annotations

from autox_video.errors import Problem, RequestError
from autox_video.plan.schema import Plan


def refuse_what_mmaction2_lacks(plan: Plan) -> None:
    """See to it that MMAction2 can do all that is planned, without this package's modules.

    Raises:
        RequestError: It cannot.
    """
    rate, magnitude = plan.target_fps.value, plan.rand_augment.value
    refused = {
        "data.balance": plan.balance.value == "sampler"
        and ("MMAction2 has no sampler that balances classes", "Choose weights or none", "sampler"),
        "augment.num_repeats": plan.num_repeats.value > 1
        and ("MMAction2 cannot make several views of one decoding", "Leave it out", str(plan.num_repeats.value)),
        "clip.target_fps": rate is not None
        and (
            "MMAction2's own sampling by frame rate spreads the frames wider than asked for",
            "Set clip.frame_interval",
            f"{rate:g}",
        ),
        "augment.rand_augment": magnitude
        and (
            "MMAction2's own RandAugment needs imgaug, which works with no current numpy",
            "Set augment.rand_augment to 0",
            f"{magnitude:g}",
        ),
    }
    problems = [Problem(key, said[0], f"{said[1]} for this config", said[2]) for key, said in refused.items() if said]
    if problems:
        raise RequestError(problems)
