"""Frames by time: the same moments of videos of different and of uneven rates."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import samples
from mmengine.registry import DATASETS, DefaultScope
from videos import write_video

from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401  (registers the transform)
from autox_video.runner.draws import Draw
from autox_video.runner.transforms.sampling import SampleAtRate


def video(times, *, first: int = 0, count: int | None = None) -> dict:
    reader = SimpleNamespace(times=lambda: np.asarray(times, dtype=float))
    return {"video_reader": reader, "start_index": first, "total_frames": count or len(times) - first}


def frames(times, clip_len: int, target_fps: float, *, num_clips: int = 1, **piece: int) -> list[int]:
    transform = SampleAtRate(clip_len, target_fps, num_clips, test_mode=True)
    return transform.transform(video(times, **piece))["frame_inds"].tolist()


@pytest.mark.parametrize("fps", [7.5, 12, 23.976, 25, 30, 59.94])
def test_a_clip_shows_the_same_moments_whatever_the_rate(fps):
    times = np.arange(round(4 * fps)) / fps
    shown = times[frames(times, 8, 5)]
    # From the middle of four seconds, a frame each 0.2 s, each shown at most as early as it lasts.
    assert np.abs(shown - (1.2 + np.arange(8) / 5)).max() <= 1 / fps + 1e-3
    assert (np.diff(shown) > 0).all() == (fps >= 5)


def test_at_the_rate_of_the_video_every_frame_is_taken():
    assert frames(np.arange(30) / 30, 10, 30) == list(range(10, 20))
    assert frames(np.arange(30) / 30, 10, 15) == list(range(5, 25, 2))


def test_of_an_uneven_rate_the_frame_on_the_screen_counts():
    # Ten frames a second, then one that stands for two seconds, then ten a second again.
    times = [*np.arange(10) / 10, *(3 + np.arange(10) / 10)]
    shown = frames(times, 8, 2)
    assert shown == [0, 5, 9, 9, 9, 9, 10, 15]
    by_count = np.asarray(times)[np.arange(8) * 2]
    assert np.diff(by_count).max() > 2  # what counting frames would make of it: a jump


def test_the_last_frame_is_repeated_where_a_video_is_shorter_than_a_clip():
    assert frames([0, 0.5, 1.0], 6, 4) == [0, 0, 1, 1, 2, 2]
    assert frames([0.0], 4, 10) == [0, 0, 0, 0]


def test_a_clip_stays_inside_its_piece():
    times = np.arange(100) / 10
    inside = frames(times, 5, 10, first=40, count=20, num_clips=3)
    assert (min(inside), max(inside)) == (40, 59)
    assert np.reshape(inside, (3, 5))[:, 0].tolist() == [40, 47, 55]


def test_several_clips_are_spread_from_the_first_frame_to_the_last():
    spread = np.reshape(frames(np.arange(60) / 30, 4, 10, num_clips=3), (3, 4))
    assert spread.tolist() == [[0, 3, 6, 9], [24, 27, 30, 33], [48, 51, 54, 57]]


def test_a_training_clip_lies_anywhere_and_follows_from_its_place_in_the_epoch(tmp_path):
    for name, fps in (("slow", 10.0), ("fast", 30.0)):
        write_video(tmp_path / f"{name}.mp4", frames=round(3 * fps), fps=fps)
    (tmp_path / "train.txt").write_text("slow.mp4\t0\tpyav\nfast.mp4\t1\tpyav\n")
    clip = {"clip_len": 4, "input_size": 32, "target_fps": 5}
    plan, preset = samples.plan(model={"name": "video_swin_nano", "load_from": "none"}, clip=clip)
    plan = dataclasses.replace(plan, ann_files={"train": str(tmp_path / "train.txt")}, data_root=str(tmp_path))
    with DefaultScope.overwrite_default_scope("mmaction"):
        data = DATASETS.build(render_config(plan, preset, tmp_path).train_dataloader.dataset)
    seen = []
    keep = data.pipeline.transforms[1].transform
    data.pipeline.transforms[1].transform = lambda results: seen.append(keep(results)) or seen[-1]
    for position in (*range(6), *range(6)):
        data[Draw(position % 2, 0, 0, position)]
    inds = [results["frame_inds"].tolist() for results in seen]
    assert inds[:6] == inds[6:]
    assert {tuple(np.diff(one)) for one in inds[::2]} == {(2, 2, 2)}
    assert {tuple(np.diff(one)) for one in inds[1::2]} == {(6, 6, 6)}
    assert len({one[0] for one in inds}) > 3
