"""Which model `model: auto` is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import samples

from autox_video.deciding import decide
from autox_video.errors import RequestError
from autox_video.plan.resume import continue_plan
from autox_video.plan.rules import auto_model
from autox_video.plan.rules.auto_model import training_hours
from autox_video.plan.rules.model import choose_model
from autox_video.plan.schema import Decision, Hardware
from autox_video.presets import Card, Preset, load_preset, preset_names

LEVELS = ("fast", "balanced", "best")
NANO, TINY = (load_preset(f"video_swin_{name}") for name in ("nano", "tiny"))
WEIGHTS = TINY.card.weights["kinetics400"]
TRAIN = samples.split_facts()


def gpu(gib: float, count: int = 1) -> Hardware:
    return dataclasses.replace(samples.GPU, gpu_memory_gib=gib, num_gpus=count)


def chosen(hardware: Hardware = samples.CPU, videos: int = 200, seconds: float = 2.0, **values: Any) -> Decision[str]:
    facts = samples.split_facts(counts={"run": videos // 2, "jump": videos // 2}, seconds=seconds)
    return choose_model(samples.settings(**values), facts, hardware)


def card(top1: float, gflops: float, **facts: Any) -> Card:
    weights = {"kinetics400": dataclasses.replace(WEIGHTS, top1=top1)}
    values = {"weights": weights, "default_weights": "kinetics400", "flops": gflops * 1e9, "gpu_levels": {}, **facts}
    return dataclasses.replace(TINY.card, **values)


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards of made-up models: what is chosen does not change with the next preset."""
    on_cpu = {"clip_len": 8, "input_size": 112, "clip_len_multiple": 1}
    made = {
        "scratch": dataclasses.replace(NANO.card, cpu_levels=LEVELS),
        "light": card(0.73, 2.0, cpu_levels=("balanced", "best"), core_rate=6e9, **on_cpu),
        "strong": card(0.80, 40.0, cpu_levels=("best",), **on_cpu),
        "whole": card(0.86, 148.0, gpu_levels={"best": 8}, fixed_clip_len=True, fixed_input_size=True),
        "small": card(0.81, 42.0, gpu_levels={"fast": 0, "balanced": 22}),
        "tiny": card(0.79, 88.0, gpu_levels={"fast": 0, "balanced": 0, "best": 0}),
        "large": card(0.83, 604.0, gpu_levels={"best": 24}),
    }
    monkeypatch.setattr(auto_model, "preset_names", lambda: tuple(made))
    monkeypatch.setattr(auto_model, "load_preset", lambda name: Preset(name, made[name], TINY.model))


@pytest.mark.parametrize(
    ("gib", "name"), [(4, "video_swin_tiny"), (12, "video_swin_tiny"), (24, "video_swin_small"), (80, "video_swin_base")]
)  # fmt: skip
def test_balanced_grows_with_the_gpu(gib: float, name: str) -> None:
    assert chosen(gpu(gib)).value == name
    assert chosen(gpu(gib), preset="balanced").value == name


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_a_model_for_every_machine(level: str) -> None:
    for hardware in (samples.CPU, gpu(4), gpu(24), gpu(80, 8)):
        for seconds in (0.2, 2.0, 600.0):
            assert chosen(hardware, seconds=seconds, preset=level).value in preset_names()
            assert chosen(hardware, videos=10_000_000, preset=level).value in preset_names()


@pytest.mark.parametrize("level", LEVELS)
def test_without_weights_a_cpu_trains_what_needs_none(level: str) -> None:
    for load_from in ("none", "/a/b.pth", "https://host/file.pth"):
        decided = chosen(model={"load_from": load_from}, preset=level)
        assert decided.value == "video_swin_nano"
        assert decided.why.startswith("no GPU, and no weights of a preset are to be loaded; about ")


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize(
    ("hardware", "values", "name"),
    [
        (samples.CPU, {}, "light"),
        (samples.CPU, {"preset": "fast"}, "scratch"),
        (samples.CPU, {"preset": "best"}, "strong"),
        # What takes too long is passed over; where all do, the one that takes least is left.
        (samples.CPU, {"videos": 20_000}, "scratch"),
        (samples.CPU, {"videos": 20_000, "preset": "best"}, "scratch"),
        (samples.CPU, {"videos": 3_000, "preset": "best"}, "light"),
        (dataclasses.replace(samples.CPU, num_cpus=64), {"videos": 20_000}, "light"),
        (gpu(12), {}, "tiny"),
        (gpu(24), {}, "small"),
        (gpu(24), {"preset": "fast"}, "small"),
        (gpu(4), {"preset": "best"}, "tiny"),
        (gpu(24), {"preset": "best"}, "whole"),
        # A network that takes clips of one length only is not for videos that are shorter, nor for other clips.
        (gpu(24), {"preset": "best", "seconds": 1.0}, "large"),
        (gpu(24), {"preset": "best", "video_length": 2}, "large"),
        (gpu(24), {"preset": "best", "clip": {"clip_len": 16}}, "large"),
        (gpu(24), {"preset": "best", "clip": {"clip_len": 32, "input_size": 112}}, "large"),
        (gpu(24), {"preset": "best", "clip": {"clip_len": 32, "input_size": 224}}, "whole"),
        # Data that no GPU could learn from in two days; eight could.
        (gpu(24), {"preset": "best", "videos": 10_000_000, "seconds": 1.0}, "tiny"),
        (gpu(24, 8), {"preset": "best", "videos": 10_000_000, "seconds": 1.0}, "large"),
    ],
)
def test_data_machine_and_level_choose(hardware: Hardware, values: dict[str, Any], name: str) -> None:
    assert chosen(hardware, **{"seconds": 2.0, **values}).value == name


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize(
    ("hardware", "values", "source", "why"),
    [
        (gpu(24), {}, "hardware", "the highest published top-1 (0.810) of what `preset: balanced` considers on a GPU of 24 GiB"),
        (gpu(12), {"preset": "fast"}, "fit()", "the least work of what `preset: fast` considers on a GPU of 12 GiB"),
        (
            samples.CPU,
            {},
            "hardware",
            "the highest published top-1 (0.730) of what `preset: balanced` considers on 2 CPU cores; about 4.3 h of computing",
        ),
        (
            samples.CPU,
            {"videos": 20_000},
            "hardware",
            "all there is of what `preset: balanced` considers on 2 CPU cores, of those that learn from 20000 videos in 12 h; about 3.9 h of computing",
        ),
        (
            samples.CPU,
            {"videos": 200_000},
            "data",
            "of what `preset: balanced` considers on 2 CPU cores nothing learns from 200000 videos in 12 h, and this takes least; about 39 h of computing",
        ),
    ],
)  # fmt: skip
def test_the_reason_is_a_sentence(hardware: Hardware, values: dict[str, Any], source: str, why: str) -> None:
    decided = chosen(hardware, **values)
    assert (decided.source, decided.why) == (source, why)


@pytest.mark.usefixtures("cards")
def test_weights_that_are_asked_for_by_name_choose_among_the_models_that_have_them() -> None:
    assert chosen(gpu(24), model={"load_from": "kinetics400"}).value == "small"
    assert chosen(model={"load_from": "kinetics400"}, preset="best").value == "strong"


def test_a_named_model_is_taken_and_a_level_beside_it_is_said_to_be_ignored() -> None:
    assert chosen(model="video_swin_large") == Decision("video_swin_large", "fit()", "as asked")
    assert chosen(model="video_swin_large", preset="auto").why == "as asked"
    assert chosen(model="video_swin_large", preset="fast").why == (
        "as asked; preset: fast is ignored, since it chooses only where no model is named"
    )


def test_hours_grow_with_the_videos_and_shrink_with_the_cores() -> None:
    asked, few = samples.settings(epoch=10), samples.split_facts(counts={"a": 100, "b": 100})
    many = samples.split_facts(counts={"a": 1000, "b": 1000})
    one = training_hours(asked, NANO.card, few, samples.CPU)
    assert training_hours(asked, NANO.card, many, samples.CPU) == pytest.approx(10 * one)
    more_cores = dataclasses.replace(samples.CPU, num_cpus=9)  # one decodes
    assert training_hours(asked, NANO.card, few, more_cores) == pytest.approx(one / 8)
    slower = dataclasses.replace(NANO.card, core_rate=NANO.card.core_rate / 3)
    assert training_hours(asked, slower, few, samples.CPU) == pytest.approx(3 * one)


def test_a_run_that_goes_on_keeps_its_model_whatever_would_be_chosen_now() -> None:
    data = samples.fingerprint()
    first, _ = decide(samples.settings(), data, gpu(24))
    assert first.model.value == "video_swin_small"
    now, preset = decide(samples.settings(), data, gpu(80), begun=first)
    assert (preset.name, now.model) == ("video_swin_small", first.model)
    assert continue_plan(first, now).model == first.model


def test_another_level_is_another_run_where_it_chooses_another_model() -> None:
    data = samples.fingerprint()
    first, _ = decide(samples.settings(), data, gpu(80))
    now, _ = decide(samples.settings(preset="fast"), data, gpu(80), begun=first)
    with pytest.raises(RequestError) as caught:
        continue_plan(first, now)
    assert str(caught.value.problems[0]).startswith(
        f"model.name: was video_swin_base when this run began and is now {now.model.value}."
    )


def test_a_run_of_an_older_version_keeps_its_model_too() -> None:
    data = samples.fingerprint()
    older, _ = samples.plan(samples.CPU, data)
    assert older.preset == Decision("balanced", "default", "accuracy and time both count")
    older = dataclasses.replace(older, preset=Decision("balanced", "default", "not planned"))
    assert decide(samples.settings(), data, samples.CPU, begun=older)[0].model == older.model
