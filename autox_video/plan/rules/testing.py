"""How a video is scored at test time."""

from __future__ import annotations

import math

from autox_video.dataset.facts import SplitFacts
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.batch import CPU_SHARE
from autox_video.plan.rules.by_task import ONE_LABEL
from autox_video.plan.rules.common import asked, given
from autox_video.plan.schema import Decision, Hardware
from autox_video.presets import Card
from autox_video.settings.schema import Settings

# Three crops of a frame that is less than this much longer than high are nearly the same crop.
SQUARE_RATIO = 1.15
# A rest of a video shorter than this share of a clip is not worth another clip.
NEGLIGIBLE_CLIP_SHARE = 0.25
# Two have no order but theirs and its reverse.
LEAST_FRAMES_TO_SHUFFLE = 3


def choose_test_num_clips(settings: Settings, card: Card, facts: SplitFacts, clip_seconds: float) -> Decision[int]:
    """Clips sampled evenly from a video: the recipe's, or fewer where fewer cover it.

    Args:
        facts: The split that is scored.
        clip_seconds: What one clip covers.

    Raises:
        RequestError: It is asked for twice.
    """
    if decision := _asked_views(settings, "test.num_clips", 0):
        return decision
    if card.sampling != "dense":
        return Decision(
            card.test_num_clips, "preset", "the recipe of the preset; each clip is spread over the whole video"
        )
    covering = max(1, math.ceil(facts.duration_seconds.p50 / clip_seconds - NEGLIGIBLE_CLIP_SHARE))
    what = f"a clip covers {clip_seconds:.2g} s of {facts.duration_seconds.p50:.2g} s"
    if covering < card.test_num_clips:
        return Decision(covering, "data", f"enough to cover a video: {what}")
    return Decision(card.test_num_clips, "preset", f"the recipe of the preset; {what}")


def choose_test_num_crops(settings: Settings, card: Card, facts: SplitFacts) -> Decision[int]:
    """Crops of each clip: 1 (centre) or 3 (along the longer side).

    Raises:
        RequestError: It is asked for twice.
    """
    if decision := _asked_views(settings, "test.num_crops", 1):
        return Decision(int(decision.value), decision.source, decision.why)
    ratio = facts.long_side_px.p50 / facts.short_side_px.p50
    if card.test_num_crops > 1 and ratio < SQUARE_RATIO:
        return Decision(1, "data", "the videos are nearly square: three crops would be one")
    return Decision(card.test_num_crops, "preset", "the recipe of the preset")


def _asked_views(settings: Settings, key: str, part: int) -> Decision[int] | None:
    """What the user asks of one of the two keys that `test.views` is short for."""
    views, own = asked(settings, "test.views"), asked(settings, key)
    if views is None:
        return own
    value = int(views.value.split("x")[part])
    if own is not None and int(own.value) != value:
        wrong = f"contradicts test.views, which is {views.value}"
        raise RequestError(Problem(f"{own.source}: {key}", wrong, "Keep one of the two", str(own.value)))
    return Decision(value, views.source, f"as asked: test.views is {views.value}")


def choose_motion_probe(settings: Settings, clip_len: int) -> Decision[bool]:
    """Whether the test shows the frames of each video stopped, shuffled and reversed too.

    Raises:
        RequestError: A clip has too few frames to shuffle.
    """
    decision: Decision[bool] = given(settings, "test.probe")
    if decision.value and clip_len < LEAST_FRAMES_TO_SHUFFLE:
        wrong = f"asks what the order of frames means to a model whose clips have {clip_len}"
        cure = f"Leave it out, or train with clips of {LEAST_FRAMES_TO_SHUFFLE} frames or more"
        raise RequestError(Problem(f"{decision.source}: test.probe", wrong, cure, "true"))
    return decision


def choose_scoring_threads(hardware: Hardware, views: int, clip_gib: float) -> Decision[int]:
    """Batches that a validation or a test computes on at a time: on a CPU one on each core, as far as memory allows.

    Args:
        hardware: The machine.
        views: Views of a video.
        clip_gib: Memory that one of them needs at most.
    """
    if hardware.num_gpus:
        return Decision(1, "hardware", "a GPU is busy with one")
    cores = max(1, hardware.num_cpus // hardware.devices_per_machine)
    room = CPU_SHARE * hardware.memory_gib / hardware.devices_per_machine
    fit = max(1, int(room / (views * clip_gib)))
    if fit < cores:
        why = f"the {views} view(s) of a video may need {views * clip_gib:.2g} GiB, and {room:.3g} GiB may be used"
        return Decision(fit, "hardware", why)
    return Decision(cores, "hardware", "each core has a batch of its own, while it does not decode")


def choose_scoring_amp(amp: Decision[str], device: str, task: str) -> Decision[str]:
    """Number format of validation and test: off, float16 or bfloat16.

    bfloat16 made one video in 160 another class for one of five models of the demo. So where it is used, what it may
    have decided is decided again in float32: that pays on a GPU, where float32 takes many times as long.
    """
    if amp.value == "off":
        return Decision("off", amp.source, amp.why)
    if device == "cpu":
        return Decision("off", "hardware", f"float32 decides, and takes a processor little longer than {amp.value}")
    if task != ONE_LABEL:
        return Decision("off", "plan", "average precision depends on the order of all scores")
    return Decision(amp.value, "plan", "as in training; a close call is decided again in float32")


def choose_test_videos_per_gpu(videos_per_gpu: int, views: int, threads: int) -> Decision[int]:
    """Videos of a batch in a test: all that are scored at a time are no more clips than two training batches."""
    value = max(1, 2 * videos_per_gpu // (views * threads))
    at_a_time = f", {threads} batches at a time" if threads > 1 else ""
    return Decision(value, "default", f"{views} view(s) of each{at_a_time}: no more clips than two training batches")
