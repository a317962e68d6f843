"""Whole fingerprints of data in which videos stand on both sides, or must not come to."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import write_video

from autox_video.dataset.entries import Sample
from autox_video.dataset.facts import Fingerprint, Leak
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.groups import Grouping
from autox_video.dataset.leaks import find_leaks
from autox_video.dataset.look_alikes import LookAlikes
from autox_video.demo_data import render_clip
from autox_video.errors import RequestError
from autox_video.settings.schema import DataSettings, Settings
from autox_video.work_dir import WorkDir


def write_clip(path: Path, class_name: str, number: int, *, codec: str = "mp4v", size: int = 64) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, (size, size))
    assert writer.isOpened()
    for frame in render_clip(class_name, "train", number):
        writer.write(np.ascontiguousarray(cv2.resize(frame[..., ::-1], (size, size))))
    writer.release()
    return path.name


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """Lists in which test and val have videos of train: as they are, renamed, encoded anew, of one recording."""
    root = tmp_path_factory.mktemp("leaks")
    folder, lines = root / "videos", dict[str, list[str]]()
    own = {
        "train": [*(f"t{index}" for index in range(6)), "AAAAAAAAAAA_000000_000010"],
        "val": ["v0", "v1"],
        "test": ["x0", "AAAAAAAAAAA_000020_000030"],
    }
    for number, (split, name) in enumerate((split, f"{stem}.mp4") for split, stems in own.items() for stem in stems):
        label = "grow" if number % 2 else "shrink"
        lines.setdefault(split, []).append(f"{write_clip(folder / name, label, number)} {label}")
    shutil.copy(folder / "t0.mp4", folder / "renamed.mp4")
    write_clip(folder / "anew.avi", "grow", 1, codec="MJPG", size=96)
    shutil.copy(folder / "v0.mp4", folder / "val_again.mp4")
    lines["test"] += ["t2.mp4 shrink", "renamed.mp4 shrink", "anew.avi grow", "val_again.mp4 grow"]
    lines["val"] += ["t3.mp4 grow"]
    for split, rows in lines.items():
        (root / f"{split}.txt").write_text("\n".join(rows) + "\n")
    return root


def audited(root: Path, work_dir: WorkDir, **call: object) -> Fingerprint:
    lists = {f"ann_file_{split}": root / f"{split}.txt" for split in ("train", "val", "test")}
    return fingerprint_dataset(Settings(root / "videos", **lists), work_dir, **call)


LEAKS = (
    Leak("val", "t3.mp4", "train", "t3.mp4", "same file"),
    Leak("test", "AAAAAAAAAAA_000020_000030.mp4", "train", "AAAAAAAAAAA_000000_000010.mp4", "same group"),
    Leak("test", "t2.mp4", "train", "t2.mp4", "same file"),
    Leak("test", "renamed.mp4", "train", "t0.mp4", "same content"),
    Leak("test", "anew.avi", "train", "t1.mp4", "look-alike frames"),
    Leak("test", "val_again.mp4", "val", "v0.mp4", "same content"),
)


HEAD = "split\tpath\tstart\tend\tother_split\tother_path\tother_start\tother_end\tkind"


def test_every_kind_of_leak_is_found_counted_and_named(videos, tmp_path):
    work_dir = WorkDir(tmp_path / "run")
    fingerprint = audited(videos, work_dir)
    assert fingerprint.leaks == LEAKS
    better = "the test figures are better than on new videos"
    assert fingerprint.notes == (
        "1 of 3 val files are also in train: the val figures are better than on new videos",
        f"1 of 6 test files are also in train: {better}",
        "1 of 6 test files come from the recording of a train file "
        f"(AAAAAAAAAAA_000020_000030.mp4 and AAAAAAAAAAA_000000_000010.mp4): {better}",
        "1 of 6 test files have the content of a train file under another name (renamed.mp4 and t0.mp4): " + better,
        "1 of 6 test files look like a train file (near-duplicate frames) (anew.avi and t1.mp4): " + better,
        "1 of 6 test files have the content of a val file under another name (val_again.mp4 and v0.mp4): "
        "the test figures are not independent of the choice of the best checkpoint",
        f"6 videos in two splits, listed in {work_dir.leaks}",
    )
    lines = work_dir.leaks.read_text().splitlines()
    assert lines[0] == HEAD
    assert lines[1:] == [
        "\t".join((x.split, x.path, "", "", x.other_split, x.other_path, "", "", x.kind)) for x in LEAKS
    ]
    assert fingerprint.leaks_of_test() == {
        ("AAAAAAAAAAA_000020_000030.mp4", None, None): "same group as train: AAAAAAAAAAA_000000_000010.mp4",
        ("t2.mp4", None, None): "same file as train: t2.mp4",
        ("renamed.mp4", None, None): "same content as train: t0.mp4",
        ("anew.avi", None, None): "look-alike frames as train: t1.mp4",
        ("val_again.mp4", None, None): "same content as val: v0.mp4",
    }


def test_a_test_alone_finds_what_the_training_had_even_when_its_videos_are_gone(videos, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(videos, root)
    work_dir = WorkDir(tmp_path / "run")
    audited(root, work_dir)
    for name in ("t0.mp4", "t1.mp4", "v0.mp4"):
        (root / "videos" / name).unlink()
    alone = audited(root, work_dir, splits=("test",), classes=("grow", "shrink"))
    assert alone.leaks == LEAKS
    assert work_dir.groups.read_text().startswith(
        "split\tpath\tcolumn\tgroup\twhy\ntrain\tt0.mp4\t\trenamed.mp4\tsame content\n"
    )


def test_lists_that_share_nothing_leave_no_leak(tmp_path):
    for split, seed in (("train", 0), ("val", 10), ("test", 20)):
        names = [
            write_video(tmp_path / f"videos/{split}{index}.mp4", frames=6, seed=seed + index).name for index in range(4)
        ]
        (tmp_path / f"{split}.txt").write_text("".join(f"{name} {index % 2}\n" for index, name in enumerate(names)))
    work_dir = WorkDir(tmp_path / "run")
    fingerprint = audited(tmp_path, work_dir)
    assert (fingerprint.leaks, fingerprint.notes) == ((), ())
    assert work_dir.leaks.read_text() == HEAD + "\n"


def test_ucf_names_are_divided_by_group_and_a_copy_goes_with_its_original(tmp_path):
    root = tmp_path / "videos"
    for label, name in enumerate(("grow", "shrink")):
        for group in range(4):
            for clip in range(2):
                write_clip(root / name / f"v_{name}_g0{group}_c0{clip}.mp4", name, 100 * label + 10 * group + clip)
    write_clip(root / "grow" / "anew.avi", "grow", 10, codec="MJPG", size=96)
    work_dir = WorkDir(tmp_path / "run")
    fingerprint = fingerprint_dataset(Settings(root), work_dir)
    assert fingerprint.leaks == ()
    assert fingerprint.notes[2] == (
        "17 of 17 videos form 8 groups, none of which is divided between splits, by gNN_cNN in the name (16), "
        f"look-alike frames (2): see {work_dir.groups}"
    )
    rows = [line.split("\t") for line in work_dir.groups.read_text().splitlines()[1:]]
    split_of: dict[str, set[str]] = {}
    for split, _, _, group, _ in rows:
        split_of.setdefault(group, set()).add(split)
    assert len(split_of) == 8
    assert {len(splits) for splits in split_of.values()} == {1}
    assert [row[3:] for row in rows if row[1] == "grow/anew.avi"] == [["v_grow_g01", "look-alike frames"]]
    again = fingerprint_dataset(Settings(root), work_dir, splits=("test",), classes=("grow", "shrink"))
    assert again.splits["test"] == fingerprint.splits["test"]


def test_too_few_recordings_are_refused_and_a_pattern_or_none_is_the_way_out(tmp_path):
    for label in ("jump", "run"):
        for clip in range(4):
            write_video(
                tmp_path / "v" / label / f"v_{label}_g01_c0{clip}.mp4", frames=4, seed=ord(label[0]) * 10 + clip
            )
    with pytest.raises(RequestError) as caught:
        fingerprint_dataset(Settings(tmp_path / "v"), WorkDir(tmp_path / "run"))
    assert str(caught.value) == (
        "val and test: 2 of 2 classes cannot be divided into train and val and test by recording: "
        "jump needs 2 more, run needs 2 more. "
        "Add videos of other recordings, correct data.group_pattern, or give ann_file_val and ann_file_test."
    )
    alone = Settings(tmp_path / "v", data=DataSettings(group_pattern="none"))
    assert fingerprint_dataset(alone, WorkDir(tmp_path / "run")).splits["train"].num_videos == 4


def test_two_pieces_of_a_video_come_from_one_recording_and_the_same_piece_is_the_same():
    def piece(name: str, start: float) -> Sample:
        return Sample(name, 0, "", f"/{name}", start, start + 1)

    alike = LookAlikes({"/a.mp4": "1", "/copy.mp4": "1"}, {})
    splits = {"train": [piece("a.mp4", 0)], "val": [piece("a.mp4", 5), piece("a.mp4", 0), piece("copy.mp4", 0)]}
    leaks = find_leaks(splits, Grouping({}, {}, {}), alike)
    assert [(leak.path, leak.start_seconds, leak.kind) for leak in leaks] == [
        ("a.mp4", 5, "same group"),
        ("a.mp4", 0, "same file"),
        ("copy.mp4", 0, "same content"),
    ]
