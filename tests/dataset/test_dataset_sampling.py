from __future__ import annotations

from collections import Counter

import pytest
from videos import write_dataset

from autox_video.dataset import sampling
from autox_video.dataset.annotations import read_rows
from autox_video.dataset.entries import Sample
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.sampling import files_to_open
from autox_video.errors import RequestError
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir


@pytest.fixture
def few_are_many(monkeypatch):
    """More than 15 videos are too many to open, and 6 are opened."""
    monkeypatch.setattr(sampling, "MANY_VIDEOS", 15)
    monkeypatch.setattr(sampling, "NUM_OPENED", 6)


def settings_of(folder, **more):
    given = write_dataset(folder, train=8, val=3, test=3) | more
    paths = {key: str(folder / value) for key, value in given.items() if key.startswith(("ann_", "data_root"))}
    return load_settings(None, values={**given, **paths, "work_dir": str(folder / "run")})


def samples(split: str, sizes: dict) -> list[Sample]:
    return [
        Sample(f"{split}/{label}/{number}.mp4", label, "", f"/v/{split}/{label}/{number}.mp4")
        for label, size in sizes.items()
        for number in range(size)
    ]


def test_a_sample_has_every_class_of_every_split_in_proportion(tmp_path):
    settings = load_settings(None, values={"data_root": str(tmp_path)})
    train = samples("train", {0: 30_000, 1: 9_900, (0, 2): 61})
    test = samples("test", {None: 10_000, 1: 39})
    chosen = files_to_open([train, test], settings)
    counts = Counter(file.rpartition("/")[0] for file in chosen)
    assert counts == {
        "/v/train/0": 1200,
        "/v/train/1": 396,
        "/v/train/(0, 2)": 3,
        "/v/test/None": 400,
        "/v/test/1": 2,
    }
    assert files_to_open([train[::-1], test], settings) == chosen
    other = load_settings(None, values={"data_root": str(tmp_path), "runtime": {"seed": 7}})
    assert files_to_open([train, test], other) != chosen


@pytest.mark.parametrize(
    ("count", "probe", "all_of_them"), [(20_000, "auto", True), (20_001, "all", True), (20_001, "auto", False)]
)
def test_all_are_opened_where_they_are_few_or_asked_for(tmp_path, count, probe, all_of_them):
    settings = load_settings(None, values={"data_root": str(tmp_path), "data": {"probe": probe}})
    assert (files_to_open([samples("train", {0: count})], settings) is None) is all_of_them


def test_what_is_not_opened_is_listed_and_said_so(tmp_path, few_are_many):
    settings, work_dir = settings_of(tmp_path), WorkDir(tmp_path / "run")
    found = fingerprint_dataset(settings, work_dir)
    assert {split: facts.num_videos for split, facts in found.splits.items()} == {"train": 16, "val": 6, "test": 6}
    assert {split: facts.num_unopened for split, facts in found.splits.items()} == {"train": 12, "val": 4, "test": 4}
    assert {row.decoder for row in read_rows(work_dir.annotations("train"))} == {"pyav"}
    assert [note for note in found.notes if "were opened" in note] == [
        "8 of 28 videos were opened, drawn from every class of every split, because more than 15 are listed: sizes, "
        "lengths, look-alikes and equal content are known of these alone. The others are opened as training comes "
        "to them; one that cannot be read is replaced in training, and a row with its error in a test. `data.probe: "
        "all` opens every one"
    ]
    every = fingerprint_dataset(settings_of(tmp_path, data={"probe": "all"}), work_dir)
    assert [note for note in every.notes if "were opened" in note] == []
    # What was opened once is known, whatever is asked for later.
    again = fingerprint_dataset(settings, work_dir)
    assert {facts.num_unopened for facts in again.splits.values()} == {0}


def test_a_file_that_is_not_there_is_found_without_opening_any(tmp_path, few_are_many):
    settings = settings_of(tmp_path)
    for name in ("dark_train_0", "light_train_5"):
        (tmp_path / "videos" / f"{name}.mp4").unlink()
    found = fingerprint_dataset(settings, WorkDir(tmp_path / "run"))
    assert [(video.path, video.reason) for video in found.bad_videos] == [
        ("dark_train_0.mp4", "does not exist"),
        ("light_train_5.mp4", "does not exist"),
    ]


def test_the_opened_ones_stand_for_all_when_too_many_are_unreadable(tmp_path, few_are_many):
    settings = settings_of(tmp_path)
    for file in (tmp_path / "videos").glob("*_train_*.mp4"):
        file.write_bytes(b"no video")
    with pytest.raises(RequestError) as caught:
        fingerprint_dataset(settings, WorkDir(tmp_path / "run"))
    assert str(caught.value.problems[0]).startswith(
        "train: 4 of the 4 videos known of 16 (100%) cannot be used. Repair them or take them out of "
    )


def test_what_is_held_out_is_the_same_whatever_was_opened_before(tmp_path, few_are_many):
    """Equal videos are kept together, but only those that are known to be equal: that must not depend on the past."""
    given = write_dataset(tmp_path, train=12, val=1, test=1)
    for label in ("dark", "light"):
        first = (tmp_path / "videos" / f"{label}_train_0.mp4").read_bytes()
        for number in range(1, 4):
            (tmp_path / "videos" / f"{label}_train_{number}.mp4").write_bytes(first)
    values = {key: str(tmp_path / given[key]) for key in ("data_root", "ann_file_train", "ann_file_test")}
    held = []
    for run in ("new", "new", "known"):
        work_dir = WorkDir(tmp_path / run)
        known = {**values, "work_dir": str(work_dir.root)}
        if run == "known":
            fingerprint_dataset(load_settings(None, values={**known, "data": {"probe": "all"}}), work_dir)
        fingerprint_dataset(load_settings(None, values=known), work_dir)
        held.append([row.path for row in read_rows(work_dir.annotations("val"))])
    assert held[0] == held[1] == held[2]
