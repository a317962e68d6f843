"""Whether `torch.compile` earns its warm-up."""

from __future__ import annotations

from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision
from autox_video.presets import Card
from autox_video.settings.schema import Settings

# Seconds that the first steps take longer. On two cores 18 to 157 s were measured (Video Swin, torch 2.15); on a GPU
# the same order is assumed. (Beside other work on both cores it was over ten minutes.)
WARMUP_SECONDS = 160
# How many times the warm-up has to come back before it is worth the risk of an estimate that is this rough.
MARGIN = 3
# What an eager step reaches on a large GPU. A smaller one gains more seconds, and is so judged with caution.
FLOPS_PER_SECOND = {"cuda": 1.5e14}
# Share of a step that compiling saves. On a GPU inferred, not measured: attention is fused, elementwise steps too.
SAVED_SHARE = {"cuda": 0.25}


def choose_compile(
    settings: Settings, card: Card, device: str, clip_len: int, input_size: int, num_clips: int, strategy: str = "ddp"
) -> Decision[str]:
    """`on` or `off`; left to us `on` where the planned run saves several times the warm-up.

    Args:
        settings: What the user asked.
        card: Of the model, for its multiply-adds.
        device: `cpu` or `cuda`.
        clip_len: Frames of a clip.
        input_size: Side of the square the network sees, in pixels.
        num_clips: That one device trains with, in all epochs together.
        strategy: `ddp` or `fsdp`.
    """
    if decision := asked(settings, "runtime.compile"):
        return decision
    if settings.runtime.deterministic:
        return Decision("off", "plan", "compiled attention does not add up in the same order each time")
    if strategy == "fsdp":
        return Decision("off", "plan", "a network in shares is not compiled")
    if device not in SAVED_SHARE:
        return Decision(
            "off", "default", "on a processor it takes minutes, and no gain over our own attention is known"
        )
    scale = clip_len * input_size**2 / (card.clip_len * card.input_size**2)
    # Forward once, backward twice, two operations a multiply-add.
    seconds = 6 * card.flops * scale * num_clips / FLOPS_PER_SECOND[device]
    saved = SAVED_SHARE[device] * seconds
    why = f"would save about {saved:.0f} of {seconds:.0f} s, after a warm-up of up to {WARMUP_SECONDS} s"
    return Decision("on" if saved >= MARGIN * WARMUP_SECONDS else "off", "plan", why)
