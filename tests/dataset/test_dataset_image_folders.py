from __future__ import annotations

import json
import os

import pytest
from videos import write_images, write_video

from autox_video.dataset.annotations import canonical_path, read_rows
from autox_video.dataset.entries import SPLITS, UNDIVIDED
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.formats import detect_formats, read_listing
from autox_video.dataset.probe import probe_videos
from autox_video.dataset.sources import sources_of
from autox_video.errors import RequestError
from autox_video.settings.load import load_settings
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


# ------------------------------------------------------------------------------------------ class folders
def test_folders_of_numbered_images_are_the_videos_of_class_folders(tmp_path):
    root = touch(
        tmp_path, *[f"{name}/{video}/{index}.png" for name in ("run", "jump") for video in "ab" for index in "12"]
    )
    (source,) = sources_of(Settings(root))
    assert detect_formats(source) == ["class_folders"]
    listing = read_listing(Settings(root), SPLITS)
    found = [(entry.path, entry.label, entry.where) for entry in listing.parts[UNDIVIDED].entries]
    assert found == [
        (f"{name}/{video}", name, f"{root.name}/{name}") for name in ("jump", "run") for video in ("a", "b")
    ]
    assert (listing.notes, listing.problems) == ((), ())


def test_a_folder_that_lost_its_images_is_a_video_that_cannot_be_read(tmp_path):
    root = touch(tmp_path, "train/run/a/001.jpg", "train/run/b/notes.txt", "train/jump/c/001.jpg", "val/run/d/001.jpg")
    (root / "empty").mkdir()
    listing = read_listing(Settings(root), SPLITS)
    assert [entry.path for entry in listing.parts["train"].entries] == ["train/jump/c", "train/run/a", "train/run/b"]


def test_beside_videos_folders_of_images_are_left_out_and_named(tmp_path):
    root = touch(tmp_path, "run/a.mp4", "jump/b.mp4", "jump/b_frames/001.jpg", "run/thumb.jpg")
    listing = read_listing(Settings(root), SPLITS)
    assert [entry.path for entry in listing.parts[UNDIVIDED].entries] == ["jump/b.mp4", "run/a.mp4"]
    assert listing.notes == (
        "1 folder of images left out, since there are videos: jump/b_frames",
        "1 file without a video's ending left out (.jpg)",
    )


def test_images_in_class_folders_are_no_videos(tmp_path):
    root = touch(tmp_path, "cat/001.jpg", "cat/002.jpg", "dog/001.jpg")
    (source,) = sources_of(Settings(root))
    assert detect_formats(source) == []


# -------------------------------------------------------------------------------------------- frame lists
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a 3 0\nb c 3 1\n", ["frame_list"]),
        ("a 4 run fast\n", ["frame_list"]),
        ("a,3,0\n", ["frame_list"]),
        ("a 3 0 5 7\n", ["frame_list"]),
        ("# folder total label\na\t3\t0\n", ["frame_list"]),
        ("a 3\nb c 1\n", ["label_list"]),
        ("a 1 2\nb c 0 1\n", ["label_list"]),  # two labels: neither is near the number of images
        ("a.mp4 3 0\n", ["label_list"]),
        ("gone 3 0\n", ["label_list"]),
        ("a 3 0\na 3\n", ["label_list"]),
    ],
)
def test_a_frame_list_is_known_by_its_numbers_of_images(tmp_path, text, names):
    root = touch(tmp_path / "v", *[f"{video}/{index}.jpg" for video in ("a", "b c") for index in "123"])
    (tmp_path / "list.txt").write_text(text)
    *_, source = sources_of(Settings(root, ann_file_test=tmp_path / "list.txt"))
    assert detect_formats(source) == names


def test_a_frame_list_is_read_with_blanks_several_labels_and_wrong_lines(tmp_path):
    root = touch(tmp_path / "v", "a/1.jpg", "b 2 c/1.jpg", "b/1.jpg")
    (tmp_path / "list.txt").write_text(
        "# a comment\na 1 0\nb 2 c 1 3\nb 1 4 5\ngone 7 jump up\n" + 20 * "b 1 0\n" + "b 1\n"
    )
    settings = Settings(root, ann_file_train=tmp_path / "list.txt")
    listing = read_listing(settings, SPLITS)
    assert [(entry.path, entry.num_frames, entry.label, entry.where) for entry in listing.parts["train"].entries] == [
        ("a", 1, "0", "list.txt:2"),
        ("b", 2, "c 1 3", "list.txt:3"),
        ("b", 1, "4 5", "list.txt:4"),
        ("gone", 7, "jump up", "list.txt:5"),
        *[("b", 1, "0", f"list.txt:{line}") for line in range(6, 26)],
    ]
    assert listing.notes == ("list.txt: 1 line beginning with # left out as comments",)
    assert list(map(str, listing.problems)) == [
        "list.txt:26: is not a folder, a number of frames and a label (got 'b 1'). Write `folder total_frames label`."
    ]


# ------------------------------------------------------------------------------------------------ the check
@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Six folders of twelve images: only to be read."""
    root = tmp_path_factory.mktemp("frames") / "v"
    for seed, name in enumerate("abcdef"):
        write_images(root / name, seed=seed)
    write_images(root / "few", frames=10, seed=9)
    (root / "bare").mkdir()
    return root


def fingerprint(root, tmp_path, lines, **values):
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "val.txt").write_text("a 12 0\nb 12 1\n")
    lists = {f"ann_file_{split}": str(tmp_path / f"{split}.txt") for split in ("train", "val")}
    settings = load_settings(
        None, values={"data_root": str(root), "ann_file_test": str(tmp_path / "val.txt"), **lists, **values}
    )
    return fingerprint_dataset(settings, WorkDir(tmp_path / "run"))


GOOD = [f"{name} 12 {label}" for name, label in zip("abcdef", "010101", strict=True)]


def test_a_wrong_number_of_frames_is_named_with_line_and_both_numbers(frames, tmp_path):
    found = fingerprint(frames, tmp_path, [*GOOD, "few 12 0"])
    reason = "holds 10 images where the list says 12: correct the list, or extract them again"
    assert [(video.where, video.path, video.reason) for video in found.bad_videos] == [("train.txt:7", "few", reason)]
    findings = json.loads((tmp_path / "run" / "check.json").read_text())["findings"]
    assert [(each["kind"], each["repair"]) for each in findings if each["level"] == "left out"] == [("images", None)]


def test_folders_that_cannot_be_used_refuse_the_training_where_they_are_many(frames, tmp_path):
    with pytest.raises(RequestError) as caught:
        fingerprint(frames, tmp_path, [*GOOD, "few 12 0", "bare 12 1"])
    assert "train.txt:8: bare is a folder without numbered images. Repair it or take it out." in str(caught.value)


@pytest.mark.parametrize(("given", "fps"), [({}, 25.0), ({"data": {"image_fps": 12}}, 12.0)])
def test_a_frame_rate_is_assumed_and_said_or_given(frames, tmp_path, given, fps):
    found = fingerprint(frames, tmp_path, GOOD, **given)
    assert (found.splits["train"].fps.p50, found.splits["train"].duration_seconds.p50) == (fps, 12 / fps)
    assert [row.decoder for row in read_rows(tmp_path / "run/annotations/train.txt")] == [f"images@{fps:g}"] * 6
    note = "10 videos in folders of images: 25 frames a second are assumed, unless data.image_fps is given"
    assert [each for each in found.notes if "frames a second" in each] == ([] if given else [note])


def test_pieces_of_folders_of_images_are_reckoned_with_the_given_rate(frames, tmp_path):
    rows = [f"{name},{label},0,0.5" for name, label in zip("abcd", "xyxy", strict=True)]
    (tmp_path / "p.csv").write_text("\n".join(["path,label,start,end", *rows, "e,x,0.5,", "f,y,1.5,2"]) + "\n")
    values = {"data_root": str(frames), "ann_file_train": str(tmp_path / "p.csv"), "data": {"image_fps": 10}}
    found = fingerprint_dataset(load_settings(None, values=values), WorkDir(tmp_path / "run"))
    assert [(video.path, video.reason) for video in found.bad_videos] == [
        ("f", "ends after 1.20 s, before its piece from 1.50 s on")
    ]
    assert found.splits["train"].num_frames.min == 5


def test_the_same_images_under_two_names_are_a_leak(frames, tmp_path):
    root = tmp_path / "v"
    for name in ("one", "renamed"):
        write_images(root / name, seed=3, name="img_{:05}.jpg" if name == "one" else "{}.jpg")
    for seed in (4, 5, 6):
        write_images(root / f"other{seed}", seed=seed)
    (tmp_path / "train.txt").write_text("one 0\nother4 1\nother5 0\n")
    (tmp_path / "val.txt").write_text("renamed 0\nother6 1\n")
    lists = {f"ann_file_{split}": tmp_path / f"{split}.txt" for split in ("train", "val")}
    found = fingerprint_dataset(Settings(root, **lists, ann_file_test=tmp_path / "val.txt"), WorkDir(tmp_path / "run"))
    leaks = [(leak.split, leak.path, leak.other_path, leak.kind) for leak in found.leaks if leak.split == "val"]
    assert leaks == [("val", "renamed", "one", "same content")]


def test_a_list_may_name_files_and_folders_of_images_with_blanks_in_their_names(tmp_path):
    root = tmp_path / "v"
    write_video(root / "a.mp4")
    write_images(root / "b c")
    (tmp_path / "train.txt").write_text("a.mp4 jump up\nb c jump up\n")
    listing = read_listing(Settings(root, ann_file_train=tmp_path / "train.txt"), SPLITS)
    assert [(entry.path, entry.label) for entry in listing.parts["train"].entries] == [
        ("a.mp4", "jump up"),
        ("b c", "jump up"),
    ]


def test_a_frame_list_with_several_labels_is_of_several_labels(frames, tmp_path):
    lines = [f"{name} 12 {labels}" for name, labels in zip("abcdef", ("0", "1", "0 1", "0 1", "1", "0"), strict=True)]
    found = fingerprint(frames, tmp_path, lines)
    assert (found.task, found.splits["train"].class_counts) == ("multi_label", {"0": 4, "1": 4})


def test_a_folder_of_images_goes_before_a_video_of_its_name(tmp_path):
    root = tmp_path / "v"
    for name in ("both", "video"):
        write_video(root / f"{name}.mp4")
    write_images(root / "both")
    assert [canonical_path(name, str(root)) for name in ("both", "video")] == ["both", "video.mp4"]


def test_names_that_are_no_text_are_told_all_the_same(tmp_path):
    folder = os.fsencode(tmp_path / "v")
    write_images(tmp_path / "v", name="{}.jpg", frames=3)
    os.rename(folder + b"/2.jpg", folder + b"/\xff2.jpg")
    (answer,) = probe_videos([str(tmp_path / "v")], tmp_path / "cache.json").values()
    assert answer == "holds images of 2 kinds (*.jpg, '\\udcff*.jpg'): leave one kind in the folder"
