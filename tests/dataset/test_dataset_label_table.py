"""The table of suspicious labels, as it is written and as people save it; and the new lists that come of it."""

from __future__ import annotations

import csv
import io

import pytest

from autox_video.dataset.annotations import Row
from autox_video.dataset.label_table import Suspect, Verdict, changes_in_words, is_edited, label_table, read_verdicts
from autox_video.dataset.new_lists import apply_verdicts, write_new_lists
from autox_video.errors import RequestError

CLASSES = ("jump", "run", '跳, "x"')


def suspect(rank: int, file: str, **named: object) -> Suspect:
    values = {"start_seconds": None, "end_seconds": None, "split": "train", "label": "jump", "suggested_label": "run"}
    return Suspect(rank, file, **{**values, "score": 0.91234, "chances": (0.9, 0.05), "near": (18, 1, 20), **named})


TABLE = label_table([suspect(1, "a, b.mp4"), suspect(2, "-猫.mp4", split="val", label=CLASSES[2])])


def saved(path, *rows: str, head: str = "file,split,label,new_label,keep"):
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_the_table_has_what_a_person_needs_and_room_for_the_answer():
    assert TABLE.splitlines()[:2] == [
        "rank,file,split,label,suggested_label,score,reason,new_label,keep",
        "1,\"a, b.mp4\",train,jump,run,0.9123,\"by the other videos it is 'run' (0.90) rather than 'jump' (0.05); of the 20 "
        "most alike, 18 are 'run' and 1 'jump'\",,yes",
    ]
    pieces = label_table([suspect(1, "a.mp4", start_seconds=1.5), suspect(2, "b.mp4")])
    assert pieces.splitlines()[0].startswith("rank,file,start_seconds,end_seconds,split")
    assert pieces.splitlines()[1].startswith("1,a.mp4,1.5,,train")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_table_is_read_back_however_a_spreadsheet_saves_it(ending, delimiter, encoding, tmp_path):
    rows = list(csv.reader(io.StringIO(TABLE)))
    rows[1][-2], rows[2][-1] = "run", "No"
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ending).writerows(rows)
    path = tmp_path / "saved.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    first, second = read_verdicts(path, CLASSES)
    assert first == Verdict(f"{path}:2", ("train", "a, b.mp4", None, None), "jump", "run", True)
    assert second == Verdict(f"{path}:3", ("val", "-猫.mp4", None, None), CLASSES[2], None, False)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.mp4,train,jump,rum,yes", "{}:2: has a new_label that is no class (got 'rum'). Did you mean 'run'."),
        (
            "a.mp4,train,jump,walk,yes",
            "{}:2: has a new_label that is no class (got 'walk'). The classes are jump, run, 跳, \"x\".",
        ),
        ("a.mp4,train,jump,,perhaps", "{}:2: has a keep that is neither yes nor no (got 'perhaps'). Write yes or no."),
        (
            "a.mp4,train,jump,run,no",
            "{}:2: has a new_label, and keep says that the video is left out (got 'run'). Write keep: yes to correct it, or "
            "clear new_label to leave the video out.",
        ),
        (
            "a.mp4,train,jump,run,yes\na.mp4,train,jump,,no",
            "{}:3: says otherwise of a video than {}:2 (got 'a.mp4'). Keep one of the two rows.",
        ),
        (
            "a.mp4,train,jump,run,yes,more",
            "{}:2: has 6 fields where the header has 5. Put a field that holds a separator into double quotes.",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(row, told, tmp_path):
    path = saved(tmp_path / "t.csv", row)
    with pytest.raises(RequestError) as caught:
        read_verdicts(path, CLASSES)
    assert str(caught.value) == told.replace("{}", str(path))


def test_a_table_without_its_columns_or_that_is_no_text_is_refused(tmp_path):
    path = saved(tmp_path / "t.csv", "a.mp4,jump", head="file,label")
    with pytest.raises(RequestError) as caught:
        read_verdicts(path, CLASSES)
    assert str(caught.value) == (
        f"{path}: lacks the columns split, new_label, keep (got file, label). Run `autox-video audit-labels` again for a "
        "whole one."
    )
    (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04\x00\xff")
    with pytest.raises(RequestError, match=r"is not UTF-8 text|holds a NUL"):
        read_verdicts(tmp_path / "t.xlsx", CLASSES)
    with pytest.raises(RequestError, match="cannot be read"):
        read_verdicts(tmp_path / "none.csv", CLASSES)


@pytest.mark.parametrize(
    ("change", "edited"),
    [(("", ""), False), ((",yes", ",no"), True), ((",,yes", ",run,yes"), True), (("keep", "kept"), True)],
)
def test_a_table_that_somebody_has_written_into_is_known(change, edited, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE.replace(*change) if change[0] else TABLE, encoding="utf-8")
    assert is_edited(tmp_path / "t.csv") is edited


LISTS = {
    "train": [
        Row("a.mp4", 0, "pyav"),
        Row("b.mp4", 1, "pyav"),
        Row("c.mp4", 2, "pyav", 1.5, None),
        Row("d.mp4", 0, "x"),
    ],
    "val": [Row("a.mp4", 1, "pyav")],
    "test": [Row("e.mp4", None, "pyav")],
}


def verdict(split: str, file: str, label: str, new: str | None = None, keep: bool = True, start: float | None = None):
    return Verdict("t.csv:2", (split, file, start, None), label, new, keep)


def test_new_lists_hold_what_was_decided_and_nothing_else_changes(tmp_path):
    new = apply_verdicts(
        LISTS,
        CLASSES,
        [
            verdict("train", "a.mp4", "jump", CLASSES[2]),
            verdict("val", "a.mp4", "run", "jump"),
            verdict("train", "d.mp4", "jump", keep=False),
            verdict("train", "b.mp4", "run", "jump"),
            verdict("train", "c.mp4", CLASSES[2], "run", start=1.5),
        ],
    )
    written = write_new_lists(tmp_path / "new", LISTS, new, CLASSES, {("train", "b.mp4"): "tape 1"})
    assert (written.changed, written.left_out) == (4, 1)
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted((tmp_path / "new").iterdir())}
    assert texts == {
        "classes.txt": 'jump\nrun\n跳, "x"\n',
        "test.csv": "path\ne.mp4\n",
        "train.csv": 'path,label,start,end,group\na.mp4,"跳, ""x""",,,\nb.mp4,jump,,,tape 1\nc.mp4,run,1.5,,\n',
        "val.csv": "path,label\na.mp4,jump\n",
    }
    write_new_lists(tmp_path / "new", LISTS, new, CLASSES, {("train", "b.mp4"): "tape 1"})
    with pytest.raises(RequestError) as caught:
        write_new_lists(tmp_path / "new", LISTS, new, CLASSES, {})
    assert str(caught.value) == (
        f"{tmp_path / 'new' / 'train.csv'}: holds another list already. Name another folder with -o: a run may have been "
        "trained on these."
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            verdict("train", "aa.mp4", "jump", "run"),
            "t.csv:2: is of no video in the train list (got 'aa.mp4'). Did you mean 'a.mp4'.",
        ),
        (
            verdict("train", "c.mp4", CLASSES[2], "run", start=2.0),
            "t.csv:2: is of no video in the train list (got 'c.mp4'). Did you mean 'd.mp4'.",
        ),
        (
            verdict("train", "a.mp4", "run", "jump"),
            "t.csv:2: is of a video that has the label 'jump' now (got 'run'). Run `autox-video audit-labels` again.",
        ),
        (
            verdict("train", "b.mp4", "run", "jump"),
            "train list: 1 class would have no training video left (got run). Keep some, or take the class out of your own "
            "lists.",
        ),
    ],
)
def test_a_verdict_that_does_not_fit_the_lists_is_refused(given, told):
    with pytest.raises(RequestError) as caught:
        apply_verdicts(LISTS, CLASSES, [given])
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("counts", "words"),
    [((2, 1), "2 labels changed, 1 video left out"), ((1, 0), "1 label changed"), ((0, 3), "3 videos left out")],
)
def test_what_was_done_is_said_in_words(counts, words):
    assert changes_in_words(*counts) == words
