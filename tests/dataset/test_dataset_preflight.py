from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from odd_videos import uneven_times, write_odd
from runs import run_cli
from videos import write_config, write_video

from autox_video.dataset import fingerprint as stage
from autox_video.dataset.annotations import read_rows
from autox_video.dataset.entries import Sample
from autox_video.dataset.pieces import piece_facts
from autox_video.dataset.preflight import Check, repair_line
from autox_video.dataset.probe import VideoFacts
from autox_video.errors import RequestError
from autox_video.records import read_record
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir

FAST = {"model": {"name": "video_swin_nano", "load_from": "none"}, "clip": {"clip_len": 4}}


@pytest.fixture(scope="module")
def torture(tmp_path_factory) -> Path:
    """Good videos in plenty, and one of each kind that is bad or odd."""
    root = tmp_path_factory.mktemp("torture")
    (root / "videos").mkdir()
    train = []
    for index in range(40):
        name = f"good {index}.mp4" if index else "-舞 🎬.mp4"
        write_video(root / "videos" / name, frames=12, size=64, seed=index)
        train.append((name, "many"))
    train += [("good 1.mp4", "many")]
    write_video(root / "videos" / "rare.mp4", size=64, seed=99)
    (root / "videos" / "empty.mp4").touch()
    (root / "videos" / "folder.mp4").mkdir()
    (root / "videos" / "text.mp4").write_text("no video\n" * 99)
    os.mkfifo(root / "videos" / "pipe.mp4")
    write_odd(root / "videos" / "stream.ts", container="mpegts")
    write_odd(root / "videos" / "uneven.mp4", milliseconds=uneven_times())
    write_odd(root / "videos" / "thin.mp4", width=400, height=16)
    write_video(root / "videos" / "brief.mp4", frames=2, size=64)
    train += [("rare.mp4", "rare")]
    bad = ("empty.mp4", "folder.mp4", "text.mp4", "pipe.mp4", "missing.mp4")
    train += [(name, "many") for name in (*bad, "stream.ts", "uneven.mp4", "thin.mp4", "brief.mp4")]
    (root / "train.txt").write_text("".join(f"{name}\t{label}\n" for name, label in train))
    shutil.copy(root / "videos" / "good 2.mp4", root / "videos" / "val.mp4")
    (root / "val.txt").write_text("val.mp4\tmany\n")
    write_config(
        root / "config.yaml",
        data_root="videos",
        ann_file_train="train.txt",
        ann_file_val="val.txt",
        work_dir="run",
        **FAST,
    )
    return root


def test_check_names_every_kind_and_no_good_file(torture):
    output = run_cli("check", "-c", str(torture / "config.yaml"))
    check = read_record(torture / "run" / "check.json", Check)
    assert check.ready
    assert {(kind.level, kind.kind): kind.count for kind in check.kinds} == {
        ("left out", "empty file"): 1,
        ("left out", "not a file"): 2,
        ("left out", "unreadable"): 1,
        ("left out", "missing"): 1,
        ("note", "listed twice"): 1,
        ("note", "odd size"): 1,
        ("note", "few videos in a class"): 1,
        ("note", "imbalance"): 1,
        ("note", "class absent from val"): 1,
        ("note", "leak: same content"): 1,
        ("note", "shorter than a clip"): 1,
    }
    # Listed twice, and in val too.
    assert [finding.where for finding in check.findings if "good" in finding.text] == ["train.txt:41", "val.txt:1"]
    texts = {finding.text: finding for finding in check.findings}
    assert not any("stream.ts" in text for text in texts)
    text = texts["text.mp4 is no video, or its header is damaged or cut off"]
    assert text.repair == repair_line(str(torture / "videos" / "text.mp4"))
    assert texts["empty.mp4 is empty"].repair is None
    lines = output.splitlines()
    assert (
        "left out  not a file             2      train.txt:44: folder.mp4 is a folder without numbered images" in lines
    )
    place = "annotations/train.txt:46"
    short = f"note      shorter than a clip    1      {place}: brief.mp4 has 2 frames, and a clip spans 10: frames are repeated"
    assert short in lines


def test_stop_refuses_what_skip_leaves_out(torture):
    output = run_cli("check", "-c", str(torture / "config.yaml"), "--set", "on_bad_video=stop", code=2)
    assert (
        "train: 5 of 51 videos (10%) cannot be used. Repair them or take them out of "
        f"{torture / 'train.txt'}; `on_bad_video: skip` leaves them out." in output
    )
    assert not read_record(torture / "run" / "check.json", Check).ready


def test_the_repair_line_can_be_pasted():
    assert repair_line("/v/it's.avi") == (
        "ffmpeg -err_detect ignore_err -i '/v/it'\"'\"'s.avi' "
        "-c:v libx264 -crf 18 -pix_fmt yuv420p -an 'it'\"'\"'s_repaired.mp4'"
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, (100, 10.0)),
        (2.0, 4.0, (20, 2.0)),
        (9.0, 12.0, (10, 1.0)),
        (None, 0.01, (1, 0.01)),
        (10.0, 12.0, "ends after 10.00 s, before its piece from 10.00 s on"),
    ],
)
def test_a_piece_has_its_share_of_the_video(start, end, expected):
    whole = VideoFacts(100, 10.0, 64, 48, 1000, 10.0)
    found = piece_facts(Sample("a", 0, "", "/a", start, end), whole)
    assert (found if isinstance(found, str) else (found.num_frames, found.duration_seconds)) == expected


def test_pieces_of_one_video_are_samples_of_their_own(tmp_path):
    write_odd(tmp_path / "long.mp4", milliseconds=uneven_times())
    pieces = [(0.5 * index, 0.5 * index + 0.5) for index in range(10)]
    lines = [f"long.mp4,{'ab'[index % 2]},{start},{end}" for index, (start, end) in enumerate(pieces)]
    head = "path,label,start,end"
    (tmp_path / "train.csv").write_text("\n".join([head, *lines, "long.mp4,a,99,100"]) + "\n")
    (tmp_path / "val.csv").write_text("\n".join([head, *lines[:2]]) + "\n")
    settings = Settings(data_root=tmp_path, ann_file_train=tmp_path / "train.csv", ann_file_val=tmp_path / "val.csv")
    work_dir = WorkDir(tmp_path / "run")
    facts = stage.fingerprint_dataset(settings, work_dir, splits=("train", "val"))
    rows = read_rows(work_dir.annotations("train"))
    assert [(row.start_seconds, row.end_seconds) for row in rows] == pieces
    assert {(row.path, row.decoder) for row in rows} == {("long.mp4", "pyav")}
    assert [video.reason for video in facts.bad_videos] == ["ends after 8.28 s, before its piece from 99.00 s on"]
    assert facts.splits["train"].duration_seconds.p50 == pytest.approx(0.5, rel=0.2)
    assert not any("more than once" in note for note in facts.notes)


def test_the_data_folder_that_is_not_there_is_in_the_check(tmp_path):
    with pytest.raises(RequestError):
        stage.fingerprint_dataset(Settings(data_root=tmp_path / "no"), WorkDir(tmp_path / "run"))
    check = read_record(tmp_path / "run" / "check.json", Check)
    assert [(kind.level, kind.kind) for kind in check.kinds] == [("refused", "does not exist")]
