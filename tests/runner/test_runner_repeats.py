"""Several views of one decoding: `augment.num_repeats`."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import samples
import torch
from mmengine.registry import DATASETS, DefaultScope
from test_runner_hooks_margins import batch_of, make_runner, step
from videos import write_images, write_video

from autox_video.decoding import IMAGES, open_video
from autox_video.decoding.pyav_reader import PyavReader
from autox_video.errors import Problem, RequestError, RunError
from autox_video.plan.recovery import GpuMemoryError, recover
from autox_video.plan.resume import continue_plan
from autox_video.plan.schema import Plan
from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401  (registers the data set)
from autox_video.runner.batches import stack_clips
from autox_video.runner.draws import Draw
from autox_video.runner.hooks.margins import MarginsHook

VALUES = {"model": {"name": "video_swin_nano", "load_from": "none"}, "clip": {"clip_len": 4, "input_size": 32}}


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    for name in "ab":
        write_video(root / f"{name}.mp4", frames=8, size=48, seed=ord(name))
    (root / "gone.mp4").touch()
    (root / "train.txt").write_text("a.mp4\t0\tpyav\nb.mp4\t1\tpyav\ngone.mp4\t1\tpyav\n")
    return root


def planned(root=None, *, hardware=samples.CPU, **values) -> tuple[Plan, object]:
    plan, preset = samples.plan(hardware, **VALUES, **values)
    if root is not None:
        plan = dataclasses.replace(plan, ann_files={"train": str(root / "train.txt")}, data_root=str(root))
    return plan, preset


def data_set(root, repeats: int, **augment):
    plan, preset = planned(root, videos_per_gpu=4, augment={"num_repeats": repeats, **augment})
    with DefaultScope.overwrite_default_scope("mmaction"):
        return DATASETS.build(render_config(plan, preset, root).train_dataloader.dataset)


def clips(views: list[dict]) -> list[torch.Tensor]:
    return [view["inputs"] for view in views]


def test_a_draw_is_several_views_that_are_cropped_by_themselves_and_decoded_once(listed, monkeypatch):
    decoded = []
    decode = PyavReader.views
    monkeypatch.setattr(PyavReader, "views", lambda self, *given: decoded.append(1) or decode(self, *given))
    views = data_set(listed, 4)[Draw(0, 0, 0, 0)]
    assert decoded == [1]
    assert len(views) == 4
    assert not any(torch.equal(one, other) for i, one in enumerate(clips(views)) for other in clips(views)[:i])
    same = data_set(listed, 4, min_crop_area=1.0, flip=0.0)[Draw(0, 0, 0, 0)]
    assert all(torch.equal(one, clips(same)[0]) for one in clips(same))
    alone = data_set(listed, 1, min_crop_area=1.0, flip=0.0)[Draw(0, 0, 0, 0)]
    assert torch.equal(clips(same)[0], alone["inputs"])


def test_each_view_has_a_margin_of_its_own(listed):
    runner, hook, sure = make_runner(), MarginsHook(), [float(np.log(3)), 0.0]
    runner.train_dataloader = SimpleNamespace(dataset=data_set(listed, 4), batch_size=1)
    hook.before_train(runner)
    for label in (0, 1):
        step(hook, runner, [sure] * 4, batch_of(*[(label, label)] * 4), counts=bool(label))
    state = hook.state_dict()
    assert state["sums"].tolist() == pytest.approx([2.0, -2.0, 0.0], abs=1e-6)
    assert state["counts"].tolist() == [4, 4, 0]


def test_views_follow_from_the_place_in_the_epoch_alone(listed):
    data = data_set(listed, 2)
    first, second, again = (data[Draw(0, 0, 0, position)] for position in (0, 1, 0))
    assert all(torch.equal(one, other) for one, other in zip(clips(first), clips(again), strict=True))
    assert not torch.equal(clips(first)[0], clips(second)[0])


def test_the_views_of_a_video_that_took_anothers_place_all_say_so(listed):
    views = data_set(listed, 2)[Draw(2, 0, 0, 0)]
    assert [view["data_samples"].metainfo["filename"][-5:] for view in views] == ["b.mp4"] * 2
    assert [len(view["data_samples"].metainfo["replaced"]) for view in views] == [1, 1]


def test_a_batch_has_the_views_of_its_draws_one_after_the_other(listed):
    data = data_set(listed, 2)
    draws = [data[Draw(sample, 0, 0, sample)] for sample in (0, 1)]
    batch = stack_clips(draws)
    assert torch.equal(batch["inputs"], torch.stack([one for views in draws for one in clips(views)]))
    assert [int(sample.gt_label) for sample in batch["data_samples"]] == [0, 0, 1, 1]


@pytest.mark.parametrize("kind", ["pyav", IMAGES])
def test_parts_that_are_decoded_together_are_those_decoded_by_themselves(tmp_path, listed, kind):
    video = str(listed / "a.mp4") if kind == "pyav" else str(write_images(tmp_path / "images", frames=6, size=(48, 48)))
    parts = [(None, None), ((4, 8, 36, 40), (16, 16)), ((0, 0, 48, 24), None)]
    together = open_video(video, kind).views([3, 1, 3], parts)
    for part, pictures in zip(parts, together, strict=True):
        assert np.array_equal(pictures, open_video(video, kind).frames([3, 1, 3], *part))


def test_a_batch_has_as_many_clips_as_planned_and_fewer_draws():
    given = {"videos_per_gpu": 8, "epoch": 3, "train": {"warmup_epochs": 0}}
    (one, preset), (four, _) = (planned(augment={"num_repeats": count}, **given) for count in (1, 4))
    alone, repeated = (render_config(plan, preset, samples.RUN) for plan in (one, four))
    assert (alone.train_dataloader.batch_size, repeated.train_dataloader.batch_size) == (8, 2)
    assert (repeated.train_dataloader.dataset.num_repeats, repeated.val_dataloader.batch_size) == (4, 8)
    # 200 videos are 25 steps of 8 clips, or 100 of 4 views of 2 videos.
    assert (alone.param_scheduler[-1]["end"], repeated.param_scheduler[-1]["end"]) == (75, 300)
    assert (one.total_batch_size.value, four.total_batch_size.value) == (8, 8)


def test_what_cannot_be_is_refused(listed):
    with pytest.raises(RequestError) as refused:
        planned(videos_per_gpu=8, augment={"num_repeats": 3})
    assert str(refused.value) == (
        "fit(): augment.num_repeats: does not divide the 8 clips of a batch (got 3). "
        "Choose one that does, or set videos_per_gpu to a multiple of 3."
    )
    plan, preset = planned(listed, videos_per_gpu=4, augment={"num_repeats": 2})
    with pytest.raises(RequestError, match="MMAction2 cannot make several views of one decoding"):
        render_config(plan, preset, listed, stock=True)
    dataset = render_config(plan, preset, listed).train_dataloader.dataset
    dataset.pipeline = [step for step in dataset.pipeline if step["type"] != "SampleFrames"]
    with (
        DefaultScope.overwrite_default_scope("mmaction"),
        pytest.raises(RunError, match="has no transform named Sample, which"),
    ):
        DATASETS.build(dataset)


def test_a_run_that_goes_on_keeps_its_views():
    first, other = (planned(videos_per_gpu=8, augment={"num_repeats": count})[0] for count in (2, 4))
    left_out = planned(videos_per_gpu=8)[0]
    assert continue_plan(first, left_out).num_repeats.value == 2
    with pytest.raises(RequestError, match="num_repeats: was 2 when this run began and is now 4"):
        continue_plan(first, other)
    with pytest.raises(RequestError, match="num_repeats: does not divide the 3 clips of a batch"):
        continue_plan(
            planned(videos_per_gpu=6, train={"accumulation": 4}, augment={"num_repeats": 2})[0],
            planned(videos_per_gpu=3, train={"accumulation": 8})[0],
        )


def test_batches_are_shared_out_and_halved_in_whole_draws():
    first = planned(augment={"num_repeats": 4}, train={"learning_rate": 1e-3}, videos_per_gpu=16)[0]
    first = dataclasses.replace(first, videos_per_gpu=dataclasses.replace(first.videos_per_gpu, source="plan"))
    two = dataclasses.replace(samples.CPU, num_processes=2)
    shared = continue_plan(first, planned(hardware=two, train={"learning_rate": 1e-3})[0])
    assert (shared.videos_per_gpu.value * shared.accumulation.value, shared.videos_per_gpu.value % 4) == (8, 0)
    trouble = GpuMemoryError(Problem("training", "no memory", "Lower videos_per_gpu", ""))
    halved = recover(recover(first, trouble), trouble)
    assert (halved.videos_per_gpu.value, halved.accumulation.value) == (4, 4)
    with pytest.raises(GpuMemoryError, match="not even one video"):
        recover(halved, trouble)
