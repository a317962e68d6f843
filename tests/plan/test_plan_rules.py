from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.errors import RequestError
from autox_video.plan.rules import batch, clip, model, schedule, testing, transfer, workers
from autox_video.plan.schema import Decision
from autox_video.presets import load_preset

NANO = load_preset("video_swin_nano").card
TINY = load_preset("video_swin_tiny").card


@pytest.mark.parametrize(
    ("video_length", "fps", "clip_len", "frame_interval"),
    [
        (2, 24, 8, 6),  # the original tool: video_length * 4 frames at interval 6
        (1, 24, 4, 6),
        (2, 23.976, 8, 6),
        (2, 30, 8, 7),
        (2, 12, 8, 3),
        (100, 30, 32, 93),  # no more frames than the preset has: they lie further apart
        (0.1, 24, 2, 1),
    ],
)
def test_video_length_means_four_frames_a_second(video_length, fps, clip_len, frame_interval):
    asked = samples.settings(video_length=video_length)
    facts = samples.split_facts(fps=fps)
    decided = clip.choose_clip_len(asked, TINY, facts)
    assert decided.value == clip_len
    assert decided.source == "fit()"
    assert clip.choose_frame_interval(asked, TINY, facts, clip_len).value == frame_interval


def test_an_interval_just_short_of_a_whole_number_is_rounded_up():
    facts = samples.split_facts(seconds=2, fps=29.5)
    assert clip.choose_frame_interval(samples.settings(), TINY, facts, 32).value == 2


@pytest.mark.parametrize(
    ("seconds", "fps", "frame_interval"),
    [(2, 24, 6), (4, 24, 12), (60, 24, 12), (2, 60, 15), (0.2, 24, 1)],
)
def test_without_video_length_a_clip_covers_the_median_video_up_to_what_the_preset_spreads(
    seconds, fps, frame_interval
):
    facts = samples.split_facts(seconds=seconds, fps=fps)
    assert clip.choose_frame_interval(samples.settings(), NANO, facts, 8).value == frame_interval


def test_short_videos_shorten_the_clip():
    decided = clip.choose_clip_len(samples.settings(), TINY, samples.split_facts(seconds=0.625, fps=24))
    assert (decided.value, decided.source) == (14, "data")


def test_an_asked_value_goes_first_and_names_its_place():
    asked = samples.settings(clip={"clip_len": 16, "frame_interval": 3, "input_size": 96})
    facts = samples.split_facts()
    for decided, value in [
        (clip.choose_clip_len(asked, NANO, facts), 16),
        (clip.choose_frame_interval(asked, NANO, facts, 16), 3),
        (clip.choose_input_size(asked, NANO, facts, pretrained=False), 96),
    ]:
        assert (decided.value, decided.source, decided.why) == (value, "fit()", "as asked")


@pytest.mark.parametrize(
    ("size", "pretrained", "side"),
    [
        ((64, 64), False, 64),
        ((320, 240), False, 128),
        ((100, 90), False, 80),
        ((20, 20), False, 32),
        ((64, 64), True, 128),
    ],
)
def test_a_model_from_scratch_sees_no_more_pixels_than_there_are(size, pretrained, side):
    facts = samples.split_facts(size=size)
    assert clip.choose_input_size(samples.settings(), NANO, facts, pretrained).value == side


def test_load_from_becomes_an_address_a_path_or_none():
    base = load_preset("video_swin_base")
    url = base.card.weights["kinetics600"].url
    assert model.choose_load_from(samples.settings(model={"load_from": "kinetics600"}), base).value == url
    assert model.choose_load_from(samples.settings(), base).value == base.card.weights["kinetics400"].url
    assert model.choose_load_from(samples.settings(model={"load_from": "/a/b.pth"}), base).value == "/a/b.pth"
    assert model.choose_load_from(samples.settings(model={"load_from": "none"}), base).value == "none"
    scratch = model.choose_load_from(samples.settings(), load_preset("video_swin_nano"))
    assert (scratch.value, scratch.why) == ("none", "video_swin_nano has no pretrained weights: it trains from scratch")


def test_unknown_weights_are_refused_with_the_known_ones():
    with pytest.raises(RequestError) as caught:
        model.choose_load_from(samples.settings(model={"load_from": "imagenet"}), load_preset("video_swin_tiny"))
    assert str(caught.value) == (
        "fit(): model.load_from: is neither auto, none, a path, a URL nor weights that video_swin_tiny knows "
        "(got 'imagenet'). Its weights are: kinetics400."
    )


@pytest.mark.parametrize(
    ("videos", "total", "source"), [(10_000, 64, "preset"), (400, 32, "data"), (100, 8, "data"), (3, 1, "data")]
)
def test_the_total_batch_is_the_recipes_or_leaves_enough_steps(videos, total, source):
    decided = batch.choose_total_batch_size(samples.settings(), TINY, videos, devices=4)
    assert (decided.value, decided.source) == (total, source)


@pytest.mark.parametrize(("gib", "gpus"), [(24, 1), (80, 1), (80, 4), (8, 1), (1, 1)])
def test_the_batch_on_a_gpu_fits_its_memory(gib, gpus):
    hardware = dataclasses.replace(samples.GPU, gpu_memory_gib=gib, num_gpus=gpus)
    decided = batch.choose_videos_per_gpu(samples.settings(), hardware, TINY, 32, 224, 64)
    needed = batch.training_memory_gib(TINY, 32, 224, decided.value)
    assert decided.value == 1 or needed + batch.GPU_RESERVE_GIB <= 0.9 * gib
    twice = batch.training_memory_gib(TINY, 32, 224, 2 * decided.value)
    assert decided.value * gpus == 64 or twice + batch.GPU_RESERVE_GIB > 0.9 * gib


def test_memory_scales_with_clip_and_pixels():
    one = batch.training_memory_gib(TINY, 32, 224, 1) - batch.training_memory_gib(TINY, 32, 224, 0)
    quarter = batch.training_memory_gib(TINY, 8, 224, 1) - batch.training_memory_gib(TINY, 8, 224, 0)
    assert quarter == pytest.approx(one / 4)


@pytest.mark.parametrize(("cpus", "count", "threads"), [(1, 1, 1), (2, 1, 1), (4, 1, 3), (16, 4, 12)])
def test_decoding_and_computing_share_the_cores_of_a_cpu_run(cpus, count, threads):
    hardware = dataclasses.replace(samples.CPU, num_cpus=cpus)
    assert workers.choose_workers(samples.settings(), hardware, 8, 8, 112)[0].value == count
    assert batch.choose_threads(hardware, count).value == threads


@pytest.mark.parametrize(
    ("asked", "hardware", "device", "amp"),
    [
        ({}, samples.GPU, "cuda", "bfloat16"),
        ({}, dataclasses.replace(samples.GPU, bfloat16=False), "cuda", "float16"),
        ({}, samples.CPU, "cpu", "off"),
        ({"train": {"amp": "off"}}, samples.GPU, "cuda", "off"),
        ({}, dataclasses.replace(samples.CPU, cpu_bfloat16=True), "cpu", "bfloat16"),
        ({"train": {"amp": "off"}}, dataclasses.replace(samples.CPU, cpu_bfloat16=True), "cpu", "off"),
        ({"train": {"amp": "float16"}}, dataclasses.replace(samples.CPU, cpu_bfloat16=True), "cpu", "off"),
        ({"train": {"amp": "bfloat16"}}, samples.CPU, "cpu", "bfloat16"),
    ],
)
def test_mixed_precision_follows_the_device(asked, hardware, device, amp):
    chosen = samples.settings(**asked)
    assert batch.choose_device(chosen, hardware).value == device
    assert batch.choose_amp(chosen, hardware, device).value == amp


def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(RequestError) as caught:
        batch.choose_device(samples.settings(runtime={"device": "cuda"}), samples.CPU)
    assert str(caught.value) == (
        "fit(): runtime.device: asks for a GPU, and there is none (got cuda). "
        "Write cpu or auto, or run `autox-video doctor` to see why none is found."
    )


@pytest.mark.parametrize(("batch_size", "rate"), [(64, 1e-3), (8, 1.25e-4), (128, 2e-3)])
def test_the_learning_rate_scales_with_the_total_batch(batch_size, rate):
    assert transfer.choose_learning_rate(samples.settings(), TINY, "adamw", batch_size).value == pytest.approx(rate)


def test_an_asked_learning_rate_is_not_scaled():
    asked = samples.settings(train={"learning_rate": 0.01})
    assert transfer.choose_learning_rate(asked, TINY, "adamw", 8).value == 0.01


def test_small_data_trains_for_more_epochs():
    many = schedule.choose_epochs(samples.settings(), TINY, 10_000, 64)
    few = schedule.choose_epochs(samples.settings(), TINY, 64, 64)
    assert (many.value, many.source) == (TINY.epochs, "preset")
    assert (few.value > TINY.epochs, few.source) == (True, "data")
    assert schedule.choose_warmup_epochs(samples.settings(), TINY, 5).value == 1.0


@pytest.mark.parametrize(
    ("counts", "asked", "balance", "metric"),
    [
        ({"a": 50, "b": 50}, "auto", "none", "top1"),
        ({"a": 49, "b": 10}, "auto", "none", "top1"),
        ({"a": 50, "b": 10}, "auto", "weights", "mean_class_accuracy"),
        ({"a": 50, "b": 10, "c": 0}, "auto", "weights", "mean_class_accuracy"),
        ({"a": 50, "b": 10}, "none", "none", "mean_class_accuracy"),
        ({"a": 50, "b": 50}, "sampler", "sampler", "mean_class_accuracy"),
        ({"a": 50, "b": 50}, "weights", "weights", "mean_class_accuracy"),
    ],
)
def test_uneven_classes_change_the_loss_and_what_is_best(counts, asked, balance, metric):
    settings, facts = samples.settings(data={"balance": asked}), samples.split_facts(counts=counts)
    assert schedule.choose_balance(settings, facts).value == balance
    assert schedule.choose_best_metric(settings, facts).value == metric
    assert (schedule.choose_class_weights(facts, balance).value is not None) == (balance == "weights")


def test_the_plan_says_from_which_ratio_classes_are_balanced():
    even, uneven = samples.split_facts(counts={"a": 49, "b": 10}), samples.split_facts(counts={"a": 50, "b": 10})
    assert schedule.choose_balance(samples.settings(), even).why == (
        "largest to smallest class is 4.9; balancing begins at 5"
    )
    assert schedule.choose_balance(samples.settings(), uneven).why == (
        "the largest class has 5.0 times the videos of the smallest; from 5 on it matters"
    )


def test_balanced_weights_are_inverse_to_the_counts():
    facts = samples.split_facts(counts={"a": 30, "b": 10, "c": 0})
    weights = schedule.choose_class_weights(facts, "weights").value
    assert weights == (0.666667, 2.0, 1.0)


@pytest.mark.parametrize(("seconds", "clips"), [(2, 1), (2.2, 1), (4, 2), (60, 4)])
def test_no_more_test_clips_than_cover_the_video(seconds, clips):
    decided = testing.choose_test_num_clips(samples.settings(), TINY, samples.split_facts(seconds=seconds), 2.0)
    assert decided.value == clips


@pytest.mark.parametrize(("size", "crops"), [((240, 240), 1), ((320, 240), 3)])
def test_square_videos_need_one_crop(size, crops):
    assert testing.choose_test_num_crops(samples.settings(), TINY, samples.split_facts(size=size)).value == crops


def test_accumulation_makes_up_for_a_small_batch():
    assert batch.choose_accumulation(samples.settings(), 64, 2, 10_000).value == 32
    assert batch.choose_accumulation(samples.settings(), 64, 64, 10_000).value == 1
    with pytest.raises(RequestError) as caught:
        batch.choose_accumulation(samples.settings(train={"accumulation": 9}), 72, 8, 20)
    assert str(caught.value) == (
        "fit(): train.accumulation: adds up more batches of 8 than 20 training videos make (got 9). Choose at most 2."
    )


# A clip may need 2.6 GiB, and half of a machine's memory may be used.
@pytest.mark.parametrize(
    ("num_gpus", "cpus", "memory_gib", "views", "threads"),
    [(0, 2, 24, 1, 2), (0, 16, 256, 4, 12), (0, 16, 24, 12, 1), (0, 1, 24, 1, 1), (1, 16, 128, 1, 1)],
)
def test_each_core_scores_a_batch_of_its_own_as_far_as_memory_allows(num_gpus, cpus, memory_gib, views, threads):
    hardware = dataclasses.replace(samples.CPU, num_gpus=num_gpus, num_cpus=cpus, memory_gib=memory_gib)
    assert testing.choose_scoring_threads(hardware, views, 2.6).value == threads


@pytest.mark.parametrize(
    ("videos_per_gpu", "views", "threads", "videos"), [(8, 1, 1, 16), (8, 1, 2, 8), (8, 12, 2, 1), (1, 1, 1, 2)]
)
def test_all_that_is_scored_at_a_time_is_no_more_than_two_training_batches(videos_per_gpu, views, threads, videos):
    assert testing.choose_test_videos_per_gpu(videos_per_gpu, views, threads).value == videos


@pytest.mark.parametrize(
    ("amp", "device", "task", "scoring"),
    [
        ("bfloat16", "cuda", "single_label", "bfloat16"),
        ("float16", "cuda", "single_label", "float16"),
        ("bfloat16", "cuda", "multi_label", "off"),
        ("bfloat16", "cpu", "single_label", "off"),
        ("off", "cuda", "single_label", "off"),
    ],
)
def test_scores_are_rounded_only_where_that_pays_and_changes_no_accuracy(amp, device, task, scoring):
    decided = testing.choose_scoring_amp(Decision(amp, "config.yaml:3", "asked"), device, task)
    assert decided.value == scoring
    assert (decided.source == "config.yaml:3") == (amp == "off")


@pytest.mark.parametrize(("views", "clips", "crops"), [("10x3", 10, 3), ("4x1", 4, 1), ("1x1", 1, 1)])
def test_views_are_short_for_clips_and_crops(views, clips, crops):
    asked, facts = samples.settings(test={"views": views, "num_crops": crops}), samples.split_facts()
    num_clips = testing.choose_test_num_clips(asked, TINY, facts, 2.0)
    num_crops = testing.choose_test_num_crops(asked, TINY, facts)
    assert (num_clips.value, num_crops.value) == (clips, crops)
    assert num_clips.why == num_crops.why == f"as asked: test.views is {views}"


def test_views_that_contradict_clips_or_crops_are_refused():
    asked = samples.settings(test={"views": "10x3", "num_clips": 4})
    with pytest.raises(RequestError) as caught:
        testing.choose_test_num_clips(asked, TINY, samples.split_facts(), 2.0)
    text = "fit(): test.num_clips: contradicts test.views, which is 10x3 (got 4). Keep one of the two."
    assert str(caught.value) == text
