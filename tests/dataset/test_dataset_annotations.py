from __future__ import annotations

import pytest

from autox_video.dataset.annotations import (
    Row,
    canonical_path,
    read_rows,
    unlistable,
    write_annotations,
)
from autox_video.dataset.entries import Sample

ODD_NAMES = (
    "a.mp4",
    "-x.mp4",
    "with space.mp4",
    "跳舞.mp4",
    "🎬.mp4",
    " lead.mp4",
    "x,y;z.mp4",
    "#1.mp4",
    "/abs/olute.mp4",
)


def rows(labels, root="/v"):
    return [
        Sample(canonical_path(name, root), label, "list", name) for name, label in zip(ODD_NAMES, labels, strict=True)
    ]


def test_a_canonical_list_is_read_back(tmp_path):
    written = rows(range(len(ODD_NAMES)))
    write_annotations(tmp_path / "list.txt", written, ["pyav"] * len(written))
    assert read_rows(tmp_path / "list.txt") == [Row(sample.path, sample.label, "pyav") for sample in written]
    write_annotations(tmp_path / "bare.txt", [Sample("a b.mp4", None, "", "")], ["pyav"])
    assert read_rows(tmp_path / "bare.txt") == [Row("a b.mp4", None, "pyav")]


def test_a_piece_keeps_its_times(tmp_path):
    pieces = [(1.5, 2.25), (0.1, None), (None, 1e-3)]
    samples = [Sample("a.mp4", 1, "", "", start, end) for start, end in pieces]
    write_annotations(tmp_path / "list.txt", samples, ["pyav"] * 3)
    assert (
        tmp_path / "list.txt"
    ).read_text() == "a.mp4\t1\tpyav\t1.5\t2.25\na.mp4\t1\tpyav\t0.1\na.mp4\t1\tpyav\t\t0.001\n"
    assert read_rows(tmp_path / "list.txt") == [Row("a.mp4", 1, "pyav", start, end) for start, end in pieces]


@pytest.mark.parametrize(
    ("listed", "existing", "canonical"),
    [
        ("clip", ["clip.mp4"], "clip.mp4"),
        ("clip", ["clip", "clip.mp4"], "clip"),
        ("clip", [], "clip"),
        ("a.avi", ["a.avi.mp4"], "a.avi"),
        (" a.mp4", [], "./ a.mp4"),
    ],
)
def test_a_name_without_an_ending_is_what_mmaction2_makes_of_it(tmp_path, listed, existing, canonical):
    for name in existing:
        (tmp_path / name).touch()
    assert canonical_path(listed, str(tmp_path)) == canonical


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\tb.mp4", "has a tab or a line break in its name, which cannot stand in a list"),
        ("a\nb.mp4", "has a tab or a line break in its name, which cannot stand in a list"),
        ("a\u2028b.mp4", "has a tab or a line break in its name, which cannot stand in a list"),
        ("a.mp4 ", "has a blank at the end of its name, which cannot stand in a list"),
        ("a\udce9.mp4", "has a name that is not UTF-8, which cannot stand in a list"),
        ("folder.x/clip", "has no ending in its name, and MMAction2 would open the name with .mp4 added"),
        ("a\u00a0b.mp4", None),
        ("🎬 a.mp4", None),
    ],
)
def test_names_that_cannot_stand_in_a_list_are_told_why(name, reason):
    assert unlistable(name) == reason
