from __future__ import annotations

import random
from collections import Counter

import pytest

from autox_video.dataset.division import divide
from autox_video.dataset.entries import Sample

BOTH = {"val": 0.15, "test": 0.15}


def ucf(classes: int, groups: int, clips: int) -> tuple[list[Sample], dict[str, str]]:
    """Clips of UCF101's kind, and the group of each."""
    rows = [
        Sample(f"v_{label}_g{group:02d}_c{clip:02d}.avi", label, "list", f"/v/v_{label}_g{group:02d}_c{clip:02d}.avi")
        for label in range(classes)
        for group in range(groups)
        for clip in range(clips)
    ]
    return rows, {row.file: row.path[:-8] for row in rows}


def splits_of(divided: dict[str, tuple[Sample, ...]], group_of: dict[str, str]) -> dict[str, set[str]]:
    """The splits in which each group stands."""
    found: dict[str, set[str]] = {}
    for split, rows in divided.items():
        for row in rows:
            found.setdefault(group_of[row.file], set()).add(split)
    return found


@pytest.mark.parametrize(("groups", "clips"), [(25, 5), (3, 7), (4, 1), (10, 12)])
def test_no_group_crosses_and_every_class_is_in_every_split(groups, clips):
    rows, group_of = ucf(5, groups, clips)
    divided = divide(rows, BOTH, 0, group_of)
    assert {len(splits) for splits in splits_of(divided, group_of).values()} == {1}
    assert all({row.label for row in part} == set(range(5)) for part in divided.values())
    assert sorted(row.file for part in divided.values() for row in part) == sorted(row.file for row in rows)


def test_shares_are_kept_as_well_as_groups_allow():
    rows, group_of = ucf(4, 25, 4)
    for part in ("val", "test"):
        counts = Counter(row.label for row in divide(rows, BOTH, 0, group_of)[part])
        assert set(counts.values()) == {16}  # 4 groups, where 15 videos are 3.75


def test_one_group_that_is_most_of_a_class_stays_in_train():
    rows, group_of = ucf(1, 8, 4)
    many = [Sample(f"many{clip}.mp4", 0, "list", f"/v/many{clip}.mp4") for clip in range(200)]
    group_of |= {row.file: "many" for row in many}
    for seed in range(5):
        divided = divide([*rows, *many], BOTH, seed, group_of)
        assert splits_of(divided, group_of)["many"] == {"train"}
        assert min(len(divided[split]) for split in BOTH) >= 8


def test_groups_of_many_classes_are_divided_too():
    rows = [
        Sample(f"p{person:02d}_{label}_{clip}.avi", label, "list", f"/p{person:02d}_{label}_{clip}.avi")
        for person in range(25)
        for label in range(6)
        for clip in range(4)
    ]
    group_of = {row.file: row.path[:3] for row in rows}
    divided = divide(rows, BOTH, 0, group_of)
    assert {len(splits) for splits in splits_of(divided, group_of).values()} == {1}
    assert {split: len({group_of[row.file] for row in part}) for split, part in divided.items()} == {
        "train": 17,
        "val": 4,
        "test": 4,
    }


def test_train_keeps_a_group_of_each_class():
    rows, group_of = ucf(3, 2, 5)
    divided = divide(rows, BOTH, 0, group_of)
    assert {split: len(part) for split, part in divided.items()} == {"train": 15, "val": 15, "test": 0}


def test_the_division_depends_on_seed_and_names_alone():
    rows, group_of = ucf(3, 12, 3)
    first = {split: set(part) for split, part in divide(rows, BOTH, 0, group_of).items()}
    random.Random(0).shuffle(rows)
    assert {split: set(part) for split, part in divide(rows, BOTH, 0, group_of).items()} == first
    assert {split: set(part) for split, part in divide(rows, BOTH, 1, group_of).items()} != first


def test_the_pieces_of_a_video_stay_together_and_each_counts_for_its_class():
    rows = [
        Sample(f"{index}.mp4", piece % 2, "", f"/{index}.mp4", float(piece), piece + 1.0)
        for index in range(10)
        for piece in range(4)
    ]
    divided = divide(rows, BOTH, 0)
    files = {split: {row.file for row in part} for split, part in divided.items()}
    assert sum(map(len, files.values())) == 10
    counts = {split: Counter(row.label for row in part) for split, part in divided.items()}
    assert counts["val"] == counts["test"]
    assert set(counts["val"]) == {0, 1}
