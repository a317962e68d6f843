from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from autox_video.dataset.entries import UNDIVIDED, Draft, Sample
from autox_video.dataset.splits import complete_splits, divide
from autox_video.settings.schema import RuntimeSettings, Settings


def samples(**counts: int) -> tuple[Sample, ...]:
    labels = {name: label for label, name in enumerate(counts)}
    names = [(name, index) for name, count in counts.items() for index in range(count)]
    return tuple(Sample(f"{name}/{index}.mp4", labels[name], name, f"/v/{name}/{index}.mp4") for name, index in names)


def draft(*rows: Sample, source: str = "list") -> Draft:
    return Draft(tuple(rows), source, labelled=True)


@pytest.mark.parametrize(
    ("count", "alone", "both"),
    [
        (1, (1, 0), (1, 0, 0)),
        (2, (1, 1), (1, 1, 0)),
        (3, (2, 1), (1, 1, 1)),
        (10, (8, 2), (6, 2, 2)),
        (100, (80, 20), (70, 15, 15)),
    ],
)
def test_a_class_is_shared_out(count, alone, both):
    one = divide(samples(a=count), {"val": 0.2}, seed=0)
    assert (len(one["train"]), len(one["val"])) == alone
    two = divide(samples(a=count), {"val": 0.15, "test": 0.15}, seed=0)
    assert (len(two["train"]), len(two["val"]), len(two["test"])) == both


def test_every_video_is_in_one_split_and_every_class_in_all():
    rows = samples(a=30, b=7, c=12)
    divided = divide(rows, {"val": 0.15, "test": 0.15}, seed=3)
    assert sorted((sample for part in divided.values() for sample in part), key=rows.index) == list(rows)
    assert all({sample.label for sample in part} == {0, 1, 2} for part in divided.values())


def test_the_division_depends_on_seed_and_names_alone():
    rows = list(samples(a=20, b=20))
    divided = {split: set(part) for split, part in divide(rows, {"val": 0.2}, seed=0).items()}
    random.Random(0).shuffle(rows)
    assert {split: set(part) for split, part in divide(rows, {"val": 0.2}, seed=0).items()} == divided
    moved = [Sample(row.path, row.label, row.where, "/elsewhere" + row.file) for row in rows]
    names = {row.path for row in divide(moved, {"val": 0.2}, seed=0)["val"]}
    assert names == {row.path for row in divided["val"]}
    assert set(divide(rows, {"val": 0.2}, seed=1)["val"]) != divided["val"]


def test_a_file_listed_twice_stays_in_one_split():
    rows = samples(a=10) * 2
    divided = divide(rows, {"val": 0.2}, seed=0)
    assert Counter(sample.file for sample in divided["val"]).most_common(1)[0][1] == 2
    assert not {sample.file for sample in divided["val"]} & {sample.file for sample in divided["train"]}


def complete(drafts, root: Path, wanted=("train", "val", "test"), **values):
    parts, notes = complete_splits(drafts, Settings(root, runtime=RuntimeSettings(**values)), wanted)
    return {split: len(part.samples) for split, part in parts.items()}, notes, parts


def test_class_folders_give_all_three_splits(tmp_path):
    sizes, notes, parts = complete({UNDIVIDED: draft(*samples(a=20, b=20), source="/v")}, tmp_path, seed=5)
    assert sizes == {"train": 28, "val": 6, "test": 6}
    assert notes == [
        "val is 6 of the 40 videos in /v, drawn from each class with seed 5",
        "test is 6 of the 40 videos in /v, drawn from each class with seed 5",
    ]
    assert [part.source for part in parts.values()] == ["/v", "6 of the 40 videos in /v", "6 of the 40 videos in /v"]


def test_what_a_list_names_is_left_out_of_the_folders(tmp_path):
    rows = samples(a=10, b=10)
    sizes, notes, _ = complete({UNDIVIDED: draft(*rows, source="/v"), "test": draft(*rows[:4])}, tmp_path)
    assert sizes == {"train": 13, "val": 3, "test": 4}
    assert notes[0] == "4 videos left out of train: the list of val or test has them"


def test_test_alone_is_drawn_as_it_was_for_training(tmp_path):
    drafts = {UNDIVIDED: draft(*samples(a=20, b=20))}
    whole, alone = complete(drafts, tmp_path)[2], complete(drafts, tmp_path, wanted=("test",))[2]
    assert alone == {"test": whole["test"]}


def test_a_train_list_alone_gives_val_and_tests_on_the_folder_without_labels(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("x.mp4", "deep/y.avi", "notes.txt"):
        (tmp_path / name).touch()
    sizes, notes, parts = complete({"train": draft(*samples(a=5, b=5))}, tmp_path)
    assert sizes == {"train": 8, "val": 2, "test": 2}
    assert notes == [
        "val is 2 of the 10 videos in list, drawn from each class with seed 0",
        f"there is no list for test: all videos in {tmp_path} (2) are tested without labels and figures",
    ]
    assert [(sample.path, sample.label) for sample in parts["test"].samples] == [("deep/y.avi", None), ("x.mp4", None)]
    assert (parts["test"].labelled, parts["test"].swept) == (False, True)


def test_without_any_video_there_is_no_test_split(tmp_path):
    rows = draft(*samples(a=2, b=2))
    sizes, notes, _ = complete({"train": rows, "val": rows}, tmp_path)
    assert sizes == {"train": 4, "val": 4}
    assert notes == [f"there is nothing to test on: no list, and no video in {tmp_path}"]
