"""From scores to segments: tables of facts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from autox_video.using.timeline.segments import (
    Rules,
    Segment,
    joined,
    moving_shares,
    segments_of,
    smoothed,
    with_hysteresis,
    without,
)
from autox_video.using.timeline.thresholds import background_of
from autox_video.using.timeline.windows import Span, Windows, windows_of


@pytest.mark.parametrize(
    ("likely", "expected"),
    [
        ("0 0 0", []),
        # Never as high as 0.6.
        ("5 5 5", []),
        ("0 6 0", [(1, 2)]),
        ("9 9 9", [(0, 3)]),
        # Once entered, it goes on down to 0.3, to both sides.
        ("0 3 6 3 0", [(1, 4)]),
        ("2 3 3 7 4 3 2", [(1, 6)]),
        ("7 2 7", [(0, 1), (2, 3)]),
        ("4 4 2 7", [(3, 4)]),
    ],
)
def test_a_segment_is_entered_high_and_left_low(likely, expected):
    values = np.array([int(digit) / 10 for digit in likely.split()])
    assert with_hysteresis(values, 0.6, 0.3) == expected


@pytest.mark.parametrize(
    ("piece", "holes", "expected"),
    [
        ((1, 4), [], [(1, 4)]),
        ((1, 4), [(0, 1), (4, 5)], [(1, 4)]),
        ((1, 4), [(0, 2)], [(2, 4)]),
        ((1, 4), [(3, 9)], [(1, 3)]),
        ((1, 4), [(2, 3)], [(1, 2), (3, 4)]),
        ((1, 4), [(0, 9)], []),
        ((1, 4), [(0, 2), (2.5, 3), (3.5, 8)], [(2, 2.5), (3, 3.5)]),
    ],
)
def test_what_stands_still_is_cut_out(piece, holes, expected):
    assert without([piece], holes) == expected


@pytest.mark.parametrize(
    ("pieces", "gap", "expected"),
    [
        ([], 1, []),
        ([(0, 1), (2, 3)], 0.9, [(0, 1), (2, 3)]),
        ([(0, 1), (2, 3)], 1, [(0, 3)]),
        ([(0, 1), (2, 3), (4, 5), (7, 8)], 1, [(0, 5), (7, 8)]),
    ],
)
def test_pieces_with_a_short_gap_are_one(pieces, gap, expected):
    assert joined(pieces, gap) == expected


def test_the_moving_share_of_a_window_is_what_lies_outside_of_still_scenes():
    bounds = np.array([[0, 2], [1, 3], [2, 4], [4, 6.0]])
    assert moving_shares(bounds, [(1, 2), (3, 3.5)]).tolist() == [0.5, 0.5, 0.75, 1.0]
    assert moving_shares(bounds, []).tolist() == [1.0] * 4
    assert moving_shares(bounds, [(0, 9)]).tolist() == [0.0] * 4


def test_smoothing_keeps_what_is_even_and_leaves_out_what_has_nothing_to_say():
    scores = np.array([[0.2, 0.8]] * 4 + [[0.9, 0.1]])
    even = smoothed(np.full((5, 2), 0.5), 1.0, np.ones(5))
    assert np.allclose(even, 0.5)
    assert smoothed(scores, 0.0, np.ones(5)) is scores
    assert smoothed(scores, 1.0, np.ones(5))[3, 0] > 0.25
    assert np.allclose(smoothed(scores, 1.0, np.array([1, 1, 1, 1, 0.0]))[:4], scores[:4], atol=1e-5)


# Twelve windows of one second that do not overlap: window n has its say from second n to n + 1.
WINDOWS = windows_of(np.arange(120) / 10, 12.0, Span(10, 0.0, 1), 1.0)
RULES = Rules(("a", "b", "c"), (0.6,) * 3, (0.4,) * 3, exclusive=True, smooth_windows=0.0)


def scores_of(a: str, b: str) -> np.ndarray:
    """Tenths of the first two of three classes."""
    columns = np.array([[int(digit) for digit in text] for text in (a, b)]).T / 10
    return np.column_stack([columns, np.clip(1 - columns.sum(axis=1), 0, None)])


def found(scores: np.ndarray, rules: Rules, still=()) -> list[tuple[float, float, str, float]]:
    return [
        (one.start_seconds, one.end_seconds, one.label, round(one.confidence, 3))
        for one in segments_of(scores, WINDOWS, still, dataclasses.replace(rules))
    ]


def with_(**values: object) -> Rules:
    return dataclasses.replace(RULES, **values)


@pytest.mark.parametrize(
    ("a", "b", "rules", "still", "expected"),
    [
        ("008880000000", "000008880000", RULES, (), [(2, 5, "a", 0.8), (5, 8, "b", 0.8), (0, 2, "c", 1), (8, 12, "c", 1)]),
        # What no class reaches its threshold with is nothing.
        ("335533553355", "335533553355", RULES, (), []),
        ("008850000000", "991159999999", with_(background=(1,)), (), [(2, 5, "a", 0.7)]),
        ("008888800000", "990000099999", with_(background=(1,)), [(4, 6)], [(2, 4, "a", 0.8), (6, 7, "a", 0.8)]),
        # A class that may stand still is not cut.
        ("008888800000", "990000099999", with_(background=(1,), still=(0,)), [(4, 6)], [(2, 7, "a", 0.8)]),
        ("080880000000", "909009999999", with_(background=(1,), max_gap_seconds=1.0, min_seconds=1.0), (), [(1, 5, "a", 0.6)]),
        ("080880000000", "909009999999", with_(background=(1,), min_seconds=2.0), (), [(3, 5, "a", 0.8)]),
    ],
)  # fmt: skip
def test_one_label_at_a_time(a, b, rules, still, expected):
    assert found(scores_of(a, b), rules, still) == sorted(expected)


def test_of_several_labels_each_has_segments_of_its_own_that_overlap():
    rules = with_(exclusive=False, enter=(0.6, 0.9, 0.6), leave=(0.4, 0.5, 0.4), background=(2,))
    scores = scores_of("088888000000", "000689960000")
    assert found(scores, rules) == [(1, 6, "a", 0.8), (3, 8, "b", 0.76)]


def test_a_segment_ends_where_another_class_is_more_likely():
    scores = np.array([[0.8, 0.1, 0.1]] * 3 + [[0.45, 0.5, 0.05]] * 3 + [[0.1, 0.8, 0.1]] * 6)
    assert found(scores, RULES) == [(0, 3, "a", 0.8), (3, 12, "b", 0.7)]


def test_times_are_those_at_which_frames_are_shown():
    times = np.array([0.0, 0.13, 0.31, 0.44, 1.9, 2.07, 2.2, 4.0])
    windows = windows_of(times, 4.6, Span(2, 0.0, 1), 0.5)
    scores = np.tile([[0.1, 0.9]], (len(windows), 1))
    scores[3:5] = [0.9, 0.1]
    rules = Rules(("act", "rest"), (0.6, 0.6), (0.4, 0.4), True, background=(1,), smooth_windows=0)
    (one,) = segments_of(scores, windows, (), rules)
    assert one.start_seconds in times
    assert one.end_seconds in times
    assert one == Segment(1.9, 4.0, "act", pytest.approx(0.9))


@pytest.mark.parametrize(("seconds", "expected"), [(0.4, [(0.2, 0.6)]), (0.41, [])])
def test_a_segment_as_long_as_the_shortest_is_one_though_binary_fractions_make_it_shorter(seconds, expected):
    windows = windows_of(np.arange(8) / 10, 0.8, Span(2, 0.0, 1), 0.2)
    rules = with_(background=(1, 2), min_seconds=seconds)
    made = segments_of(scores_of("0880", "9009"), windows, (), rules)
    assert [(one.start_seconds, one.end_seconds) for one in made] == expected
    assert joined([(0.0, 0.1), (0.4, 0.5)], 0.3) == [(0.0, 0.5)]


def test_a_window_that_has_no_time_of_its_own_makes_no_segment():
    windows = Windows(
        *np.array([[0, 1, 2], [1, 2, 3]]), np.array([[0, 1], [1, 2], [2, 3.0]]), np.array([0, 1, 1, 3.0]), 1
    )
    rules = with_(background=(1, 2), still=(0,))
    assert segments_of(scores_of("080", "909"), windows, (), rules) == ()


def test_background_is_known_by_its_name():
    assert background_of(("run", "Background", "背景", "none ", "no one")) == (1, 2, 3)
