"""Tables with a header: what is read of them, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from autox_video.dataset.entries import SPLITS, Listing
from autox_video.dataset.formats import detect_formats, read_listing
from autox_video.dataset.sources import sources_of
from autox_video.settings.schema import Settings


@pytest.fixture
def read(tmp_path):
    """Read a list of a name and a text, as the list of a split."""

    def listing(text: str | bytes, name: str = "x.csv", split: str = "train", **given) -> Listing:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_listing(Settings(tmp_path, **{f"ann_file_{split}": file}, **given), SPLITS)

    return listing


def rows(listing: Listing) -> list[tuple]:
    return [
        (split, entry.path, entry.label, entry.where)
        for split, part in listing.parts.items()
        if split in SPLITS
        for entry in part.entries
    ]


TWO = [("train", "a.mp4", "run", "x.csv:2"), ("train", "b c.mp4", "3;5", "x.csv:3")]


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na.mp4,run\nb c.mp4,3;5\n",
        "Video Path\tClass\na.mp4\trun\nb c.mp4\t3;5",
        "file_name;category\r\na.mp4;run\r\nb c.mp4;'3;5'\r\n".replace("'", '"'),
        "label|path\nrun|a.mp4\n3;5|b c.mp4\n",
        '"path","label"\n"a.mp4","run"\n"b c.mp4","3;5"\n',
        "\ufeffpath, label\na.mp4, run\n b c.mp4 ,3;5\n",
        "path,label\na.mp4,run\nb c.mp4,3;5\n".encode("utf-16"),
        "videoPath,clip,label\na.mp4,1,run\nb c.mp4,2,3;5\n".replace("videoPath", "filename"),
    ],
)
def test_a_table_is_read_whatever_its_columns_are_called_and_separated_by(read, text):
    listing = read(text)
    assert (rows(listing), listing.problems) == (TWO, ())


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("x.json", '[{"path": "a.mp4", "label": "run"},\n\n {"path": "b.mp4", "label": [3, 5]}]', (1, 3)),
        ("x.jsonl", '{"path": "a.mp4", "label": "run"}\n\n{"label": "3;5", "path": "b.mp4"}\n', (1, 3)),
    ],
)
def test_json_is_read_with_the_line_of_each_object(read, name, text, lines):
    assert rows(read(text, name)) == [
        ("train", "a.mp4", "run", f"{name}:{lines[0]}"),
        ("train", "b.mp4", "3;5", f"{name}:{lines[1]}"),
    ]


def test_a_later_object_may_have_more_keys(read):
    text = '[{"path": "a.mp4", "label": 0}, {"path": "b.mp4", "label": 1, "start": 1.5, "end": "1:02", "group": "g"}]'
    whole, piece = read(text, "x.json").parts["train"].entries
    assert (whole.start_seconds, whole.end_seconds, whole.group) == (None, None, None)
    assert (piece.start_seconds, piece.end_seconds, piece.group) == (1.5, 62.0, "g")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("path,label\na.mp4,x,y\n", ["2: has 3 fields where the header has 2. Put a field that holds a separator into "
                                     "double quotes."]),
        ("path,label\n\n,x\n", ["3: has no path. Write the path of the video, or take the row out."]),
        ("path,label\na.mp4\n", ["2: has no label (got 'a.mp4'). Write the class after the path."]),
        ("path,split\na.mp4,train\n", ["1: has no column of labels (got path, split). Add a column `label`, or call it so."]),
        ("path,path,label\na,b,c\n", ["1: has a column twice (got path). Keep one of them."]),
        ("path,label,split\na,x,train\nb,x,trainn", ["3: has an unknown split (got 'trainn'). Write train, val or test."]),
        ("path,label,start_frame\na,x,5\n", ["1: gives pieces of videos in frames (got start_frame). "
                                             "Give columns `start` and `end` in seconds."]),
        ("path,label,start,end\na,x,5,2\n", ["2: ends before it begins (got 5 to 2). "
                                             "Write seconds from the beginning of the video."]),
        ("path,label,start\na,x,-1\n", ["2: has a start that is no time (got '-1'). Write seconds such as 12.5, or 1:02.5."]),
        ("path,label,end\na,x,soon\n", ["2: has an end that is no time (got 'soon'). Write seconds such as 12.5, or 1:02.5."]),
        (b"path,label\n\xff.mp4,x\n", ["2: is not UTF-8 text (got byte 0xff). Save the list as UTF-8."]),
        ('[{"path": "a", "label": 1},\n 7]', ["2: is not an object with a path and a label. Write one object a video."]),
        ('[{"path": "a", "label": 1}\n {"path": "b"}]', ["2: has neither a comma nor the end of the list here. "
                                                         "Correct the JSON."]),
        ('[{"path": "a", "label": 1},\n', ["2: is no JSON: Expecting value. Correct it, or export the list anew."]),
        ('{"path": "a", "label": 1}\n{"path":\n', ["2: is no JSON: Expecting value. Correct it, or export the list anew."]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(read, text, problems):
    assert list(map(str, read(text).problems)) == [f"x.csv:{problem}" for problem in problems]


def test_all_that_is_wrong_is_said_at_once(read):
    problems = read("path,label,start\n,x,1\na,x,y\nb,,2\n").problems
    assert [problem.where for problem in problems] == ["x.csv:2", "x.csv:3", "x.csv:4"]


def test_json_of_another_kind_is_no_list_of_lines(read, tmp_path):
    assert list(map(str, read('{"a.mp4": "run"}').problems)) == [
        f"ann_file_train: is JSON without the keys of a list (got {tmp_path}/x.csv). "
        "Write objects with `path` and `label`, or one `path label` a line."
    ]


def test_columns_that_are_not_used_are_named(read):
    assert read("path,label,fps,view\na,x,1,2\n").notes == ("x.csv: columns left out: fps, view",)


@pytest.mark.parametrize(
    "text", ["a.mp4,run\nb.mp4,jump\n", "path.mp4,label\n", "name,label\n", "video label\n", "a,path\n"]
)
def test_what_has_no_header_is_a_plain_list(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    (source,) = sources_of(Settings(tmp_path, ann_file_train=tmp_path / "x.csv"))
    assert detect_formats(source) == ["label_list"]


# --------------------------------------------------------------------------------------------- splits
SPLIT = "path,label,subset\na,x,Training\nb,x,validation\nc,x,test\n"


def test_a_column_divides_the_training_table(read):
    assert [row[:2] for row in rows(read(SPLIT))] == [("train", "a"), ("val", "b"), ("test", "c")]


def test_another_list_takes_the_place_of_the_rows_of_its_split(read, tmp_path):
    (tmp_path / "test.txt").write_text("d.mp4 x")
    listing = read(SPLIT, ann_file_test=tmp_path / "test.txt")
    assert [row[:2] for row in rows(listing)] == [("train", "a"), ("val", "b"), ("test", "d.mp4")]
    assert listing.notes == ("1 row of test in x.csv left out, because ann_file_test is given",)


def test_one_table_may_be_named_for_every_split(read, tmp_path):
    file = tmp_path / "x.csv"
    listing = read(SPLIT, ann_file_val=file, ann_file_test=file)
    assert [row[:2] for row in rows(listing)] == [("train", "a"), ("val", "b"), ("test", "c")]
    assert listing.notes == ()


def test_a_table_without_rows_of_its_split_is_refused(read, tmp_path):
    listing = read("path,label,split\na,x,train\nb,x,test\n", split="val")
    assert list(map(str, listing.problems)) == [
        f"ann_file_val: has no videos of val (got {tmp_path}/x.csv). Leave it out, or name a list that has them."
    ]


def test_a_column_that_always_says_the_same_does_not_overrule_the_setting(read):
    listing = read("path,label,split\na,x,val\nb,x,val\n", split="test")
    assert [row[:2] for row in rows(listing)] == [("test", "a"), ("test", "b")]
    assert listing.notes == ("x.csv says val on every row, and is used for test, as ann_file_test says",)


def test_a_test_table_may_do_without_labels(read):
    listing = read("path\na.mp4\nb.mp4\n", split="test")
    assert rows(listing) == [("test", "a.mp4", None, "x.csv:2"), ("test", "b.mp4", None, "x.csv:3")]
    assert listing.problems == ()
