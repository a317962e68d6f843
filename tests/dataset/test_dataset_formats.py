from __future__ import annotations

import inspect

import pytest

from autox_video.dataset.entries import SPLITS, UNDIVIDED, Listing
from autox_video.dataset.formats import format_names, load_format, read_listing
from autox_video.dataset.sources import sources_of
from autox_video.settings.schema import Settings


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def listed(listing: Listing) -> dict[str, list[tuple[str, str | None, str]]]:
    return {
        split: [(entry.path, entry.label, entry.where) for entry in part.entries]
        for split, part in listing.parts.items()
    }


@pytest.mark.parametrize("name", format_names())
def test_every_format_detects_and_reads(name, tmp_path):
    module = load_format(name)
    assert module.__doc__
    assert module.detect.__doc__
    assert module.read.__doc__
    assert list(inspect.signature(module.detect).parameters) == ["source"]
    assert list(inspect.signature(module.read).parameters) == ["source", "splits"]
    touch(tmp_path, "empty/list.txt")
    nothing = [tmp_path / "nowhere", tmp_path / "nowhere" / "x", tmp_path / "empty"]
    sources = [*sources_of(Settings(tmp_path / "empty")), *sources_of(Settings(tmp_path, *nothing))]
    assert [source.path for source in sources if module.detect(source)] == []


# ---------------------------------------------------------------------------------------------- lists
def test_lists_give_their_splits(tmp_path):
    touch(tmp_path / "v", "a.mp4", "b.mp4")
    (tmp_path / "train.txt").write_text("a.mp4 run\n\nb.mp4 jump\n")
    (tmp_path / "test.txt").write_text("b.mp4\n")
    settings = Settings(tmp_path / "v", ann_file_train=tmp_path / "train.txt", ann_file_test=tmp_path / "test.txt")
    listing = read_listing(settings, SPLITS)
    assert listed(listing) == {
        "train": [("a.mp4", "run", "train.txt:1"), ("b.mp4", "jump", "train.txt:3")],
        "test": [("b.mp4", None, "test.txt:1")],
    }
    assert listing.problems == ()
    assert list(read_listing(settings, ["test"]).parts) == ["test"]


def test_lists_of_one_name_are_told_apart_by_their_folders(tmp_path):
    settings = Settings(
        tmp_path, ann_file_train=tmp_path / "train" / "list.txt", ann_file_val=tmp_path / "val" / "list.txt"
    )
    for split in ("train", "val"):
        touch(tmp_path, f"{split}/list.txt")
        (tmp_path / split / "list.txt").write_text("a.mp4 0")
    assert listed(read_listing(settings, SPLITS)) == {
        split: [("a.mp4", "0", f"{tmp_path}/{split}/list.txt:1")] for split in ("train", "val")
    }


@pytest.mark.parametrize(
    ("split", "text", "problems"),
    [
        ("train", "a.mp4 0\nb.mp4", ["train.txt:2: has no label (got 'b.mp4'). Write the class after the path."]),
        ("train", "a.mp4", ["train.txt:1: has no label (got 'a.mp4'). Write the class after the path."]),
        (
            "test",
            "a.mp4 0\nb.mp4",
            [
                "test.txt:2: has no label (got 'b.mp4'). Write the class after the path, or take the labels from all lines."
            ],
        ),
        ("test", "a.mp4\nb.mp4", []),
    ],
)
def test_a_line_without_a_label_is_refused_where_others_have_one(tmp_path, split, text, problems):
    file = tmp_path / f"{split}.txt"
    file.write_text(text)
    listing = read_listing(Settings(tmp_path, **{f"ann_file_{split}": file}), SPLITS)
    assert list(map(str, listing.problems)) == problems


def test_comments_are_counted(tmp_path):
    (tmp_path / "train.txt").write_text("# first\na.mp4 0\n# last")
    listing = read_listing(Settings(tmp_path, ann_file_train=tmp_path / "train.txt"), SPLITS)
    assert listing.notes == ("train.txt: 2 lines beginning with # left out as comments",)


def test_a_missing_list_names_its_nearest_sibling(tmp_path):
    touch(tmp_path, "train_list.txt", "folder/x")
    settings = Settings(
        tmp_path,
        ann_file_train=tmp_path / "trian_list.txt",
        ann_file_val=tmp_path / "nowhere" / "val.txt",
        ann_file_test=tmp_path / "folder",
        origins={"ann_file_train": "config.yaml:3"},
    )
    assert list(map(str, read_listing(settings, SPLITS).problems)) == [
        f"config.yaml:3: ann_file_train: does not exist (got {tmp_path}/trian_list.txt). Did you mean 'train_list.txt'.",
        f"ann_file_val: does not exist, nor does its folder {tmp_path}/nowhere (got {tmp_path}/nowhere/val.txt). "
        "Correct the path; a relative one starts from the folder of the YAML.",
        f"ann_file_test: is a folder without annotations of a known data set (got {tmp_path}/folder). Name a list with one `path label` a line.",
    ]


# -------------------------------------------------------------------------------------------- folders
def test_a_folder_a_class_is_undivided(tmp_path):
    root = touch(tmp_path / "v", "run/2.mp4", "run/10.mp4", "jump/deep/er/x.MKV", "class10/a.mp4", "class9/a.mp4")
    listing = read_listing(Settings(root), SPLITS)
    assert listed(listing) == {
        UNDIVIDED: [
            ("class9/a.mp4", "class9", "v/class9"),
            ("class10/a.mp4", "class10", "v/class10"),
            ("jump/deep/er/x.MKV", "jump", "v/jump/deep/er"),
            ("run/2.mp4", "run", "v/run"),
            ("run/10.mp4", "run", "v/run"),
        ]
    }
    assert (listing.notes, listing.problems) == ((), ())


def test_folders_of_splits_are_known_in_any_case(tmp_path):
    root = touch(tmp_path, "Training/run/1.mp4", "VALID/run/2.mp4", "test/jump/3.mp4")
    assert listed(read_listing(Settings(root), SPLITS)) == {
        "train": [("Training/run/1.mp4", "run", f"{root.name}/Training/run")],
        "val": [("VALID/run/2.mp4", "run", f"{root.name}/VALID/run")],
        "test": [("test/jump/3.mp4", "jump", f"{root.name}/test/jump")],
    }


def test_a_test_folder_without_classes_is_unlabelled(tmp_path):
    root = touch(tmp_path, "train/run/1.mp4", "train/jump/1.mp4", "test/1.mp4")
    listing = read_listing(Settings(root), SPLITS)
    assert listed(listing)["test"] == [("test/1.mp4", None, f"{root.name}/test")]
    assert listing.notes == (f"{root}/test has no folders of classes, so its videos are tested without labels",)


def test_a_list_takes_the_place_of_a_folder(tmp_path):
    root = touch(tmp_path, "train/run/1.mp4", "val/run/2.mp4")
    (root / "val.txt").write_text("train/run/1.mp4 run")
    listing = read_listing(Settings(root, ann_file_val=root / "val.txt"), SPLITS)
    assert listed(listing)["val"] == [("train/run/1.mp4", "run", "val.txt:1")]
    assert "folder val left out, because ann_file_val is given" in listing.notes


def test_what_is_left_out_of_folders_is_noted(tmp_path):
    root = touch(
        tmp_path,
        "run/1.mp4",
        "jump/1.mp4",
        "jump/notes.txt",
        "jump/README",
        "loose.mp4",
        "empty/x.jpg",
        ".git/a.mp4",
        "run/.a.mp4",
    )
    assert read_listing(Settings(root), SPLITS).notes == (
        "3 files without a video's ending left out (no ending, .jpg, .txt)",
        f"1 video directly in {root} left out: of no class",
        "1 folder without a video left out: empty",
    )


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (
            ("train/a/1.mp4", "raw/1.mp4"),
            "data_root: has a folder named like a split beside folders that are not, so it may be a split or a class "
            "(got train beside raw). Move the other folders elsewhere, or give lists.",
        ),
        (
            ("train/a/1.mp4", "val/a/1.mp4", "validation/a/1.mp4"),
            "data_root: has two folders for val (got val and validation). Keep one of them.",
        ),
        (
            ("train/1.mp4", "test/1.mp4"),
            "data_root: has folders of splits, but in train no folder of a class (got test, train). "
            "Put the videos of each class into a folder of its own, or give lists.",
        ),
    ],
)
def test_folders_that_may_mean_two_things_are_refused(tmp_path, names, problem):
    assert list(map(str, read_listing(Settings(touch(tmp_path, *names)), SPLITS).problems)) == [problem]


def test_a_split_name_may_be_a_class(tmp_path):
    root = touch(tmp_path, "train/1.mp4", "car/1.mp4", "bus/1.mp4")
    listing = read_listing(Settings(root), SPLITS)
    assert [entry.label for entry in listing.parts[UNDIVIDED].entries] == ["bus", "car", "train"]
    assert listing.problems == ()


def test_links_are_followed_but_not_in_circles(tmp_path):
    elsewhere = touch(tmp_path / "elsewhere", "1.mp4")
    root = touch(tmp_path / "v", "run/1.mp4")
    (root / "jump").symlink_to(elsewhere)
    (root / "run" / "up").symlink_to(root)
    assert [entry.path for entry in read_listing(Settings(root), SPLITS).parts[UNDIVIDED].entries] == [
        "jump/1.mp4",
        "run/1.mp4",
    ]
