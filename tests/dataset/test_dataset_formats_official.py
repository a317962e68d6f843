"""Official annotations: which of the splits is taken, how videos are found, and what is wrong with edited files."""

from __future__ import annotations

import pytest
from test_dataset_formats_documented import write_example
from videos import write_images

from autox_video.dataset.entries import SPLITS, Listing
from autox_video.dataset.formats import detect_formats, read_listing
from autox_video.dataset.sources import sources_of
from autox_video.settings.schema import Settings


@pytest.fixture
def example(tmp_path):
    """Write an example of docs/data.md with some files changed, and read it from one of its lists."""

    def read(title: str, *, train: str = "", changed: dict[str, str] | None = None, **given) -> Listing:
        settings = write_example(title, tmp_path)
        for name, text in (changed or {}).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        files = {split: tmp_path / given.pop(split) for split in ("val", "test") if split in given}
        train_file = tmp_path / train if train else settings.ann_file_train
        files = {"ann_file_train": train_file, **{f"ann_file_{split}": file for split, file in files.items()}}
        return read_listing(Settings(settings.data_root, **files), SPLITS)

    return read


def paths(listing: Listing) -> dict[str, list[str]]:
    return {split: [entry.path for entry in part.entries] for split, part in listing.parts.items()}


def told(listing: Listing) -> list[str]:
    return list(map(str, listing.problems))


# --------------------------------------------------------------------------------------------- UCF101
SECOND = {
    "ucfTrainTestlist/trainlist02.txt": "ApplyEyeMakeup/a.avi 1\r\nArchery/b.avi 2\r\n",
    "ucfTrainTestlist/testlist02.txt": "Archery/c.avi\r\n",
}


def test_a_training_list_of_ucf101_brings_its_test_list(example):
    listing = example("UCF101", train="ucfTrainTestlist/trainlist02.txt", changed=SECOND)
    assert paths(listing) == {"train": ["ApplyEyeMakeup/a.avi", "Archery/b.avi"], "test": ["Archery/c.avi"]}
    assert listing.notes == ("trainlist02.txt: the official split 02 of UCF101 is used, and test is testlist02.txt",)
    assert [entry.label for entry in listing.parts["test"].entries] == ["Archery"]


def test_the_folder_of_ucf101_means_its_first_split(example):
    listing = example("UCF101", changed=SECOND)
    assert paths(listing)["test"] == [
        "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi",
        "Archery/v_Archery_g01_c01.avi",
    ]


def test_the_test_list_of_ucf101_may_be_named_for_val(example):
    listing = example("UCF101", train="ucfTrainTestlist/trainlist01.txt", val="ucfTrainTestlist/testlist01.txt")
    assert {split: len(listed) for split, listed in paths(listing).items()} == {"train": 4, "val": 2, "test": 2}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Archery/a.avi 1", "lies in Archery, but its number means ApplyEyeMakeup (got 1). "
                            "Write the number that classInd.txt gives Archery."),
        ("Archery/a.avi 0", "has a number without a class (got 0). "
                            "Numbers of classes run from 1 to 2, as in classInd.txt."),
        ("Archrey/a.avi", "has neither a number nor a class as its folder (got 'Archrey/a.avi'). "
                          "Did you mean 'Archery'."),
    ],
)  # fmt: skip
def test_lines_of_ucf101_that_contradict_its_classes_are_named(example, line, problem):
    listing = example("UCF101", changed={"ucfTrainTestlist/trainlist01.txt": f"ApplyEyeMakeup/x.avi 1\n{line}\n"})
    assert told(listing) == [f"trainlist01.txt:2: {problem}"]


def test_the_classes_of_ucf101_are_numbered_from_one(example):
    assert told(example("UCF101", changed={"ucfTrainTestlist/classInd.txt": "1 A\n3 B\n"})) == [
        "classInd.txt:2: is not class 2 (got '3 B'). Write the number of the class, counted from 1, and its name."
    ]


def test_without_its_classes_a_list_of_ucf101_is_a_plain_list(tmp_path):
    (tmp_path / "trainlist01.txt").write_text("A/a.avi 1\n")
    (source,) = sources_of(Settings(tmp_path, ann_file_train=tmp_path / "trainlist01.txt"))
    assert detect_formats(source) == ["label_list"]


# --------------------------------------------------------------------------------------------- HMDB51
@pytest.mark.parametrize("name", ["*_test_split2.txt", "cartwheel_test_split2.txt"])
def test_a_file_or_a_pattern_chooses_the_split_of_hmdb51(example, name):
    folder = "testTrainMulti_7030_splits"
    changed = {
        f"{folder}/brush_hair_test_split2.txt": "x_brush_hair_y.avi 2\n",
        f"{folder}/cartwheel_test_split2.txt": "x_cartwheel_y.avi 1 \nz_cartwheel_y.avi 0 \n",
    }
    listing = example("HMDB51", train=f"{folder}/{name}", changed=changed)
    assert paths(listing) == {"train": ["cartwheel/x_cartwheel_y.avi"], "test": ["brush_hair/x_brush_hair_y.avi"]}
    (note,) = listing.notes
    assert note.endswith(f"{name}: the official split 2 of HMDB51 is used, which leaves out 1 video")


def test_videos_of_hmdb51_may_lie_in_one_folder(tmp_path):
    settings = write_example("HMDB51", tmp_path)
    flat = tmp_path / "flat"
    flat.mkdir()
    listing = read_listing(Settings(flat, ann_file_train=settings.ann_file_train), ["test"])
    assert paths(listing) == {
        "test": ["brushing_brush_hair_f_nm_np1_le_goo_2.avi", "Bodenturnen_cartwheel_f_cm_np1_le_med_0.avi"]
    }


def test_hmdb51_has_no_videos_of_val(example, tmp_path):
    assert told(example("HMDB51", val="testTrainMulti_7030_splits")) == [
        f"ann_file_val: has no videos of val (got {tmp_path}/testTrainMulti_7030_splits). "
        "Leave it out, or name a list that has them."
    ]


def test_a_wrong_line_of_hmdb51_is_named(example):
    changed = {"testTrainMulti_7030_splits/cartwheel_test_split1.txt": "x_cartwheel_y.avi 1\nz.avi 3\n"}
    assert told(example("HMDB51", changed=changed)) == [
        "cartwheel_test_split1.txt:2: is not a line of HMDB51 (got 'z.avi 3'). "
        "Write a video and 1 (train), 2 (test) or 0 (not used)."
    ]


def test_plain_lists_that_are_named_as_in_hmdb51_stay_plain_lists(tmp_path):
    for name in ("mine", "yours"):
        (tmp_path / f"{name}_test_split1.txt").write_text("a.mp4 0\nb.mp4 1\n")
    (source,) = sources_of(Settings(tmp_path, ann_file_train=tmp_path / "mine_test_split1.txt"))
    assert detect_formats(source) == ["label_list"]


# ------------------------------------------------------------------------------------------- Kinetics
HEADER = "label,youtube_id,time_start,time_end,split\n"


def test_a_video_of_kinetics_that_is_not_cut_gives_a_piece_and_its_id_a_group(tmp_path):
    for name in ("whole.mp4", "cut_000005_000015.mp4", "other/cut_000005_000015.mp4"):
        (tmp_path / "v" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "v" / name).touch()
    rows = "x,whole,5,15,train\nx,cut,5,15,train\nx,gone,5.0,15.0,train\n"
    (tmp_path / "train.csv").write_text(HEADER + rows)
    listing = read_listing(Settings(tmp_path / "v", ann_file_train=tmp_path / "train.csv"), SPLITS)
    assert [
        (entry.path, entry.start_seconds, entry.end_seconds, entry.group) for entry in listing.parts["train"].entries
    ] == [
        ("whole.mp4", 5.0, 15.0, "whole"),
        ("cut_000005_000015.mp4", None, None, "cut"),
        ("gone_000005_000015.mp4", None, None, "gone"),
    ]
    assert listing.notes == ("train.csv: 1 video without times in the name: of each, the listed seconds are used",)


def test_wrong_rows_of_kinetics_are_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "twice_000001_000002.mp4").touch()
    rows = "x,i,b,2,train\nx,,1,2,train\nx,i,3,2,train\n,i,1,2,train\nx,twice,1,2,train\n"
    (tmp_path / "train.csv").write_text(HEADER + rows)
    assert told(read_listing(Settings(tmp_path, ann_file_train=tmp_path / "train.csv"), SPLITS)) == [
        "train.csv:2: has times that are no numbers (got 'b' and '2'). Write seconds in time_start and time_end.",
        "train.csv:3: has no youtube_id. Write it, or take the row out.",
        "train.csv:4: has times in the wrong order (got 3 to 2). Write seconds from the beginning of the video.",
        "train.csv:6: fits several videos (got a/twice_000001_000002.mp4, b/twice_000001_000002.mp4). "
        "Keep one of them in data_root.",
        "train.csv:5: has no label (got 'i_000001_000002.mp4'). Write the class after the path.",
    ]


# ------------------------------------------------------------------------ Something-Something, Jester
def test_one_list_of_something_something_is_that_list_alone(example):
    listing = example("Something-Something", train="labels/train.json", test="labels/validation.json")
    assert {split: len(listed) for split, listed in paths(listing).items()} == {"train": 4, "test": 2}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("train", '[{"id": "1", "template": "Droping [something]"}]',
         "train.json:1: has a class that is not in labels.json (got 'Droping something'). "
         "Did you mean 'Dropping something'."),
        ("train", '[\n{"id": "", "template": "Dropping [something]"}]',
         "train.json:2: has no id. Write it, or take the object out."),
        ("labels", '{"a": "1", "b": "2"}',
         "labels.json:1: does not number the classes from 0. Number them from 0 without a gap."),
        ("labels", '{"a": "0",\n"b": "x"', "labels.json:2: does not give the classes numbers. "
         'Write {"class": "0", ...}, or take the file away.'),
    ],
)  # fmt: skip
def test_wrong_files_of_something_something_are_named(example, name, text, problem):
    assert told(example("Something-Something", changed={f"labels/{name}.json": text})) == [problem]


@pytest.mark.parametrize(
    ("split", "text", "names"),
    [
        ("train", "1;run\n2;jump up\n", ["jester"]),
        ("test", "1\n2\n", ["jester"]),
        ("train", "1\n2\n", ["label_list"]),
        ("train", "1;0\n2;1\n", ["label_list"]),
        ("train", "1;run\n2.mp4;jump\n", ["label_list"]),
        ("train", "1 run\n2 jump\n", ["label_list"]),
    ],
)
def test_jester_is_numbers_with_labels_in_words(tmp_path, split, text, names):
    (tmp_path / "list.csv").write_text(text)
    source = sources_of(Settings(tmp_path, **{f"ann_file_{split}": tmp_path / "list.csv"}))[-1]
    assert detect_formats(source) == names


@pytest.mark.parametrize("both", [False, True])
def test_a_video_of_jester_may_be_a_folder_of_frames(tmp_path, both):
    for name in ("11/00001.jpg", "12/00001.jpg"):
        (tmp_path / "v" / name).parent.mkdir(parents=True)
        (tmp_path / "v" / name).touch()
    if both:
        (tmp_path / "v" / "11.webm").touch()
    (tmp_path / "list.csv").write_text("11;run\n12;jump\n13;jump\n")
    listing = read_listing(Settings(tmp_path / "v", ann_file_train=tmp_path / "list.csv"), SPLITS)
    assert (paths(listing), told(listing)) == ({"train": ["11.webm" if both else "11", "12", "13.mp4"]}, [])


def test_the_lists_of_ucf101_fit_folders_of_frames(tmp_path):
    settings = write_example("UCF101", tmp_path)
    for video in settings.data_root.rglob("*.avi"):
        video.unlink()
        write_images(video.with_suffix(""), frames=1)
    listing = read_listing(settings, ["test"])
    assert paths(listing) == {"test": ["ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01", "Archery/v_Archery_g01_c01"]}
