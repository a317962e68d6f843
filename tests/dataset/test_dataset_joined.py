"""Several data sets as one."""

from __future__ import annotations

import pytest
from test_dataset_formats_documented import write_example

from autox_video.dataset.entries import SPLITS, UNDIVIDED
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.joined import read_all
from autox_video.errors import RequestError
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir


@pytest.fixture
def load(tmp_path):
    """Settings of a YAML text, and empty videos."""

    def settings(text: str, *videos: str, **files: str):
        for name in videos:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        for name, content in files.items():
            (tmp_path / f"{name}.txt").write_text(content)
        (tmp_path / "config.yaml").write_text(text)
        return load_settings(tmp_path / "config.yaml")

    return settings


def listed(listing, root):
    return {
        split: [(entry.path.removeprefix(f"{root}/"), entry.label) for entry in part.entries]
        for split, part in listing.parts.items()
    }


def test_the_documented_example_is_joined_by_class_name(tmp_path):
    found = fingerprint_dataset(write_example("Several data sets", tmp_path, frames=6), WorkDir(tmp_path / "run"))
    assert found.classes == ("jump", "run", "swim")
    assert found.bad_videos == ()
    assert {split: facts.num_videos for split, facts in found.splits.items()} == {"train": 5, "val": 3, "test": 1}
    assert found.notes[:3] == (
        f"all of {tmp_path}/mine is for training, since another data set has its own splits",
        f"all of {tmp_path}/theirs is for training, since another data set has its own splits",
        f"test is of {tmp_path}/clips.csv (its rows of test) alone: the other data sets have none",
    )


def test_folders_alone_are_divided_as_one(load, tmp_path):
    settings = load("data_root: a\nmore_data: [{data_root: b}]", "a/run/1.mp4", "b/run/2.mp4", "b/jump/3.mp4")
    assert listed(read_all(settings, SPLITS), tmp_path) == {
        UNDIVIDED: [("run/1.mp4", "run"), ("b/jump/3.mp4", "jump"), ("b/run/2.mp4", "run")]
    }


def test_lists_of_one_name_are_told_apart(load, tmp_path):
    text = "data_root: .\nann_file_train: a.txt\nmore_data: [{data_root: ., ann_file_train: b.txt}]"
    listing = read_all(load(text, a="1.mp4 run\n", b="2.mp4 3\n3.mp4\n"), SPLITS)
    assert [entry.where for entry in listing.parts["train"].entries] == [
        f"{tmp_path}/a.txt:1",
        f"{tmp_path}/b.txt:1",
        f"{tmp_path}/b.txt:2",
    ]
    assert list(map(str, listing.problems)) == [
        f"{tmp_path}/b.txt:2: has no label (got '3.mp4'). Write the class after the path.",
        f"{tmp_path}/b.txt:1: has a number for a label (got 3). "
        "Write the name of the class, since several data sets are joined by class name.",
    ]


def test_official_orders_of_classes_are_joined_only_where_every_data_set_has_one(load, tmp_path):
    ucf = {"classInd": "1 B\n2 A\n", "trainlist01": "B/1.avi 1\n"}
    more = "more_data: [{data_root: ., ann_file_train: trainlist01.txt}"
    one = load(f"data_root: .\nann_file_train: trainlist01.txt\n{more}]", **ucf)
    assert read_all(one, SPLITS).parts["train"].classes == ("B", "A")
    other = load(f"data_root: .\nann_file_train: trainlist01.txt\n{more}, {{data_root: c}}]", "c/C/1.mp4", **ucf)
    assert read_all(other, SPLITS).parts["train"].classes == ()


def test_every_folder_must_exist(load, tmp_path):
    with pytest.raises(RequestError) as caught:
        fingerprint_dataset(load("data_root: a\nmore_data:\n  - data_root: b\n"), WorkDir(tmp_path / "run"))
    cure = "Correct the path; a relative one starts from the folder of the YAML."
    assert str(caught.value).splitlines() == [
        f"config.yaml:1: data_root: does not exist (got {tmp_path}/a). {cure}",
        f"config.yaml:3: more_data: data_root: does not exist (got {tmp_path}/b). {cure}",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("more_data: b", "config.yaml:2: more_data: must be a list of mappings with a data_root each (got 'b'). "
                         "Write e.g. `- data_root: data/more` indented below the key."),
        ("more_data:\n - ann_file_train: b", "config.yaml:3: more_data: must be a list of mappings with a data_root each "
                         "(got a mapping). Write e.g. `- data_root: data/more` indented below the key."),
        ("more_data:\n - data_root: b\n   ann_file_tran: c", "config.yaml:4: more_data.ann_file_tran: is not a key of a "
                         "data set (got 'c'). Did you mean 'ann_file_train'."),
        ("more_data:\n - data_root: 3", "config.yaml:3: more_data.data_root: must be a path (got 3). "
                         "Write ./3, or put it in quotes."),
    ],
)  # fmt: skip
def test_what_is_no_data_set_is_refused(load, text, problem):
    with pytest.raises(RequestError) as caught:
        load(f"data_root: a\n{text}")
    assert str(caught.value) == problem
