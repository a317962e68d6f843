"""Whether small copies of the videos, the proxies, are written and read instead: where that makes the run shorter."""

from __future__ import annotations

from autox_video.dataset.facts import DecodeCost, Fingerprint, SplitFacts
from autox_video.plan.rules.common import asked
from autox_video.plan.rules.costs import ClipCost, ClipShape
from autox_video.plan.schema import Decision, Hardware, Plan
from autox_video.proxies.sizes import ASPECT, ENCODE_SECONDS, READ_SECONDS, is_worthwhile, proxy_side
from autox_video.settings.schema import Settings

# Every frame of a video is decoded for its proxy, and none passed over. Measured: 1.4 at 1080p.
EVERY_FRAME = 1.5
# What is estimated may be off: below this the gain is not worth the room on disk.
LEAST_GAIN, LEAST_SECONDS = 1.5, 60.0


def choose_cache(settings: Settings, fingerprint: Fingerprint, plan: Plan, clip_cost: ClipCost | None) -> Decision[str]:
    """`proxy` or `off`.

    Args:
        settings: What the user asked.
        fingerprint: What the data is, and what decoding it takes.
        plan: What the run reads of it, and on which machine.
        clip_cost: What a clip costs there; None where it is not known what decoding takes.
    """
    if decision := asked(settings, "data.cache"):
        return decision
    train = fingerprint.splits["train"]
    side = side_for(plan)
    if any(facts.num_unopened for facts in fingerprint.splits.values()):
        return Decision("off", "data", "only a sample of the videos was opened")
    if not is_worthwhile(train.short_side_px.p50, side):
        why = f"half of the videos have a short side of at most {train.short_side_px.p50:.0f} pixels, a proxy {side}"
        return Decision("off", "data", why)
    if fingerprint.decode_cost is None or clip_cost is None:
        return Decision("off", "default", "what decoding takes was not measured")
    return _by_gain(plan, fingerprint.decode_cost, clip_cost.compute_seconds, [train, fingerprint.splits["val"]], side)


def side_for(plan: Plan) -> int:
    """The short side of a proxy for this run, in pixels."""
    return proxy_side(plan.input_size.value, plan.min_crop_area.value)


def _by_gain(
    plan: Plan, cost: DecodeCost, compute_seconds: float, splits: list[SplitFacts], side: int
) -> Decision[str]:
    proxy_pixels = side * side * ASPECT
    num_frames = sum(facts.num_videos * facts.num_frames.p50 for facts in splits)
    writing = num_frames * (EVERY_FRAME * cost.seconds_per_frame + ENCODE_SECONDS * proxy_pixels)
    writing /= plan.hardware.num_cpus
    numbers = (plan.clip_len.value, plan.frame_interval.value, plan.input_size.value)
    clip = ClipShape.planned(plan.sampling.value, *numbers, splits[0])
    original, proxy = cost.clip_seconds(clip.clip_len, clip.frame_interval), READ_SECONDS * proxy_pixels * clip.span
    later_clips = (plan.epochs.value - 1) * splits[0].num_videos
    before, after = (_seconds(decode, compute_seconds, plan.hardware) for decode in (original, proxy))
    saved = later_clips * (before - after)
    takes = f"a clip takes {1e3 * original:.0f} ms of a core, from a proxy about {1e3 * proxy:.0f}"
    gain = f"over {plan.epochs.value - 1} epochs that saves {duration(saved)} of {duration(later_clips * before)}"
    why = f"{takes}; {gain}, and writing the proxies takes about {duration(writing)}"
    pays = saved >= LEAST_GAIN * writing and saved - writing >= LEAST_SECONDS
    return Decision("proxy" if pays else "off", "data", why)


def _seconds(decode: float, compute: float, hardware: Hardware) -> float:
    """Time a clip adds to a run: a GPU computes while the cores decode, and without one the cores do both."""
    cores = hardware.num_cpus * hardware.num_machines
    if hardware.num_gpus:
        return max(decode / cores, compute / hardware.num_gpus)
    return (decode + compute) / cores


def duration(seconds: float) -> str:
    """A time in words, roughly."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.{int(seconds < 10 * length)}f} {unit}"
    return f"{max(1.0, seconds):.0f} s"
