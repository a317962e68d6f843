"""Segment F1 and frame accuracy, and the file with what is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from autox_video.errors import RequestError
from autox_video.using.predict.inputs import Video
from autox_video.using.timeline.segments import Segment
from autox_video.using.timeline.truth import agreement, metrics_of, num_right, read_truth

TIMES = np.arange(100) / 10


def segments(text: str) -> list[Segment]:
    """`a 0 2, b 3 4`."""
    parts = [part.split() for part in text.split(",") if part]
    return [Segment(float(start), float(end), label, 1.0) for label, start, end in parts]


@pytest.mark.parametrize(
    ("found", "known", "overlap", "right"),
    [
        ("", "", 0.5, 0),
        ("a 0 2", "", 0.5, 0),
        ("", "a 0 2", 0.5, 0),
        ("a 0 2", "a 0 2", 0.5, 1),
        ("b 0 2", "a 0 2", 0.1, 0),
        # Half of the union is enough, less is not.
        ("a 0 2", "a 0 4", 0.5, 1),
        ("a 0 1.9", "a 0 4", 0.5, 0),
        ("a 0 1.9", "a 0 4", 0.25, 1),
        ("a 2 4", "a 0 3", 0.25, 1),
        ("a 2 4", "a 0 3", 0.5, 0),
        # Cut in two, one is right and the other wrong.
        ("a 0 2, a 2 4", "a 0 4", 0.5, 1),
        ("a 0 4", "a 0 2, a 2 4", 0.5, 1),
        ("a 0 2, b 2 4, a 4 6", "a 0 2, b 2 4, a 4 6", 0.5, 3),
        # Segments of several labels overlap.
        ("a 0 4, b 1 3", "a 0 4, b 1 3", 0.5, 2),
    ],
)
def test_a_segment_is_right_that_overlaps_a_known_one_of_its_label(found, known, overlap, right):
    assert num_right(segments(found), segments(known), overlap) == right


@pytest.mark.parametrize(
    ("found", "known", "f1", "frames"),
    [
        ("", "", (1.0, 1.0, 1.0), 1.0),
        ("a 0 2", "", (0.0, 0.0, 0.0), 0.8),
        ("a 0 2, b 4 6", "a 0 2, b 4 6", (1.0, 1.0, 1.0), 1.0),
        # Two found, three known, of which one overlaps by 0.5 and one by 0.2.
        ("a 0 1, b 4 5", "a 0 2, b 4 9, a 9 10", (0.8, 0.4, 0.4), 0.4),
        ("a 0 5", "b 0 5", (0.0, 0.0, 0.0), 0.5),
    ],
)
def test_the_figures_of_a_video(found, known, f1, frames):
    metrics = metrics_of([agreement(segments(found), segments(known), TIMES)])
    assert metrics is not None
    assert metrics.f1 == pytest.approx(dict(zip(("0.1", "0.25", "0.5"), f1, strict=True)))
    assert metrics.frame_accuracy == pytest.approx(frames)


def test_counts_of_several_videos_are_added_up():
    one = agreement(segments("a 0 2"), segments("a 0 2"), TIMES)
    other = agreement([], segments("a 0 1, a 2 3, a 4 5"), TIMES[:50])
    metrics = metrics_of([one, other])
    assert metrics is not None
    assert (metrics.num_videos, metrics.f1["0.5"]) == (2, pytest.approx(2 / 5))
    assert metrics.frame_accuracy == pytest.approx(120 / 150)
    assert metrics_of([]) is None


def test_frames_are_counted_by_the_times_they_are_shown_at():
    times = np.array([0.0, 1.0, 1.1, 1.2, 5.0])
    counted = agreement(segments("a 1 1.2"), segments("a 1 5"), times)
    assert (counted.right_frames, counted.frames) == (4, 5)


def named(*paths: str) -> tuple[Video, ...]:
    return tuple(Video(os.path.abspath(path), path) for path in paths)


FILES = named("x/one.mp4", "x/two.mp4")


def read(tmp_path: Path, text: str, files=FILES):
    path = tmp_path / "truth.csv"
    path.write_text(text, encoding="utf-8")
    return read_truth(path, files, ("a", "rest"), {"rest", "background"})


def test_known_segments_are_read_by_path_or_name(tmp_path):
    text = "\ufefflabel,file,start,end\na,x/one.mp4,3,4\na,two.mp4,1,2.5\na,other.mp4,0,1\nrest,one.mp4,0,3\na,one.mp4,0,1\n"
    known = read(tmp_path, text)
    assert known == {
        FILES[0].file: (Segment(0, 1, "a", 1.0), Segment(3, 4, "a", 1.0)),
        FILES[1].file: (Segment(1, 2.5, "a", 1.0),),
    }


def test_of_one_video_no_file_need_be_named_and_background_alone_is_something_known(tmp_path):
    assert read(tmp_path, "start,end,label\n0,1,background\n", FILES[:1]) == {FILES[0].file: ()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "{path}: holds no rows. Its first line must be file,start,end,label."),
        ("start,stop,label\n1,2,a\n", "{path}: lacks the column end. Its first line must be file,start,end,label."),
        ("start,end,label\n1,2,a\n", "{path}:2: names no file, and there are several videos. Correct the row."),
        (
            "file,start,end,label\none.mp4,1,x,a\none.mp4,2,1,a\none.mp4,1,2,z\n",
            "{path}:2: start and end are not two numbers (got '1', 'x'). Correct the row.\n"
            "{path}:3: a segment begins at 0 or later and ends after that (got 2 to 1). Correct the row.\n"
            "{path}:4: the model has no class of this name (got 'z'). Correct the row.",
        ),
        ("file,start,end,label\none.mp4,nan,2,a\n", "{path}:2: a segment begins at 0 or later and ends after that (got nan to 2). Correct the row."),
        ("file,start,end,label\none.mp4,1\n", "{path}:2: start and end are not two numbers (got '1', None). Correct the row."),
        (
            "file,start,end,label\nnone.mp4,1,2,a\n",
            "{path}: has no row of any of the videos. Name the videos in the column file as on the command line.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_file_is_said(text, expected, tmp_path):
    with pytest.raises(RequestError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == expected.format(path=tmp_path / "truth.csv")


def test_two_videos_of_one_name_are_told_apart_by_their_path(tmp_path):
    files = named("x/one.mp4", "y/one.mp4")
    for path in ("y/one.mp4", "./y/one.mp4", files[1].file):
        assert list(read(tmp_path, f"file,start,end,label\n{path},1,2,a\n", files)) == [files[1].file]
    with pytest.raises(RequestError, match=r"truth.csv:2: several videos are called one.mp4. Correct the row."):
        read(tmp_path, "file,start,end,label\none.mp4,1,2,a\n", files)
