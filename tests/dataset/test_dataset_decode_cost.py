from __future__ import annotations

import json
import os

import pytest
from videos import write_images, write_video

from autox_video.dataset import decode_cost
from autox_video.dataset.decode_cost import choose_videos, measure_decode_cost
from autox_video.dataset.facts import DecodeCost, Fingerprint
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.dataset.probe_pool import time_videos
from autox_video.records import read_record
from autox_video.work_dir import WorkDir


@pytest.fixture(autouse=True)
def decoding_is_not_timed() -> None:
    """Here it is."""


@pytest.fixture
def timing(monkeypatch):
    """Gives each file a time instead of measuring it; returns the files that were asked for."""
    asked: list[str] = []

    def install(seconds: dict[str, float]) -> list[str]:
        def answers(decoders, limit_seconds):
            for file in decoders:
                asked.append(file)
                name = os.path.basename(file)
                yield file, {"decode_seconds": seconds[name]} if name in seconds else {"reason": "crashes the decoder"}

        monkeypatch.setattr(decode_cost, "time_videos", answers)
        return asked

    return install


def facts(width: int, height: int, num_frames: int = 10) -> VideoFacts:
    return VideoFacts(num_frames, 10.0, width, height, 1000)


def remembered(cache, videos) -> dict[str, VideoFacts]:
    """As if `probe_videos` had opened them."""
    entries = {file: {"stamp": [1, 1], "reason": "only the key counts here"} for file in videos}
    decode_cost.write_cache(cache, entries)
    return videos


def test_it_is_measured_once_and_stands_in_the_fingerprint(read, tmp_path, monkeypatch):
    lists = {"train": ["a0.mp4 0", "b0.mp4 1", "long.mp4 1"], "val": ["a5.mp4 0", "b5.mp4 1"]}
    first = read("flat", **lists)
    work_dir = WorkDir(tmp_path / "run")
    cost = first.decode_cost
    assert cost.seconds_per_frame > 0
    assert (cost.height_px, cost.num_videos) in [(32, 3), (64, 3)]
    assert read_record(work_dir.fingerprint, Fingerprint) == first
    timed = [os.path.basename(file) for file, entry in _entries(work_dir).items() if "decode_seconds" in entry]
    assert timed == ["a0.mp4", "b0.mp4", "long.mp4"]
    monkeypatch.setattr(decode_cost, "time_videos", None)
    videos = {file: facts(64, 64) for file in _entries(work_dir) if os.path.basename(file) in timed}
    assert measure_decode_cost(videos, work_dir.probe_cache).seconds_per_frame == cost.seconds_per_frame


def _entries(work_dir: WorkDir) -> dict[str, dict]:
    return json.loads(work_dir.probe_cache.read_text())["videos"]


def test_a_fingerprint_for_a_test_measures_nothing(read, tmp_path):
    call = {"splits": ("test",), "classes": ("0", "1")}
    assert read("flat", test=["a0.mp4 0"], train=["a1.mp4 0"], val=["b1.mp4 1"], call=call).decode_cost is None
    assert not any("decode_seconds" in entry for entry in _entries(WorkDir(tmp_path / "run")).values())


def test_files_and_folders_of_images_are_timed_and_what_fails_costs_only_itself(tmp_path, clip, crasher):
    images = write_images(tmp_path / "images", frames=3)
    one = write_video(tmp_path / "one.mp4", frames=1)
    asked = {str(clip): "pyav", str(crasher): "pyav", str(tmp_path / "gone.mp4"): "pyav", str(one): "pyav"}
    asked |= {str(images): "images@25"}
    answers = dict(time_videos(asked, limit_seconds=20.0))
    assert list(answers) == list(asked)
    assert "reason" in answers[str(tmp_path / "gone.mp4")]
    assert all(answers[str(file)]["decode_seconds"] > 0 for file in (clip, one, images))


def test_a_video_that_changed_is_measured_again(tmp_path, timing):
    asked = timing({"a.mp4": 1e-3})
    path, cache = write_video(tmp_path / "a.mp4", frames=2), tmp_path / "cache.json"
    for _ in range(2):
        measure_decode_cost(probe_videos([str(path)], cache), cache)
    assert asked == [str(path)]
    os.utime(path, ns=(1, 1))
    measure_decode_cost(probe_videos([str(path)], cache), cache)
    assert asked == [str(path)] * 2


def test_the_mean_counts_and_the_videos_that_take_most_give_the_name(tmp_path, timing):
    timing({"a": 1e-3, "b": 1e-3, "c": 10e-3})
    videos = {"/a": facts(320, 240), "/b": facts(320, 240), "/c": facts(1080, 1920), "/d": facts(320, 240)}
    cost = measure_decode_cost(remembered(tmp_path / "cache.json", videos), tmp_path / "cache.json")
    assert cost == DecodeCost(pytest.approx(4e-3), 1080, 3)
    assert cost.clip_seconds(32, 2) == pytest.approx(0.256)


def test_what_there_was_no_time_or_no_way_to_measure_is_not_tried_again(tmp_path, timing, monkeypatch):
    asked, cache = timing({"b": 2e-3}), tmp_path / "cache.json"
    videos = remembered(cache, {f"/{name}": facts(32, 32) for name in "abc"})
    monkeypatch.setattr(decode_cost, "BUDGET_SECONDS", -1.0)
    assert measure_decode_cost(videos, cache) == DecodeCost(2e-3, 32, 1)
    assert asked == ["/b"]
    assert measure_decode_cost(videos, cache) == DecodeCost(2e-3, 32, 1)
    assert asked == ["/b"]
    timing({})
    cache.unlink()
    assert measure_decode_cost(remembered(cache, videos), cache) is None


def test_those_that_are_measured_are_spread_over_sizes_and_lengths_the_middle_first():
    videos = {f"/{index:02}": facts(100 + index, 100, index) for index in range(60)}
    assert choose_videos(videos) == ["/25", "/35", "/15", "/45", "/05", "/55"]
    assert choose_videos({"/b": facts(9, 9, 5), "/a": facts(9, 9, 6)}) == ["/b", "/a"]
    assert choose_videos({}) == []
