"""What `check` says of leaks, copies and pieces that go on after their video ends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from odd_videos import write_odd
from videos import write_video

from autox_video.dataset.facts import Leak
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.preflight import Check
from autox_video.dataset.probe import probe_videos
from autox_video.errors import RequestError
from autox_video.records import read_record
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """`long.mp4` of four seconds, its copy, and others."""
    root = tmp_path_factory.mktemp("findings")
    shutil.copy(write_odd(root / "long.mp4"), root / "copy.mp4")
    for index in range(4):
        write_video(root / f"{index}.mp4", frames=6, seed=index)
    probe_videos(map(str, sorted(root.glob("*.mp4"))), root / "probe_cache.json")
    return root


def checked(videos: Path, tmp_path: Path, **lists: str):
    """The fingerprint, if the data is not refused, and what check.json has of some kinds: kind, place and text."""
    for split, text in lists.items():
        (tmp_path / f"{split}.csv").write_text(text)
    work_dir = WorkDir(tmp_path / "run")
    work_dir.root.mkdir(exist_ok=True)
    shutil.copy(videos / "probe_cache.json", work_dir.probe_cache)
    files = {f"ann_file_{split}": tmp_path / f"{split}.csv" for split in lists}
    try:
        fingerprint = fingerprint_dataset(Settings(videos, **files), work_dir)
    except RequestError:
        fingerprint = None
    findings = read_record(work_dir.check, Check).findings
    ours = [each for each in findings if each.kind.startswith(("leak", "copy", "piece"))]
    assert all(finding.level == "note" or finding.kind == "piece outside" for finding in ours)
    return fingerprint, [(finding.kind, finding.where, finding.text) for finding in ours]


HEAD = "path,label,start,end\n"


def test_a_piece_that_goes_on_after_its_video_is_cut_short_aloud_and_one_outside_is_left_out(videos, tmp_path):
    pieces = "0.mp4,a,,\n1.mp4,b,,\n2.mp4,a,,\nlong.mp4,a,0,2\nlong.mp4,b,2,4.05\nlong.mp4,b,3,7.5\nlong.mp4,a,9,10\n"
    fingerprint, found = checked(videos, tmp_path, train=HEAD + pieces, val=HEAD + "3.mp4,a,,\n", test="path\n3.mp4\n")
    assert found == [
        ("piece outside", "train.csv:8", "long.mp4 ends after 4.00 s, before its piece from 9.00 s on"),
        ("leak: same file", "test.csv:2", "3.mp4 is also in val"),
        ("piece past the end", "train.csv:7", "long.mp4 from 3 s to 7.5 s is cut short: the video ends after 4.00 s"),
    ]
    note = "1 train piece would go on after the video ends, and end with it: train.csv:7"
    assert note in fingerprint.notes


def test_leaks_of_pieces_have_their_times_in_the_table(videos, tmp_path):
    train = HEAD + "0.mp4,a,,\n1.mp4,b,,\nlong.mp4,a,0,2\n"
    test = HEAD + "long.mp4,a,0,2\nlong.mp4,b,2,4\ncopy.mp4,a,0,2\n"
    fingerprint, found = checked(videos, tmp_path, train=train, val=HEAD + "2.mp4,a,,\n", test=test)
    assert found == [
        ("leak: same file", "test.csv:2", "long.mp4 from 0 s to 2 s is also in train"),
        (
            "leak: same group",
            "test.csv:3",
            "long.mp4 from 2 s to 4 s comes from the recording of a train file: long.mp4 from 0 s to 2 s",
        ),
        (
            "leak: same content",
            "test.csv:4",
            "copy.mp4 from 0 s to 2 s has the content of a train file under another name: long.mp4 from 0 s to 2 s",
        ),
    ]
    assert WorkDir(tmp_path / "run").leaks.read_text().splitlines()[1:] == [
        "test\tlong.mp4\t0.0\t2.0\ttrain\tlong.mp4\t0.0\t2.0\tsame file",
        "test\tlong.mp4\t2.0\t4.0\ttrain\tlong.mp4\t0.0\t2.0\tsame group",
        "test\tcopy.mp4\t0.0\t2.0\ttrain\tlong.mp4\t0.0\t2.0\tsame content",
    ]
    assert fingerprint.leaks[1] == Leak("test", "long.mp4", "train", "long.mp4", "same group", 2.0, 4.0, 0.0, 2.0)


def test_an_unlabelled_list_has_its_leaks_without_a_word_on_figures(videos, tmp_path):
    train = "path,label\n0.mp4,a\n1.mp4,b\nlong.mp4,a\n"
    test = "path\n3.mp4\n0.mp4\ncopy.mp4\n"
    fingerprint, found = checked(videos, tmp_path, train=train, val="path,label\n2.mp4,a\n", test=test)
    said = "copy.mp4 has the content of a train file under another name: long.mp4"
    assert found == [
        ("leak: same file", "test.csv:3", "0.mp4 is also in train"),
        ("leak: same content", "test.csv:4", said),
    ]
    assert fingerprint.leaks_of_test() == {
        ("0.mp4", None, None): "same file as train: 0.mp4",
        ("copy.mp4", None, None): "same content as train: long.mp4",
    }
    assert fingerprint.notes[-3:] == (
        "1 of 3 test videos are also in train or val",
        "1 of 3 test files have the content of a train file under another name (copy.mp4 and long.mp4)",
        f"2 videos in two splits, listed in {WorkDir(tmp_path / 'run').leaks}",
    )


def test_a_folder_that_is_tested_as_it_is_has_no_leaks(videos, tmp_path):
    train, val = "path,label\n0.mp4,a\n1.mp4,b\n", "path,label\n2.mp4,a\n"
    fingerprint, found = checked(videos, tmp_path, train=train, val=val)
    assert (fingerprint.leaks, found) == ((), [])


def test_data_that_is_refused_has_its_leaks_told_too_and_nothing_written(videos, tmp_path):
    train = "path,label\n0.mp4,a\n1.mp4,b\n2.mp4,\n"
    _, found = checked(videos, tmp_path, train=train, val="path,label\n0.mp4,a\n")
    assert found == [("leak: same file", "val.csv:2", "0.mp4 is also in train")]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["check.json", "probe_cache.json"]


def test_copies_in_a_split_are_named_and_other_labels_wherever_they_stand(videos, tmp_path):
    train = "path,label\n0.mp4,a\n1.mp4,b\nlong.mp4,a\ncopy.mp4,a\n"
    _, found = checked(videos, tmp_path, train=train, val="path,label\n2.mp4,a\n", test="path,label\n3.mp4,a\n")
    assert found == [("copy", "train.csv:5", "copy.mp4 has the content of long.mp4 (train.csv:4)")]
    _, found = checked(videos, tmp_path, train=train.replace("copy.mp4,a", "copy.mp4,b"), val="path,label\n2.mp4,a\n")
    said = "copy.mp4 has the content of long.mp4 (train.csv:4), which has another label"
    assert found == [("copy with another label", "train.csv:5", said)]
