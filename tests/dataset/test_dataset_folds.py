from __future__ import annotations

from collections import Counter

import pytest
from test_dataset_division import ucf

from autox_video.dataset.division import divide
from autox_video.dataset.entries import Sample, ids_of
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.folds import fold_numbers, read_folds, row_key, write_folds
from autox_video.errors import RequestError
from autox_video.settings import schema
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir


def folds_of(rows, numbers):
    return {fold: [row for row in rows if numbers[row.file] == fold] for fold in sorted(set(numbers.values()))}


@pytest.mark.parametrize("folds", [2, 3, 5])
@pytest.mark.parametrize(("groups", "clips"), [(25, 5), (5, 7), (10, 1)])
def test_no_group_crosses_and_every_class_is_in_every_fold(folds, groups, clips):
    rows, group_of = ucf(5, groups, clips)
    numbers = fold_numbers(rows, folds, 0, group_of)
    assert numbers.keys() == {row.file for row in rows}
    assert set(numbers.values()) == set(range(1, folds + 1))
    assert {len({numbers[row.file] for row in rows if group_of[row.file] == name}) for name in group_of.values()} == {1}
    for part in folds_of(rows, numbers).values():
        assert {row.label for row in part} == set(range(5))
    sizes = [len(part) for part in folds_of(rows, numbers).values()]
    assert max(sizes) - min(sizes) <= clips * 5


def test_groups_of_uneven_size_are_spread_evenly():
    rows = [
        Sample(f"g{group}_{clip}.mp4", 0, "list", f"/g{group}_{clip}.mp4")
        for group in range(12)
        for clip in range(group + 1)
    ]
    numbers = fold_numbers(rows, 3, 0, {row.file: row.path.split("_")[0] for row in rows})
    assert Counter(numbers.values()) == {1: 26, 2: 26, 3: 26}


def test_classes_of_fewer_groups_than_folds_fill_the_folds_between_them():
    rows = [
        Sample(f"{label}{clip}.mp4", label, "list", f"/{label}{clip}.mp4") for label in range(5) for clip in range(2)
    ]
    for seed in range(5):
        numbers = fold_numbers(rows, 5, seed, {})
        assert set(Counter(numbers.values()).values()) == {2}
        assert all(len({row.label for row in part}) == 2 for part in folds_of(rows, numbers).values())


def test_a_rare_label_among_several_is_spread_first():
    labels = [(0, 1)] * 20 + [(0, 2)] * 3 + [(1,)] * 4
    rows = [Sample(f"{place}.mp4", label, "list", f"/{place}.mp4") for place, label in enumerate(labels)]
    numbers = fold_numbers(rows, 3, 0, {})
    for part in folds_of(rows, numbers).values():
        assert [sum(label in ids_of(row.label) for row in part) for label in (0, 1, 2)][2] == 1
        assert len(part) == 9


def test_the_folds_depend_on_the_seed_and_on_no_order():
    rows, group_of = ucf(4, 8, 3)
    first = fold_numbers(rows, 4, 0, group_of)
    assert fold_numbers(rows[::-1], 4, 0, group_of) == first
    assert fold_numbers(rows, 4, 1, group_of) != first


def test_what_is_left_beside_a_fold_is_divided_by_group_too():
    rows, group_of = ucf(3, 10, 3)
    numbers = fold_numbers(rows, 5, 0, group_of)
    for fold in range(1, 6):
        rest = [row for row in rows if numbers[row.file] != fold]
        divided = divide(rest, {"val": 0.2}, 0, group_of)
        assert not {group_of[row.file] for row in divided["val"]} & {group_of[row.file] for row in divided["train"]}


def test_the_list_of_folds_is_read_as_it_was_written(tmp_path):
    rows = [
        Sample("run 1.mp4", 0, "list", "/run 1.mp4", 0.1, None),
        Sample("run 1.mp4", 0, "list", "/run 1.mp4", None, 0.3),
        Sample("a\tb.mp4", 1, "list", "/a\tb.mp4"),
        Sample("跳\udcff.mp4", 1, "list", "/跳\udcff.mp4"),
    ]
    write_folds(tmp_path / "folds.tsv", [(row, place + 1) for place, row in enumerate(rows)])
    assert list(read_folds(tmp_path / "folds.tsv").items()) == [
        (row_key("run 1.mp4", 0.1, None), 1),
        (row_key("run 1.mp4", None, 0.3), 2),
        (row_key("a\tb.mp4", None, None), 3),
        (("跳\\udcff.mp4", None, None), 4),
    ]


ALL = [f"{letter}{index}.mp4 {letter}" for letter in "ab" for index in range(6)]


@pytest.fixture
def read_folded(read):
    """The fingerprint of a fold: `read_folded(1)`."""

    def fingerprint(number, lines=ALL, folds=3, **given):
        return read("flat", train=lines, folds=folds, call={"fold": number, **given.pop("call", {})}, **given)

    return fingerprint


def listed(root, split):
    return [line.split("\t")[0] for line in (root / "annotations" / f"{split}.txt").read_text().splitlines()]


def test_every_video_is_tested_once_and_stands_once_in_a_fold(read_folded, tmp_path):
    tested: list[str] = []
    for number in (1, 2, 3):
        facts = read_folded(number)
        assert facts.leaks == ()
        parts = [listed(tmp_path / "run", split) for split in ("train", "val", "test")]
        assert sorted(path for part in parts for path in part) == sorted(line.split()[0] for line in ALL)
        assert all(parts)
        tested += parts[2]
    assert sorted(tested) == sorted(line.split()[0] for line in ALL)


def test_the_test_videos_are_the_same_when_they_alone_are_asked_for(read_folded, tmp_path):
    read_folded(2)
    whole = listed(tmp_path / "run", "test")
    facts = read_folded(2, call={"splits": ("test",), "classes": ("a", "b"), "task": "single_label"})
    assert (list(facts.splits), listed(tmp_path / "run", "test")) == (["test"], whole)


def test_without_a_fold_all_are_looked_at_and_listed(read_folded, tmp_path):
    facts = read_folded(None)
    assert facts.notes == (
        f"test.folds: fold 1 of 3 is tested on 4 and validated on 2 of the 12 videos in {tmp_path}/train.txt, drawn from each class with seed 0",
    )
    folds = read_folds(WorkDir(tmp_path / "run").folds_list)
    assert [path for path, *_ in folds] == [line.split()[0] for line in ALL]
    assert Counter(folds.values()) == {1: 4, 2: 4, 3: 4}


def test_splits_of_a_table_are_divided_together(read_folded, tmp_path):
    words = ["train", "val", "test"]
    lines = [
        "path,label,split",
        *(f"{line.replace(' ', ',')},{words[place % 3]}" for place, line in enumerate(ALL)),
        "a0.mp4,a,test",
    ]
    facts = read_folded(None, lines)
    assert facts.notes[:2] == (
        "test.folds divides the videos of train and val and test together",
        "1 video listed before, and used once",
    )
    assert Counter(read_folds(WorkDir(tmp_path / "run").folds_list).values()) == {1: 4, 2: 4, 3: 4}


def refused(read_folded, *arguments, **given):
    with pytest.raises(RequestError) as caught:
        read_folded(*arguments, **given)
    return [str(problem) for problem in caught.value.problems]


def test_lists_of_val_and_test_are_refused(read_folded):
    wrong = "does not go with test.folds, which holds out every video once"
    cure = "Take it out, and name its videos under more_data or in ann_file_train; or take out test.folds."
    assert refused(read_folded, 1, val=ALL, test=ALL) == [
        f"ann_file_val: {wrong}. {cure}",
        f"ann_file_test: {wrong}. {cure}",
    ]


@pytest.mark.parametrize(
    ("lines", "folds", "problem"),
    [
        (
            ["a0.mp4 a", "a1.mp4 a", "b0.mp4 b", "b1.mp4 b"],
            5,
            "test.folds: is more than the 4 recordings there are (got 5). Add videos of 1 other recordings, or set it lower.",
        ),
        (
            [*ALL[:6], "b0.mp4 b"],
            3,
            "test.folds: 1 of 2 classes would be tested and never learned in some fold: b needs 1 more (got 3). "
            "A class needs 2 recordings that can be read: add some, or take the class out.",
        ),
        (
            [*ALL, "bad0.mp4 c", "-dash.mp4 c"],
            3,
            "test.folds: 1 of 3 classes would be tested and never learned in some fold: c needs 1 more (got 3). "
            "A class needs 2 recordings that can be read: add some, or take the class out.",
        ),
        (
            ["a0.mp4 a", "a1.mp4 a", "b0.mp4 b", "b1.mp4 b"],
            2,
            "test.folds: leaves nothing to validate with in 2 folds: 1, 2 (got 2). "
            "Add videos of other recordings: a class needs 2 beside those that are tested.",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused_before_any_fold_is_trained(read_folded, lines, folds, problem):
    assert refused(read_folded, None, lines, folds) == [problem]


def test_classes_that_are_not_in_every_fold_are_noted(read_folded):
    facts = read_folded(None, [*ALL, "-dash.mp4 c", "long.mp4 c"])
    assert "fewer recordings than test.folds in 1 of 3 classes, so not one in every fold: c has 2" in facts.notes


def test_too_few_videos_for_three_splits_offer_folds(tmp_path, library):
    for name in ("jump", "run"):
        (tmp_path / "videos" / name).mkdir(parents=True)
        for index in range(2):
            (tmp_path / "videos" / name / f"{index}.mp4").symlink_to(library.root / "classes" / name / f"{index}.mp4")
    facts = fingerprint_dataset(Settings(data_root=tmp_path / "videos"), WorkDir(tmp_path / "run"))
    assert (
        "too few videos for train and val and test in 2 of 2 classes: jump needs 1 more, run needs 1 more; "
        "test.folds: 4 would test every video once"
    ) in facts.notes
    folded = Settings(data_root=tmp_path / "videos", test=schema.TestSettings(folds=4))
    facts = fingerprint_dataset(folded, WorkDir(tmp_path / "folded"))
    assert {split: each.num_videos for split, each in facts.splits.items()} == {"train": 2, "val": 1, "test": 1}
