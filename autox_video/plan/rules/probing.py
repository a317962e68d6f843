"""Which videos were opened to know what the data is."""

from __future__ import annotations

from collections.abc import Iterable

from autox_video.dataset.facts import SplitFacts
from autox_video.dataset.sampling import MANY_VIDEOS, NUM_OPENED
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision
from autox_video.settings.schema import Settings


def choose_probe(settings: Settings, splits: Iterable[SplitFacts]) -> Decision[str]:
    """`all`, or `sample` where the lists are too long for it."""
    splits = list(splits)
    unopened, total = sum(facts.num_unopened for facts in splits), sum(facts.num_videos for facts in splits)
    if unopened:
        why = f"more than {MANY_VIDEOS} videos are listed, so {total - unopened} of {total} were opened"
        return Decision("sample", "data", f"{why}: {NUM_OPENED} shared out to the classes of each split")
    decision = asked(settings, "data.probe")
    return decision or Decision("all", "data", "every video was opened")
