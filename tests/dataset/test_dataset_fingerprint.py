from __future__ import annotations

import dataclasses
import shutil

import pytest

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.facts import BadVideo, Fingerprint, Leak, Percentiles
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.errors import RequestError
from autox_video.records import read_record
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir

TRAIN = [f"a{index}.mp4 0" for index in range(5)] + [f"b{index}.mp4 1" for index in range(5)]
VAL = ["a5.mp4 0", "b5.mp4 1"]
TEST = ["a6.mp4 0", "b6.mp4 1", "a7.mp4 0"]


def listed(path):
    return [(row.path, row.label) for row in read_rows(path)]


def refused(read, folder="flat", **given) -> list[str]:
    with pytest.raises(RequestError) as caught:
        read(folder, **given)
    return str(caught.value).splitlines()


def test_lists_become_facts_and_canonical_lists(read, library, tmp_path):
    fingerprint = read("flat", train=TRAIN, val=VAL, test=[*TEST, "long.mp4 1"])
    work_dir = WorkDir(tmp_path / "run")
    assert read_record(work_dir.fingerprint, Fingerprint) == fingerprint
    assert (fingerprint.task, fingerprint.classes, fingerprint.data_root) == (
        "single_label",
        ("0", "1"),
        str(library.flat),
    )
    assert (fingerprint.bad_videos, fingerprint.notes) == ((), ())
    test = fingerprint.splits["test"]
    assert test.ann_file == str(work_dir.annotations("test"))
    assert test.source == str(tmp_path / "test.txt")
    assert (test.labelled, test.num_videos, test.num_bad, test.class_counts) == (True, 4, 0, {"0": 2, "1": 2})
    assert (test.num_frames.min, test.num_frames.max) == (6.0, 24.0)
    assert (test.fps.min, test.fps.max) == (8.0, 12.0)
    assert test.duration_seconds == Percentiles(0.5, 0.5, 0.5, 2.625, 3.0)
    assert (test.short_side_px.min, test.long_side_px.max) == (32.0, 64.0)
    assert listed(work_dir.annotations("test")) == [
        ("a6.mp4", 0),
        ("b6.mp4", 1),
        ("a7.mp4", 0),
        ("long.mp4", 1),
    ]


def test_odd_names_and_separators_arrive(read, library, tmp_path):
    names = ["-dash.mp4", "with space.mp4", "跳舞.mp4", "🎬.mp4", "x,y;z.mp4", str(library.flat / "a9.mp4")]
    lines = [*TRAIN, *(f"{name} 0" for name in names), '" lead.mp4" 1']
    read("flat", train="\ufeff" + "\r\n".join(lines) + "\r\n\r\n", val="a5.mp4,0\nb5.mp4,1", test="a6.mp4;0\nb6.mp4;1")
    train = listed(WorkDir(tmp_path / "run").annotations("train"))
    assert train[10:] == [*((name, 0) for name in names), ("./ lead.mp4", 1)]


def test_unreadable_videos_are_left_out_and_named_with_their_place(read, tmp_path):
    fingerprint = read("flat", train=[*TRAIN[:2], "bad0.mp4 0", *TRAIN[2:], "missing.mp4 1"], val=VAL, test=TEST)
    assert fingerprint.bad_videos == (
        BadVideo("train", 2, "bad0.mp4", "train.txt:3", "is no video, or its header is damaged or cut off", 0),
        BadVideo("train", 11, "missing.mp4", "train.txt:12", "does not exist", 1),
    )
    assert (fingerprint.splits["train"].num_videos, fingerprint.splits["train"].num_bad) == (10, 2)
    assert len(listed(WorkDir(tmp_path / "run").annotations("train"))) == 10


def test_class_folders_become_three_splits(read, library):
    fingerprint = read("classes")
    assert fingerprint.classes == ("jump", "run")
    assert {name: split.class_counts for name, split in fingerprint.splits.items()} == {
        "train": {"jump": 6, "run": 6},
        "val": {"jump": 2, "run": 2},
        "test": {"jump": 2, "run": 2},
    }
    assert fingerprint.notes == tuple(
        f"{split} is 4 of the 20 videos in {library.root}/classes, drawn from each class with seed 0"
        for split in ("val", "test")
    )


def test_folders_of_splits_without_a_test_are_tested_without_labels(read, library):
    fingerprint = read("splits")
    test = fingerprint.splits["test"]
    assert (test.labelled, test.class_counts, test.num_videos) == (False, {}, 8)
    assert fingerprint.notes == (
        f"there is no list for test: all videos in {library.root}/splits (8) are tested without labels and figures",
        "8 of 8 test videos are also in train or val",
    )


def test_an_unlabelled_test_list_has_paths_alone(read, tmp_path):
    fingerprint = read("flat", train=TRAIN, val=VAL, test=["a6.mp4", "with space.mp4"])
    assert not fingerprint.splits["test"].labelled
    assert WorkDir(tmp_path / "run").annotations("test").read_text() == "a6.mp4\t\tpyav\nwith space.mp4\t\tpyav\n"


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (
            {"val": TEST, "test": TEST},
            "val and test are the same 3 files: the test figures are not independent of the choice of the best checkpoint",
        ),
        (
            {"val": VAL, "test": [*TEST, TRAIN[0]]},
            "1 of 4 test files are also in train: the test figures are better than on new videos",
        ),
        (
            {"val": TRAIN, "test": TEST},
            "train and val are the same 10 files: the val figures are better than on new videos",
        ),
        ({"val": VAL, "test": [*TEST, "./a6.mp4 0"]}, "test lists 1 video more than once, and each counts: test.txt:4"),
        ({"val": VAL, "test": TEST, "num_class": 4}, "2 classes of 4 without a train video: 2, 3"),
        ({"val": ["# by hand", *VAL], "test": TEST}, "val.txt: 1 line beginning with # left out as comments"),
    ],
)
def test_what_makes_figures_doubtful_is_noted(read, given, note):
    assert note in read("flat", train=TRAIN, **given).notes


# ------------------------------------------------------------------------------------------ refusals
def test_too_many_unreadable_videos_are_refused_with_the_list(read, tmp_path):
    bad = [f"bad{index}.mp4 0" for index in range(3)]
    assert refused(read, train=[*TRAIN, *bad], val=VAL, test=TEST) == [
        "train: 3 of 13 videos (23%) cannot be used. "
        f"Repair them or take them out of {tmp_path}/train.txt; up to 20% would be left out.",
        *(
            f"train.txt:{11 + index}: bad{index}.mp4 is no video, or its header is damaged or cut off. Repair it or take it out."
            for index in range(3)
        ),
    ]


def test_of_what_was_divided_the_whole_is_judged(read, tmp_path):
    train = [*TRAIN, *(f"{letter}{index}.mp4 {label}" for label, letter in enumerate("ab") for index in (8, 9))]
    fingerprint = read("flat", train=[*train, "bad0.mp4 0", "bad1.mp4 1", "bad2.mp4 1"], test=TEST)
    worst = max(split.num_bad / (split.num_bad + split.num_videos) for split in fingerprint.splits.values())
    assert worst > 0.2
    assert refused(read, train=[*train, *(f"bad{index}.mp4 0" for index in range(4))], test=TEST)[0] == (
        "train, val: 4 of 18 videos (22%) cannot be used. "
        f"Repair them or take them out of {tmp_path}/train.txt; up to 20% would be left out."
    )


def test_long_lists_of_problems_are_cut_short(read):
    lines = refused(read, train=TRAIN + ["a9.mp4"] * 332, val=VAL, test=TEST)
    assert lines[0] == "train.txt:11: has no label (got 'a9.mp4'). Write the class after the path."
    assert lines[20:] == ["train.txt: and 312 more: has no label. Write the class after the path."]


def test_everything_that_can_be_found_is_said_at_once(read, tmp_path):
    assert refused(
        read,
        train=[*TRAIN, "a0.mp4 1", "b0.mp4 O", "a9.mp4"],
        val=["a5.mp4 2", "missing.mp4 1"],
        test="",
        classes=("x", "y"),
    ) == [
        "train.txt:13: has no label (got 'a9.mp4'). Write the class after the path.",
        "train.txt:12: has a name for a label where the other labels are ids (got 'O'). Write ids everywhere, or names everywhere.",
        "val.txt:1: has a label outside the 2 classes (got 2). Ids run from 0 to 1; correct the label, or num_class.",
        f"test: there is no video in {tmp_path}/test.txt. Give it videos, or a list in ann_file_test.",
        "val: 1 of 2 videos (50%) cannot be used. "
        f"Repair them or take them out of {tmp_path}/val.txt; up to 20% would be left out.",
        "val.txt:2: missing.mp4 does not exist. Repair it or take it out.",
        "train.txt:11: has another label than in train.txt:1 (got 'a0.mp4'). Correct one of them.",
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"val": [*VAL, "a9.mp4 2"]},
            "val.txt:3: training has no video of this class (got '2'). Add videos of it to train, or take it out of val.",
        ),
        (
            {"train": [*TRAIN, "bad0.mp4 2"], "val": [*VAL, "a9.mp4 2"]},
            "val.txt:3: training has no video of this class that can be read (got '2'). Add videos of it to train, or take it out of val.",
        ),
        (
            {"test": [*TEST, "a0.mp4 1"]},
            "test.txt:4: has another label than in train.txt:1 (got 'a0.mp4'). Correct one of them.",
        ),
    ],
)
def test_splits_that_contradict_each_other_are_refused(read, given, problem):
    assert refused(read, **{"train": TRAIN, "val": VAL, "test": TEST, **given}) == [problem]


def test_lists_of_which_nothing_exists_are_one_problem_that_names_the_right_root(read, library):
    lists = {"train": TRAIN, "val": VAL, "test": TEST}
    assert refused(read, folder="", **lists) == [
        f"train.txt, val.txt, test.txt: not one of 15 videos exists (got {library.root}/a0.mp4 as the first). "
        f"Set data_root to {library.flat}."
    ]
    strangers = {split: [f"no/{line}" for line in lines] for split, lines in lists.items()}
    assert refused(read, **strangers) == [
        f"train.txt, val.txt, test.txt: not one of 15 videos exists (got {library.flat}/no/a0.mp4 as the first). "
        "Correct data_root, or the paths in the list."
    ]


def test_one_video_a_class_cannot_be_divided(read, tmp_path):
    assert refused(read, train=["a0.mp4 0", "b0.mp4 1"], test=TEST) == [
        f"val: there is no video in {tmp_path}/train.txt to hold out, as no class has two: each needs 1 more. Give it videos, or a list in ann_file_val."
    ]


def test_a_folder_without_lists_or_classes_is_refused(read, library):
    assert refused(read) == [
        f"data_root: there is no list of training videos, and no folder of a class (got {library.flat}). "
        "Give ann_file_train, or put the videos of each class into a folder of its own."
    ]


def test_a_missing_data_root_names_its_nearest_sibling(read, library):
    assert refused(read, folder="flatt", train=TRAIN, origins={"data_root": "config.yaml:2"}) == [
        f"config.yaml:2: data_root: does not exist (got {library.root}/flatt). Did you mean 'flat'."
    ]
    assert refused(read, folder="flat/a0.mp4") == [
        f"data_root: is not a folder (got {library.flat}/a0.mp4). Name the folder of the videos."
    ]


def test_a_refusal_writes_no_lists(read, tmp_path):
    refused(read, train=TRAIN, val="", test=TEST)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["check.json", "probe_cache.json"]


# ---------------------------------------------------------------------------------------- test alone
def test_a_call_for_test_alone_leaves_the_fingerprint_and_recalls_the_training(read, tmp_path, library):
    whole = read("flat", train=TRAIN, val=VAL, test=TEST)
    settings = Settings(library.flat, ann_file_train=tmp_path / "gone.txt", ann_file_test=tmp_path / "test.txt")
    work_dir = WorkDir(tmp_path / "run")
    (tmp_path / "test.txt").write_text("a0.mp4 run\na6.mp4 jump\n")
    alone = fingerprint_dataset(settings, work_dir, splits=("test",), classes=("jump", "run"))
    assert list(alone.splits) == ["test"]
    assert alone.classes == ("jump", "run")
    assert alone.notes == (
        "1 of 2 test files are also in train: the test figures are better than on new videos",
        f"1 video in two splits, listed in {work_dir.leaks}",
    )
    assert alone.leaks == (Leak("test", "a0.mp4", "train", "a0.mp4", "same file"),)
    assert listed(work_dir.annotations("test")) == [("a0.mp4", 1), ("a6.mp4", 0)]
    assert read_record(work_dir.fingerprint, Fingerprint) == whole


def test_the_test_part_of_class_folders_is_the_same_alone(read, tmp_path):
    whole = read("classes")
    expected = listed(WorkDir(tmp_path / "run").annotations("test"))
    alone = read("classes", call={"splits": ("test",), "classes": whole.classes})
    assert listed(WorkDir(tmp_path / "run").annotations("test")) == expected
    assert dataclasses.replace(whole.splits["test"]) == alone.splits["test"]


def test_a_whole_folder_is_tested_without_labels_and_with_its_broken_files(read):
    fingerprint = read("flat", call={"splits": ("test",), "classes": ("x", "y"), "whole_folder": True})
    test = fingerprint.splits["test"]
    assert (test.labelled, test.num_videos, test.num_bad) == (False, 27, 5)
    assert fingerprint.classes == ("x", "y")


def test_a_whole_folder_may_be_mostly_broken_but_a_list_may_not(tmp_path, clip):
    (tmp_path / "v").mkdir()
    shutil.copy(clip, tmp_path / "v" / "good.mp4")
    for name in ("bad0.mp4", "bad1.mp4"):
        (tmp_path / "v" / name).write_bytes(b"no video")
    settings, call = Settings(tmp_path / "v"), {"splits": ("test",), "classes": ("x", "y")}
    fingerprint = fingerprint_dataset(settings, WorkDir(tmp_path / "run"), whole_folder=True, **call)
    assert (fingerprint.splits["test"].num_videos, fingerprint.splits["test"].num_bad) == (1, 2)
    (tmp_path / "test.txt").write_text("good.mp4\nbad0.mp4\n")
    listed = dataclasses.replace(settings, ann_file_test=tmp_path / "test.txt", ann_file_train=tmp_path / "gone.txt")
    with pytest.raises(RequestError, match=r"^test: 1 of 2 videos \(50%\) cannot be used\."):
        fingerprint_dataset(listed, WorkDir(tmp_path / "run"), **call)


def test_a_call_for_train_alone_holds_out_nothing_where_val_has_a_list(read):
    alone = read("flat", train=TRAIN, val=VAL, test=TEST, call={"splits": ("train",)})
    assert {split: facts.num_videos for split, facts in alone.splits.items()} == {"train": 10}


def test_a_folder_without_videos_cannot_be_tested_on(tmp_path):
    with pytest.raises(RequestError) as caught:
        fingerprint_dataset(
            Settings(tmp_path, ann_file_train=tmp_path / "x"), WorkDir(tmp_path), splits=("test",), classes=("x", "y")
        )
    assert str(caught.value) == (
        f"data_root: there is no video to test on (got {tmp_path}). Give ann_file_test, or another folder."
    )
