from __future__ import annotations

import logging
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from odd_videos import indices_of, uneven_times, write_odd
from videos import write_video

from autox_video.dataset.annotations import write_annotations
from autox_video.dataset.entries import Sample
from autox_video.errors import RunError
from autox_video.runner import components
from autox_video.runner.hooks.unreadable import UnreadableVideosHook
from autox_video.runner.lost_videos import lost_videos_end_the_run
from autox_video.runner.video_list import VideoListDataset

assert components.VideoOpen  # registers the transforms


def pipeline(num_clips: int = 1, test_mode: bool = False, clip_len: int = 4) -> list[dict]:
    return [
        {"type": "VideoOpen"},
        {"type": "SampleFrames", "clip_len": clip_len, "num_clips": num_clips, "test_mode": test_mode},
        {"type": "VideoDecode"},
        {"type": "Resize", "scale": (-1, 24)},
        {"type": "ThreeCrop" if test_mode else "CenterCrop", "crop_size": 24},
        {"type": "FormatShape", "input_format": "NCTHW"},
        {"type": "PackActionInputs", "meta_keys": ("filename",)},
    ]


def dataset(folder, samples, *, decoder="pyav", **given) -> VideoListDataset:
    write_annotations(folder / "list.txt", samples, [decoder] * len(samples))
    steps = pipeline(given.get("num_clips", 1), given.get("test_mode", False))
    task = {name: given[name] for name in ("multi_class", "num_classes") if name in given}
    prefix = {"video": str(folder)}
    with DefaultScope.overwrite_default_scope("mmaction"):
        return VideoListDataset(
            str(folder / "list.txt"), steps, data_prefix=prefix, test_mode=given.get("test_mode", False), **task
        )


def videos(folder, count: int) -> list[Sample]:
    """Dark ones of class 0 and light ones of class 1, in turn."""
    for index in range(count):
        write_video(folder / f"{index}.mp4", brightness=30 + 180 * (index % 2), seed=index)
    return [Sample(f"{index}.mp4", index % 2, "", "") for index in range(count)]


def test_in_training_another_video_of_the_class_takes_the_place_of_a_lost_one(tmp_path):
    data = dataset(tmp_path, videos(tmp_path, 6))
    (tmp_path / "1.mp4").write_bytes(b"not any more")
    (tmp_path / "3.mp4").unlink()
    for _ in range(5):
        got = data[1]
        sample = got["data_samples"]
        assert (sample.filename, int(sample.gt_label)) == (str(tmp_path / "5.mp4"), 1)
        assert got["inputs"].float().mean() > 180
        lost = dict(sample.replaced)
        assert lost.pop(str(tmp_path / "1.mp4")) == "is no video, or its header is damaged or cut off"
        assert lost in ({}, {str(tmp_path / "3.mp4"): "cannot be read: No such file or directory"})
    assert "replaced" not in data[0]["data_samples"]


def test_with_several_labels_a_video_of_the_same_labels_takes_the_place_of_a_lost_one(tmp_path):
    labels = [(0, 2), (0, 1), (0, 2), 2, None]
    listed = [Sample(sample.path, label, "", "") for sample, label in zip(videos(tmp_path, 5), labels, strict=True)]
    data = dataset(tmp_path, listed, multi_class=True, num_classes=3)
    told = [data[index]["data_samples"].gt_label.tolist() for index in range(5)]
    assert told == [[1, 0, 1], [1, 1, 0], [1, 0, 1], [0, 0, 1], [0, 0, 0]]
    (tmp_path / "0.mp4").unlink()
    for _ in range(5):
        sample = data[0]["data_samples"]
        assert (sample.filename, sample.gt_label.tolist()) == (str(tmp_path / "2.mp4"), [1, 0, 1])


def test_a_class_that_is_lost_altogether_ends_the_training_with_its_names(tmp_path):
    data = dataset(tmp_path, videos(tmp_path, 4))
    for index in (1, 3):
        (tmp_path / f"{index}.mp4").unlink()
    with pytest.raises(RunError) as caught, lost_videos_end_the_run():
        data[3]
    reason = "cannot be read: No such file or directory"
    assert str(caught.value) == (
        f"{tmp_path / 'list.txt'}: 2 videos of one class in a row cannot be read any more "
        f"(got {tmp_path / '3.mp4'} {reason}; {tmp_path / '1.mp4'} {reason}). "
        "Check the disk; `autox-video check` names every one."
    )


def test_after_twenty_one_lost_videos_of_a_class_no_other_is_tried(tmp_path):
    samples = [Sample(f"{index}.mp4", 0, "", "") for index in range(30)]
    with pytest.raises(RunError) as caught, lost_videos_end_the_run():
        dataset(tmp_path, samples)[0]
    assert "21 videos of one class in a row cannot be read any more" in str(caught.value)


def test_in_a_test_a_lost_video_is_a_black_one_with_its_error(tmp_path):
    data = dataset(tmp_path, videos(tmp_path, 2), test_mode=True, num_clips=2)
    (tmp_path / "1.mp4").write_bytes(b"not any more")
    whole, lost = data[0], data[1]
    assert lost["inputs"].shape == whole["inputs"].shape
    assert not lost["inputs"].any()
    assert lost["data_samples"].error == "is no video, or its header is damaged or cut off"
    assert "error" not in whole["data_samples"]


@pytest.mark.parametrize("test_mode", [False, True])
@pytest.mark.parametrize("name", ["even.mp4", "uneven.mp4"])
def test_clips_come_only_from_inside_the_piece(tmp_path, test_mode, name):
    stamps = uneven_times() if name == "uneven.mp4" else list(range(0, 4000, 100))
    write_odd(tmp_path / name, milliseconds=stamps)
    seconds = np.array(stamps) / 1000
    for start, end in [(0.7, 1.9), (float(seconds[20]), float(seconds[26])), (2.0, None), (None, 0.9)]:
        data = dataset(tmp_path, [Sample(name, 0, "", "", start, end)], test_mode=test_mode, num_clips=3)
        inside = {k for k, time in enumerate(seconds) if (start or 0) <= time < (end or 1e9)}
        seen = set()
        for _ in range(1 if test_mode else 12):
            clips = data[0]["inputs"].numpy()  # views, channels, time, height, width
            seen |= set(indices_of(clips.transpose(0, 2, 3, 4, 1).reshape(-1, 24, 24, 3)))
        assert seen <= inside
        assert {min(inside), max(inside)} <= seen or not test_mode


def test_every_lost_video_is_named_once_and_counted(tmp_path, caplog):
    hook = UnreadableVideosHook()
    runner = SimpleNamespace(logger=logging.getLogger("train.log"))
    sample = SimpleNamespace(metainfo={"replaced": (("/v/a.mp4", "is empty"),)})
    with caplog.at_level("WARNING", logger="train.log"):
        hook.after_train_iter(runner, 0, {"data_samples": [sample, SimpleNamespace(metainfo={})]})
        hook.after_train_iter(runner, 1, {"data_samples": [sample]})
        hook.after_train(runner)
    assert [record.message for record in caplog.records if record.name == "train.log"] == [
        "/v/a.mp4 is empty: another video of its class takes its place",
        "1 of the videos could not be read during training; the log names them",
    ]


def test_a_piece_that_begins_after_the_end_of_a_video_is_lost_and_not_its_last_frame(tmp_path):
    videos(tmp_path, 1)  # of one second
    pieces = [Sample("0.mp4", 0, "", "", 1.5, 2.0), Sample("0.mp4", 0, "", "", 0.5, 0.9)]
    tested = dataset(tmp_path, pieces, test_mode=True)
    assert tested[0]["data_samples"].error == "ends before its piece from 1.50 s on"
    assert "error" not in tested[1]["data_samples"]
    trained = dataset(tmp_path, pieces)[0]["data_samples"]
    assert trained.replaced == ((str(tmp_path / "0.mp4"), "ends before its piece from 1.50 s on"),)
