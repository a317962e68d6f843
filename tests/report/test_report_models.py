from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import runs

from autox_video.plan.rules.batch import gpu_room_gib, training_memory_gib
from autox_video.presets import Card, Preset, load_preset, preset_names, wheel_names
from autox_video.report.models import COLUMNS, GPU_SIZES_GIB, card_lines, model_lines, smallest_gpu_gib

TINY = load_preset("video_swin_tiny")


def test_every_preset_has_a_row_and_the_least_work_comes_first() -> None:
    shown = runs.run_cli("models").splitlines()
    names = [line.split()[0] for line in shown[1 : shown.index("")]]
    assert sorted(names) == sorted(preset_names())
    flops = [load_preset(name).card.flops for name in names]
    assert flops == sorted(flops)


def test_all_are_those_of_the_index_too() -> None:
    shown = runs.run_cli("models", "--all").splitlines()
    names = [line.split()[0] for line in shown[1 : shown.index("")]]
    assert sorted(names) == sorted([*preset_names(), *wheel_names()])
    assert "mmaction::slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb" in names
    (largest,) = {line for line in shown if "uniformerv2-large-p14-res336_clip-pre_u8_kinetics710-rgb" in line}
    assert largest.split()[1:6] == ["354.7", "6268", "32x336", "-", "Kinetics-710"]


def test_the_columns_stand_below_their_headings() -> None:
    head, nano, tiny, *_ = model_lines([TINY, load_preset("video_swin_nano")])
    assert head.split("  ")[0] == "model"
    for name, value in [("clip", "32x224"), ("on", "Kinetics-400"), ("licence", "Apache-2.0")]:
        assert tiny.index(value) == head.index(name)
    for name, value in [("M params", "28.2"), ("GFLOPs", "88"), ("top-1", "0.789"), ("step GiB", "2.9")]:
        assert tiny.index(value) + len(value) == head.index(name) + len(name)
    assert nano.split()[-2:] == ["4", "Apache-2.0"]
    assert "no weights" in nano
    assert all(name in head for name in COLUMNS)


def test_one_name_shows_all_of_its_card() -> None:
    shown = runs.run_cli("models", "video_swin_base").splitlines()
    assert shown[0] == f"video_swin_base: {load_preset('video_swin_base').card.summary}"
    assert "parameters  88.05 M with 400 classes" in shown
    assert "a view      282 G multiply-adds (published: MMAction2 model index)" in shown
    assert "clip        32 frames of 224 px, spread over 2.1 s at most" in shown
    weights = [line for line in shown if line.startswith("weights")]
    assert weights == [
        "weights     kinetics400: Kinetics-400, after ImageNet-1K, 400 classes, top-1 0.806 (MMAction2 model index); taken by itself",
        "weights     kinetics600: Kinetics-600, after ImageNet-22K, 600 classes, top-1 0.840 (Video-Swin-Transformer model zoo)",
    ]
    assert {line.strip() for line in shown if "https://" in line} >= {
        weights.url for weights in load_preset("video_swin_base").card.weights.values()
    }


def test_a_name_that_is_none_is_refused() -> None:
    shown = runs.run_cli("models", "video_swin_bse", code=2)
    assert shown == "model.name: there is no such preset (got 'video_swin_bse'). Did you mean 'video_swin_base'.\n"


def changed(**facts: object) -> Card:
    return dataclasses.replace(TINY.card, **facts)  # type: ignore[arg-type]


def test_the_smallest_gpu_holds_a_step_and_the_next_smaller_one_does_not() -> None:
    for name in preset_names():
        card = load_preset(name).card
        size = smallest_gpu_gib(card)
        assert size is not None
        needed = training_memory_gib(card, card.clip_len, card.input_size, 1)
        smaller = max((one for one in GPU_SIZES_GIB if one < size), default=0)
        assert gpu_room_gib(smaller) < needed <= gpu_room_gib(size)
    huge = changed(activation_gib=500.0)
    assert smallest_gpu_gib(huge) is None
    assert "  > 141  " in model_lines([Preset("huge", huge, TINY.model)])[1]


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"fixed_clip_len": True, "fixed_input_size": True}, "clip        32 frames (no other length) of 224 px (no other size), spread over 2.1 s at most"),
        ({"sampling": "segments", "clip_len": 8}, "clip        8 frames of 224 px, one from each of as many parts of the video"),
        ({"optimizer": "sgd", "backbone_lr_mult": 1.0}, "learning    sgd, 0.001 at 64 videos a step; 30 epochs, 1000 steps at least"),
        ({"layer_decay": 0.75}, "learning    adamw, 0.001 at 64 videos a step, x 0.75 a layer below; 30 epochs, 1000 steps at least"),
        ({"weights": {}, "default_weights": None}, "weights     none: it trains from scratch"),
    ],
)  # fmt: skip
def test_a_card_says_how_its_model_samples_and_learns(facts: dict[str, object], line: str) -> None:
    assert line in card_lines(Preset("it", changed(**facts), TINY.model))


def test_comparing_models_needs_no_torch() -> None:
    code = (
        "import sys; from autox_video.cli import main; main(['models']); "
        "assert not {'torch', 'mmaction', 'mmcv'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
