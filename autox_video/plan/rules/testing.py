"""How a video is scored at test time."""

from __future__ import annotations

import math

from autox_video.dataset.facts import SplitFacts
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision
from autox_video.presets import Card
from autox_video.settings.schema import Settings

# Three crops of a frame that is less than this much longer than high are nearly the same crop.
SQUARE_RATIO = 1.15
# A rest of a video shorter than this share of a clip is not worth another clip.
NEGLIGIBLE_CLIP_SHARE = 0.25


def choose_test_num_clips(settings: Settings, card: Card, facts: SplitFacts, clip_seconds: float) -> Decision[int]:
    """Clips sampled evenly from a video: the recipe's, or fewer where fewer cover it.

    Args:
        facts: The split that is scored.
        clip_seconds: What one clip covers.
    """
    if decision := asked(settings, "test.num_clips"):
        return decision
    covering = max(1, math.ceil(facts.duration_seconds.p50 / clip_seconds - NEGLIGIBLE_CLIP_SHARE))
    what = f"a clip covers {clip_seconds:.2g} s of {facts.duration_seconds.p50:.2g} s"
    if covering < card.test_num_clips:
        return Decision(covering, "data", f"enough to cover a video: {what}")
    return Decision(card.test_num_clips, "preset", f"the recipe of the preset; {what}")


def choose_test_num_crops(settings: Settings, card: Card, facts: SplitFacts) -> Decision[int]:
    """Crops of each clip: 1 (centre) or 3 (along the longer side)."""
    if decision := asked(settings, "test.num_crops"):
        return Decision(int(decision.value), decision.source, decision.why)
    ratio = facts.long_side_px.p50 / facts.short_side_px.p50
    if card.test_num_crops > 1 and ratio < SQUARE_RATIO:
        return Decision(1, "data", "the videos are nearly square: three crops would be one")
    return Decision(card.test_num_crops, "preset", "the recipe of the preset")


def choose_test_videos_per_gpu(videos_per_gpu: int, views: int) -> Decision[int]:
    """Videos scored at once: a test batch holds no more clips than two training batches."""
    value = max(1, 2 * videos_per_gpu // views)
    return Decision(value, "default", f"{views} view(s) of each: no more clips than two training batches")
