from __future__ import annotations

import pytest

from autox_video.dataset.annotations import (
    Row,
    canonical_path,
    read_annotations,
    read_rows,
    stock_list,
    unlistable,
    write_annotations,
    write_stock_list,
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


@pytest.mark.parametrize("labels", [list(range(len(ODD_NAMES))), [None] * len(ODD_NAMES)])
def test_mmaction2_reads_the_very_files_and_labels_of_a_stock_list(tmp_path, labels):
    from mmaction.datasets import VideoDataset

    path = tmp_path / "annotations" / "train.txt"
    write_annotations(path, rows(labels), ["decord"] * len(labels))
    assert write_stock_list(path) == 0
    read = VideoDataset(str(stock_list(path)), [], data_prefix={"video": "/v"}, delimiter="\t").load_data_list()
    expected = [
        "/v/./ lead.mp4" if name == " lead.mp4" else name if name[0] == "/" else f"/v/{name}" for name in ODD_NAMES
    ]
    assert [row["filename"] for row in read] == expected
    assert [row["label"] for row in read] == [-1 if label is None else label for label in labels]


def test_a_canonical_list_is_read_back(tmp_path):
    written = rows(range(len(ODD_NAMES)))
    write_annotations(tmp_path / "list.txt", written, ["decord"] * len(written))
    assert read_annotations(tmp_path / "list.txt") == [(sample.path, sample.label) for sample in written]
    write_annotations(tmp_path / "bare.txt", [Sample("a b.mp4", None, "", "")], ["pyav"])
    assert read_rows(tmp_path / "bare.txt") == [Row("a b.mp4", None, "pyav")]


def test_a_piece_keeps_its_times(tmp_path):
    pieces = [(1.5, 2.25), (0.1, None), (None, 1e-3)]
    samples = [Sample("a.mp4", 1, "", "", start, end) for start, end in pieces]
    write_annotations(tmp_path / "list.txt", samples, ["decord"] * 3)
    assert (
        tmp_path / "list.txt"
    ).read_text() == "a.mp4\t1\tdecord\t1.5\t2.25\na.mp4\t1\tdecord\t0.1\na.mp4\t1\tdecord\t\t0.001\n"
    assert read_rows(tmp_path / "list.txt") == [Row("a.mp4", 1, "decord", start, end) for start, end in pieces]


def test_what_only_this_package_reads_is_left_out_of_a_stock_list(tmp_path):
    samples = [Sample("a.mp4", 1, "", ""), Sample("b.ts", 0, "", ""), Sample("c.mp4", 1, "", "", 1.0, 2.0)]
    write_annotations(tmp_path / "list.txt", samples, ["decord", "pyav", "decord"])
    assert write_stock_list(tmp_path / "list.txt") == 2
    assert (tmp_path / "stock" / "list.txt").read_text() == "a.mp4\t1\n"


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
