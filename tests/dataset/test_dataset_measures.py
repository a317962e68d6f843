from __future__ import annotations

import dataclasses

import pytest

from autox_video.dataset.facts import Percentiles
from autox_video.dataset.measures import fps_notes, measure
from autox_video.dataset.probe import VideoFacts


def video(frames: int = 100, fps: float | None = 25.0, width: int = 320, height: int = 240) -> VideoFacts:
    return VideoFacts(frames, fps, width, height, 1000)


def test_percentiles_are_those_of_the_videos():
    facts = measure([video(frames) for frames in range(100, 201)])
    assert facts["num_frames"] == Percentiles(100.0, 105.0, 150.0, 195.0, 200.0)
    assert facts["duration_seconds"] == Percentiles(4.0, 4.2, 6.0, 7.8, 8.0)
    assert facts["size_bytes"] == Percentiles(1000.0, 1000.0, 1000.0, 1000.0, 1000.0)


def test_sides_are_told_apart_by_length_not_by_orientation():
    facts = measure([video(width=320, height=240), video(width=240, height=320)])
    assert (facts["short_side_px"].max, facts["long_side_px"].min) == (240.0, 320.0)


@pytest.mark.parametrize("fps", [None, 0.0, -25.0, 90_000.0])
def test_a_rate_that_cannot_be_true_counts_neither_in_rates_nor_in_durations(fps):
    videos = [video(100), video(900, fps)]
    facts = measure(videos)
    assert facts["fps"] == Percentiles(25.0, 25.0, 25.0, 25.0, 25.0)
    assert facts["duration_seconds"].max == 4.0
    assert facts["num_frames"].max == 900.0
    assert fps_notes("val", videos) == ["1 of 2 val videos state no usable frame rate, and are left out of it"]


def test_without_any_rate_one_is_assumed_and_said():
    videos = [video(50, None)]
    assert measure(videos)["duration_seconds"].p50 == 2.0
    assert fps_notes("train", videos) == [
        "no train video states a usable frame rate, so 25 frames a second are assumed"
    ]


def test_every_measure_is_in_the_facts_of_a_split():
    from autox_video.dataset.facts import SplitFacts

    spreads = {field.name for field in dataclasses.fields(SplitFacts) if field.type == "Percentiles"}
    assert measure([video()]).keys() == spreads
