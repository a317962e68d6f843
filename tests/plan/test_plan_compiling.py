"""torch.compile is for long runs where it was found to gain."""

from __future__ import annotations

import pytest
import samples

from autox_video.plan.rules.compiling import choose_compile
from autox_video.presets import load_preset


@pytest.mark.parametrize(
    ("asked", "device", "model", "clips", "chosen"),
    [
        ({}, "cuda", "video_swin_base", 800_000, "on"),
        ({}, "cuda", "video_swin_base", 800, "off"),
        ({}, "cuda", "video_swin_nano", 800_000, "off"),
        ({}, "cpu", "video_swin_base", 800_000, "off"),
        ({"runtime": {"compile": "on"}}, "cpu", "video_swin_nano", 10, "on"),
        ({"runtime": {"deterministic": True}}, "cuda", "video_swin_base", 800_000, "off"),
        ({"runtime": {"compile": "off"}}, "cuda", "video_swin_base", 800_000, "off"),
    ],
)
def test_the_network_is_compiled_where_a_long_run_earns_it(asked, device, model, clips, chosen):
    card = load_preset(model).card
    decided = choose_compile(samples.settings(**asked), card, device, card.clip_len, card.input_size, clips)
    assert decided.value == chosen


def test_the_reason_has_both_times():
    card = load_preset("video_swin_base").card
    decided = choose_compile(samples.settings(), card, "cuda", 32, 224, 80_000)
    assert decided.why == "would save about 226 of 902 s, after a warm-up of up to 160 s"
