from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.errors import RequestError
from autox_video.plan.make_predict_plan import make_predict_plan
from autox_video.plan.make_test_plan import make_test_plan
from autox_video.plan.resume import continue_plan
from autox_video.plan.schema import Plan, in_words
from autox_video.records import build_record, read_record, write_record


def test_every_decision_has_a_value_a_source_and_a_reason():
    for hardware in (samples.CPU, samples.GPU):
        plan, _ = samples.plan(hardware)
        for name, decision in plan.decisions().items():
            assert decision.value != "auto", name
            assert decision.source, name
            assert decision.why, name
            assert not decision.why.endswith("."), name


def test_a_plan_is_a_pure_function_of_its_inputs():
    assert samples.plan()[0] == samples.plan()[0]


def test_plan_json_reads_back_to_the_same_plan(tmp_path):
    plan, _ = samples.plan(samples.GPU, samples.fingerprint(counts={"a": 100, "b": 5}))
    write_record(tmp_path / "plan.json", plan)
    assert read_record(tmp_path / "plan.json", Plan) == plan
    assert build_record(dataclasses.asdict(plan), Plan) == plan


def test_the_total_batch_counts_gpus_and_accumulation():
    plan, _ = samples.plan(dataclasses.replace(samples.GPU, num_gpus=4), videos_per_gpu=8, train={"accumulation": 2})
    assert plan.total_batch_size.value == 64
    assert plan.total_batch_size.why == "8 videos x 4 device(s) x 2 accumulated"


def test_the_total_batch_does_not_grow_with_the_number_of_gpus():
    data = samples.fingerprint(counts={"a": 5000, "b": 5000})
    one, _ = samples.plan(dataclasses.replace(samples.GPU, gpu_memory_gib=80), data, model="video_swin_tiny")
    four, _ = samples.plan(
        dataclasses.replace(samples.GPU, gpu_memory_gib=80, num_gpus=4), data, model="video_swin_tiny"
    )
    assert one.total_batch_size.value == four.total_batch_size.value == 64


def test_a_clip_that_the_network_cannot_take_is_refused():
    with pytest.raises(RequestError) as caught:
        samples.plan(clip={"clip_len": 7})
    assert str(caught.value) == ("fit(): clip.clip_len: must be a multiple of 2 for video_swin_nano (got 7). Choose 6.")


def test_a_resumed_run_keeps_what_was_not_asked_for():
    first, _ = samples.plan()
    now, _ = samples.plan(data=samples.fingerprint(counts={"run": 400, "jump": 400}, fps=30.0))
    assert now.frame_interval.value != first.frame_interval.value
    merged = continue_plan(first, now)
    assert merged.frame_interval == first.frame_interval
    assert merged.learning_rate == first.learning_rate
    assert merged.num_videos["train"] == 800


def test_a_resumed_run_with_other_workers_keeps_its_threads_unless_the_machine_is_another():
    first, _ = samples.plan(runtime={"workers": 0})
    now, _ = samples.plan(runtime={"workers": 1})
    assert (first.threads.value, now.threads.value) == (2, 1)
    assert continue_plan(first, now).threads.value == 2
    elsewhere = dataclasses.replace(now, hardware=dataclasses.replace(now.hardware, num_cpus=8))
    assert continue_plan(first, elsewhere).threads.value == 1


def test_a_resumed_run_may_have_more_epochs():
    first, _ = samples.plan(epoch=3)
    now, _ = samples.plan(epoch=5)
    assert continue_plan(first, now).epochs.value == 5


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"clip": {"clip_len": 16}}, "clip.clip_len: was 8 when this run began and is now 16."),
        (
            {"model": {"name": "video_swin_tiny", "load_from": "none"}},
            "model.name: was video_swin_nano when this run began and is now video_swin_tiny.",
        ),
        ({"videos_per_gpu": 4}, "total_batch_size: was 16 when this run began and is now 4."),
        ({"train": {"learning_rate": 0.5}}, "learning_rate: was 0.002 when this run began and is now 0.5."),
        ({"runtime": {"seed": 7}}, "seed: was 0 when this run began and is now 7."),
    ],
)
def test_what_a_run_is_bound_to_cannot_change_under_it(asked, problem):
    first, _ = samples.plan(videos_per_gpu=16, train={"learning_rate": 0.002})
    now, _ = samples.plan(**{"videos_per_gpu": 16, "train": {"learning_rate": 0.002}, **asked})
    with pytest.raises(RequestError) as caught:
        continue_plan(first, now)
    ways_out = "Put it back, or start anew: --fresh archives this run, another work_dir keeps both."
    assert any(text.endswith(f"{problem} {ways_out}") for text in map(str, caught.value.problems))


def test_other_classes_are_another_run():
    first, _ = samples.plan()
    now, _ = samples.plan(data=samples.fingerprint(counts={"run": 100, "swim": 100}))
    with pytest.raises(RequestError) as caught:
        continue_plan(first, now)
    assert str(caught.value).startswith("classes: was run, jump when this run began and is now run, swim.")


def test_a_test_plan_keeps_the_trained_clip_and_takes_the_new_data():
    trained, preset = samples.plan(data=samples.fingerprint(fps=30.0))
    data = dataclasses.replace(samples.fingerprint(fps=10.0, seconds=20), data_root="/elsewhere")
    asked = samples.settings(test={"num_clips": 5})
    decided = make_test_plan(trained, asked, data, preset, samples.CPU)
    assert (decided.clip_len, decided.frame_interval) == (trained.clip_len, trained.frame_interval)
    assert (decided.data_root, list(decided.ann_files)) == ("/elsewhere", ["test"])
    assert decided.test_num_clips.value == 5


def test_a_gpu_without_bfloat16_scores_in_float32():
    trained, _ = samples.plan(samples.GPU)
    assert make_predict_plan(trained, samples.GPU).scoring_amp.value == "bfloat16"
    older = dataclasses.replace(samples.GPU, bfloat16=False)
    assert make_predict_plan(trained, older).scoring_amp.value == "off"
    assert make_predict_plan(trained, samples.CPU).scoring_amp.value == "off"


def test_a_test_with_another_clip_than_the_trained_one_is_refused():
    trained, preset = samples.plan()
    asked = samples.settings(clip={"frame_interval": 1})
    with pytest.raises(RequestError) as caught:
        make_test_plan(trained, asked, samples.fingerprint(), preset, samples.CPU)
    assert str(caught.value) == (
        "fit(): clip.frame_interval: the checkpoint was trained with 6, the settings now ask for something else (got 1). "
        "Remove the key, or train anew in another work_dir."
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "none"), ((), "none"), (True, "true"), (1e-3, "0.001"), (8, "8"), (("a", 1), "('a', 1)")],
)
def test_values_are_shown_in_the_words_of_config_yaml(value: object, words: str) -> None:
    assert in_words(value) == words
