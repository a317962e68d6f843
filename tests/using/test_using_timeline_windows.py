"""Windows: where they lie, and that each is seen as the test's pipeline would see it, out of one pass."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import odd_videos
import pytest

from autox_video.decoding import DecodingError, open_file
from autox_video.plan.schema import Decision
from autox_video.using.timeline.one_pass import ahead, clips_of_windows
from autox_video.using.timeline.stillness import StillScenes, is_still
from autox_video.using.timeline.windows import Span, span_of, windows_of


def plan(**values: object) -> SimpleNamespace:
    wanted = {"sampling": "dense", "clip_len": 8, "frame_interval": 2, "target_fps": None, **values}
    return SimpleNamespace(**{name: Decision(value, "default", "") for name, value in wanted.items()})


@pytest.mark.parametrize(
    ("values", "whole", "expected"),
    [
        ({}, None, Span(15, 0.0, 2)),
        ({"clip_len": 32, "frame_interval": 1}, 9.0, Span(32, 0.0, 1)),
        ({"target_fps": 4.0}, None, Span(0, 2.0)),
        ({"target_fps": 4.0, "sampling": "uniform"}, None, Span(0, 2.0)),
        ({"sampling": "segments"}, 3.5, Span(0, 3.5)),
        ({"sampling": "uniform"}, 3.5, Span(0, 3.5)),
        ({"sampling": "uniform"}, None, None),
    ],
)
def test_a_window_covers_what_a_clip_of_the_model_covers(values, whole, expected):
    assert span_of(plan(**values), whole) == expected


EVEN = np.arange(40) / 10


@pytest.mark.parametrize(
    ("count", "span", "stride", "first", "end"),
    [
        # A quarter of 16 frames by default; no window goes over the end.
        (40, Span(16, 0.0, 2), None, [0, 4, 8, 12, 16, 20, 24], [16, 20, 24, 28, 32, 36, 40]),
        (41, Span(16, 0.0, 2), None, [0, 4, 8, 12, 16, 20, 24], [16, 20, 24, 28, 32, 36, 40]),
        # Rounded to the interval of the frames, and never nothing.
        (24, Span(16, 0.0, 2), 0.75, [0, 8], [16, 24]),
        (20, Span(16, 0.0, 2), 0.01, [0, 2, 4], [16, 18, 20]),
        # A video shorter than a window is one window.
        (5, Span(16, 0.0, 2), None, [0], [5]),
        (1, Span(16, 0.0, 2), None, [0], [1]),
        (40, Span(0, 2.0), 1.0, [0, 10, 20], [20, 30, 40]),
        (15, Span(0, 2.0), 1.0, [0], [15]),
    ],
)
def test_windows_lie_over_a_video(count, span, stride, first, end):
    windows = windows_of(np.arange(count) / 10, count / 10, span, stride)
    assert (windows.first.tolist(), windows.end.tolist()) == (first, end)
    assert len(windows.edges) == len(windows) + 1
    assert (windows.edges[0], windows.edges[-1]) == (0.0, count / 10)


def test_between_two_windows_the_nearer_one_has_its_say():
    windows = windows_of(EVEN, 4.0, Span(16, 0.0, 2), 0.8)
    assert windows.bounds.tolist() == [[0.0, 1.6], [0.8, 2.4], [1.6, 3.2], [2.4, 4.0]]
    assert windows.edges.tolist() == [0.0, 1.2, 2.0, 2.8, 4.0]


def test_at_an_uneven_rate_windows_go_by_the_times_of_the_frames():
    times = np.array([0.0, 0.1, 0.2, 0.3, 2.0, 2.1, 2.2, 5.0])
    in_seconds = windows_of(times, 5.7, Span(0, 2.0), 1.0)
    # The second would begin with the frame that is on the screen after one second, and so on.
    assert in_seconds.first.tolist() == [0, 3, 4, 6]
    assert in_seconds.end.tolist() == [4, 7, 7, 7]
    assert in_seconds.bounds.tolist() == [[0.0, 2.0], [0.3, 5.0], [2.0, 5.0], [2.2, 5.0]]
    in_frames = windows_of(times, 5.7, Span(4, 0.0, 1), 1.4)
    assert in_frames.first.tolist() == [0, 2, 4]
    assert in_frames.bounds.tolist() == [[0.0, 2.0], [0.2, 2.2], [2.0, 5.7]]
    # Edges are times at which frames are shown.
    assert set(in_frames.edges.tolist()) <= {*times.tolist(), 5.7}


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    return odd_videos.write_odd(
        tmp_path_factory.mktemp("uneven") / "a.mkv", milliseconds=odd_videos.uneven_times(), codec="libx264"
    )


def seen(reader):
    """Stands for a pipeline: some frames of a window, a part of each, smaller."""
    indices = np.arange(0, reader.num_frames, 2)
    return indices, reader.times(), reader.views(indices, [((8, 8, 56, 40), (24, 16))])[0]


@pytest.mark.parametrize("span", [Span(8, 0.0, 2), Span(7, 0.0, 1), Span(0, 2.0)], ids=str)
def test_a_window_holds_the_frames_that_the_file_has_there(uneven, span):
    reader, other = open_file(str(uneven)), open_file(str(uneven))
    times = reader.times()
    assert np.allclose(times * 1000, odd_videos.uneven_times())
    windows = windows_of(times, float(times[-1]) + 0.2, span)
    looked: list[int] = []
    clips = list(clips_of_windows(reader, times, windows, seen, lambda frame: looked.append(frame.index)))
    assert len(clips) == len(windows) > 3
    for first, (indices, shown, pictures) in zip(windows.first, clips, strict=True):
        assert shown[0] == 0
        assert np.allclose(shown + times[first], times[first : first + len(shown)])
        assert np.array_equal(pictures, other.views(first + indices, [((8, 8, 56, 40), (24, 16))])[0])
    # Each frame was drawn once, up to the last one of the video.
    assert looked == list(range(0, reader.num_frames, span.step))


def test_no_more_frames_are_kept_than_a_window_has():
    alive: list[int] = []

    class Frames:
        num_frames, fps, width, height = 200, 10.0, 8, 8

        def passing(self, parts, step):
            for index in range(0, self.num_frames, step):
                yield index, [np.full((8, 8, 3), index, np.uint8)]

    def count(window):
        alive.append(0 if window._kept is None else len(window._kept))
        return window.views(range(0, window.num_frames, 2), [(None, None)])[0][:, 0, 0, 0].tolist()

    times = np.arange(200) / 10
    clips = list(clips_of_windows(Frames(), times, windows_of(times, 20.0, Span(16, 0.0, 2), 0.4), count))
    assert clips[3] == list(range(12, 28, 2))
    assert max(alive) == 8


def test_what_fails_ahead_fails_where_it_is_waited_for():
    def items():
        yield 1
        raise DecodingError("is damaged")

    made = ahead(items(), 2)
    assert next(made) == 1
    with pytest.raises(DecodingError, match="is damaged"):
        next(made)


def test_who_stops_early_ends_the_thread_that_is_ahead():
    closed = []

    def items():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    for item in ahead(items(), 1):
        if item == 3:
            break
    del item
    import gc
    import threading

    gc.collect()
    assert [thread for thread in threading.enumerate() if thread.name == "decoding"] == []


def scene(brightness: int, count: int, moving: bool, noise: float = 0.0) -> list[np.ndarray]:
    random = np.random.default_rng(brightness)
    frames = []
    for number in range(count):
        frame = np.full((64, 64, 3), float(brightness))
        if moving:
            left = 2 * number % 48
            frame[20:36, left : left + 16] += 60
        frames.append(np.clip(frame + random.normal(0, noise, frame.shape), 0, 255).astype(np.uint8))
    return frames


def lamp(count: int) -> list[np.ndarray]:
    """Nothing moves, and it gets brighter by one level a frame."""
    return [np.full((64, 64, 3), 60 + number, np.uint8) for number in range(count)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([scene(90, 20, True)], []),
        ([scene(90, 20, False)], [(0.0, 2.0)]),
        # The noise of a camera is no motion.
        ([scene(90, 20, False, noise=6)], [(0.0, 2.0)]),
        ([scene(90, 20, True, noise=6)], []),
        ([lamp(20)], [(0.0, 2.0)]),
        # To the frame, from cut to cut.
        ([scene(90, 10, True), scene(50, 12, False), scene(70, 10, True)], [(1.0, 2.2)]),
        # Two still scenes with a cut between them are still from the first frame to the last.
        ([scene(90, 10, False), scene(150, 10, False)], [(0.0, 2.0)]),
        # Too short to be background.
        ([scene(90, 10, True), scene(50, 6, False), scene(70, 10, True)], []),
        ([scene(90, 5, False)], []),
    ],
)
def test_still_scenes_are_found_to_the_frame(parts, expected):
    scenes = StillScenes(0.8)
    for number, frame in enumerate(frame for part in parts for frame in part):
        scenes.see(frame, number / 10, (number + 1) / 10)
    assert [(round(start, 3), round(end, 3)) for start, end in scenes.found] == expected


def test_frames_without_motion_are_told_from_others():
    assert is_still(scene(90, 8, False, noise=6))
    assert not is_still(scene(90, 8, True))
