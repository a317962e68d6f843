from __future__ import annotations

from collections import Counter

import pytest
import samples
import videos

from autox_video.dataset.annotations import Row, read_rows, write_annotations
from autox_video.dataset.classes import find_classes
from autox_video.dataset.entries import UNDIVIDED, Entry, Part, Sample
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.multi_label import find_task, labels_of, separated, split_label
from autox_video.dataset.splits import divide
from autox_video.errors import RequestError
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir


def part(*labels: str | None, named: bool = False) -> Part:
    entries = tuple(Entry(f"{i}.mp4", label, f"train.txt:{i + 1}") for i, label in enumerate(labels))
    return Part(entries, "train.txt", named)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("3", ["3"]),
        ("3;5", ["3", "5"]),
        ("3, 5 7", ["3", "5", "7"]),
        ("jump;run", ["jump", "run"]),
        ("jump high ; run", ["jump high", "run"]),
        ("jump, high", ["jump, high"]),
        ("3 legs", ["3 legs"]),
        ("jump;", ["jump"]),
    ],
)
def test_ids_may_be_listed_in_many_ways_and_names_between_semicolons(text, labels):
    assert split_label(text) == labels


@pytest.mark.parametrize(
    ("parts", "task"),
    [
        ({"train": part("0", "1;2")}, "multi_label"),
        ({"train": part("jump;run", "run")}, "multi_label"),
        ({"train": part("jump", "run"), "val": part("jump;run")}, "single_label"),
        ({UNDIVIDED: part("a;b", "c", named=True)}, "single_label"),  # folders are named so
        ({"train": part(*["0", "1"] * 30, "0;1")}, "single_label"),  # a slip of the pen
    ],
)
def test_the_training_list_tells_the_task(parts, task):
    found = find_task(samples.settings(), parts)
    assert found.name == task
    assert bool(found.notes) == (task == "multi_label")


def test_what_is_asked_or_trained_goes_before_what_is_found():
    parts = {"train": part("jump;run", "run")}
    assert find_task(samples.settings(task="single_label"), parts).name == "single_label"
    assert find_task(samples.settings(task="multi_label"), {"train": part("0", "1")}).name == "multi_label"
    assert find_task(samples.settings(), {"test": part("0")}, trained="multi_label").name == "multi_label"


def test_a_rare_row_with_several_names_is_refused_by_its_line():
    (problem,) = find_task(samples.settings(), {"train": part(*["jump", "run"] * 30, "jump;run")}).problems
    assert str(problem) == (
        "train.txt:61: has several labels (got 'jump;run'). Give a video one label, or set task: multi_label, "
        "or task: single_label if this is one name."
    )


def test_class_folders_beside_several_labels_are_refused():
    parts = {"train": part("jump;run", "run"), "test": part("jump", named=True)}
    (problem,) = find_task(samples.settings(), parts).problems
    assert str(problem) == (
        "fit(): data_root: train.txt has class folders, which give a video one label, where videos have several. "
        "Give a list for each split, or set task: single_label."
    )


@pytest.mark.parametrize(
    ("rows", "classes", "labels"),
    [
        (("3;5", "0", "5,5"), tuple("012345"), [(3, 5), (0,), (5,)]),
        (("run;jump", "run", None), ("jump", "run"), [(0, 1), (1,), None]),
    ],
)
def test_labels_become_class_ids_in_order(rows, classes, labels):
    parts = {"train": part(*rows)}
    found = find_classes(samples.settings(), None, separated(parts))
    assert found.names == classes
    assert labels_of(parts["train"], found, "multi_label") == (labels, [])


def test_a_wrong_label_among_right_ones_is_named():
    found = find_classes(samples.settings(), ("jump", "run"), {})
    labels, problems = labels_of(part("jump;rnu"), found, "multi_label")
    assert labels == [None]
    assert list(map(str, problems)) == ["train.txt:1: has an unknown class (got 'rnu'). Did you mean 'run'."]


def test_canonical_lists_keep_several_labels(tmp_path):
    rows = [("a b.mp4", (1, 4)), ("c.mp4", 2), ("d.mp4", None)]
    write_annotations(tmp_path / "l.txt", [Sample(path, label, "", path) for path, label in rows], ["pyav"] * 3)
    assert (tmp_path / "l.txt").read_text() == "a b.mp4\t1;4\tpyav\nc.mp4\t2\tpyav\nd.mp4\t\tpyav\n"
    assert read_rows(tmp_path / "l.txt") == [Row(path, label, "pyav") for path, label in rows]


def test_what_is_held_out_has_every_label():
    # All pairs of ten labels: no combination comes twice, each label nine times.
    pairs = [(one, other) for one in range(10) for other in range(one + 1, 10)]
    listed = [Sample(f"{pair}.mp4", pair, "", f"/{pair}.mp4") for pair in pairs]
    divided = divide(listed, {"val": 0.2}, seed=0)
    counts = Counter(label for sample in divided["train"] for label in sample.label)
    assert len(divided["val"]) >= 7
    assert set(counts) == set(range(10))


def test_a_list_with_several_labels_is_fingerprinted_as_such(tmp_path):
    labels = {"train": ["jump;run", "run", "jump", "run;swim"], "val": ["jump", "run;swim"], "test": ["swim;jump"]}
    for split, rows in labels.items():
        for index in range(len(rows)):
            videos.write_video(tmp_path / "videos" / f"{split} {index}.mp4", seed=index)
        lines = [f"{split} {index}.mp4 {row}" for index, row in enumerate(rows)]
        (tmp_path / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    values = {"data_root": tmp_path / "videos", **{f"ann_file_{split}": tmp_path / f"{split}.txt" for split in labels}}
    settings = load_settings(None, values={key: str(value) for key, value in values.items()})
    work_dir = WorkDir(tmp_path / "run")
    fingerprint = fingerprint_dataset(settings, work_dir)
    assert (fingerprint.task, fingerprint.classes) == ("multi_label", ("jump", "run", "swim"))
    assert fingerprint.splits["train"].class_counts == {"jump": 2, "run": 3, "swim": 1}
    assert fingerprint.notes[0] == (
        "2 of 4 training videos have several labels, so each label is learned on its own (task: multi_label)"
    )
    assert work_dir.annotations("train").read_text() == (
        "train 0.mp4\t0;1\tpyav\ntrain 1.mp4\t1\tpyav\ntrain 2.mp4\t0\tpyav\ntrain 3.mp4\t1;2\tpyav\n"
    )
    (tmp_path / "val.txt").write_text("val 0.mp4 jump\nval 1.mp4 run;fly\n", encoding="utf-8")
    with pytest.raises(RequestError) as caught:
        fingerprint_dataset(settings, work_dir)
    assert "val.txt:2: has a class that training never saw (got 'fly')" in str(caught.value)
