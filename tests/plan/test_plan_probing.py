from __future__ import annotations

import dataclasses

import samples

from autox_video.plan.rules.probing import choose_probe
from autox_video.plan.schema import Decision


def test_the_plan_says_that_a_sample_was_opened_and_why():
    train, test = (
        dataclasses.replace(samples.split_facts(split), num_videos=count, num_unopened=unopened)
        for split, count, unopened in (("train", 40_000, 38_400), ("test", 10_000, 9_600))
    )
    assert choose_probe(samples.settings(), [train, test]) == Decision(
        "sample",
        "data",
        "more than 20000 videos are listed, so 2000 of 50000 were opened: 2000 shared out to the classes of each split",
    )


def test_the_plan_says_that_all_videos_were_opened():
    facts = [samples.split_facts("train")]
    assert choose_probe(samples.settings(), facts) == Decision("all", "data", "every video was opened")
    asked = choose_probe(samples.settings(data={"probe": "all"}), facts)
    assert (asked.value, asked.why) == ("all", "as asked")
