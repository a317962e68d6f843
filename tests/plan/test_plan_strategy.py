"""Which runs share one network out among their processes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import samples

from autox_video.deciding import videos_to_try
from autox_video.errors import RequestError
from autox_video.plan.rules import strategy
from autox_video.plan.schema import Plan

TWO = dataclasses.replace(samples.GPU, num_gpus=2)
FOUR_SMALL = dataclasses.replace(samples.GPU, num_gpus=4, gpu_memory_gib=8.0)
TWO_ON_CPU = dataclasses.replace(samples.CPU, num_processes=2)
LARGE = "197 million parameters"


def planned(hardware: Any, model: str, **values: Any) -> Plan:
    return samples.plan(hardware, model=model, **values)[0]


@pytest.mark.parametrize(
    ("hardware", "model", "values", "expected"),
    [
        (samples.GPU, "video_swin_large", {}, ("ddp", "one process holds the whole network")),
        (
            samples.GPU,
            "video_swin_large",
            {"runtime": {"strategy": "fsdp"}},
            ("ddp", "fsdp was asked for, but one process holds the whole network"),
        ),
        (TWO, "video_swin_base", {}, ("ddp", "88 million parameters fit on each GPU")),
        (TWO, "video_swin_base", {"runtime": {"strategy": "fsdp"}}, ("fsdp", "as asked")),
        (TWO, "video_swin_large", {}, ("fsdp", f"{LARGE}, with gradients and moments, are shared by 2 GPUs")),
        (TWO, "video_swin_large", {"runtime": {"strategy": "ddp"}}, ("ddp", "as asked")),
        (
            TWO,
            "video_swin_large",
            {"train": {"ema": 0.999}},
            ("ddp", f"shares would suit {LARGE}, but averaged weights (train.ema) are not kept in shares"),
        ),
        (
            FOUR_SMALL,
            "video_swin_base",
            {"clip": {"clip_len": 32}},
            ("fsdp", "88 million parameters and one video take 6.7 GiB, of which a GPU has 5.7: 4 share them"),
        ),
        (TWO_ON_CPU, "video_swin_large", {}, ("ddp", "processes on a processor share its memory anyway")),
        (TWO_ON_CPU, "video_swin_nano", {"runtime": {"strategy": "fsdp"}}, ("fsdp", "as asked")),
    ],
)
def test_large_networks_are_shared_by_several_gpus(hardware, model, values, expected):
    decided = planned(hardware, model, **values).strategy
    assert (decided.value, decided.why) == expected


def test_what_does_not_go_with_shares_is_refused_in_one_go(monkeypatch):
    monkeypatch.setattr(strategy, "version", lambda package: "2.5.1")
    with pytest.raises(RequestError) as caught:
        planned(TWO, "video_swin_base", runtime={"strategy": "fsdp", "compile": "on"}, train={"ema": 0.999})
    assert str(caught.value).splitlines() == [
        "fit(): runtime.strategy: shares need torch 2.8, and this is 2.5.1 (got fsdp). "
        "Install torch 2.8 or newer, or write ddp.",
        "fit(): runtime.strategy: averaged weights (train.ema) are not kept in shares (got fsdp). "
        "Leave one of the two out.",
        "fit(): runtime.strategy: a network in shares is not compiled (runtime.compile) (got fsdp). "
        "Leave one of the two out.",
    ]


def test_a_torch_without_shares_trains_with_the_whole_network(monkeypatch):
    monkeypatch.setattr(strategy, "version", lambda package: "2.4.0")
    decided = planned(TWO, "video_swin_large").strategy
    assert decided.why == f"shares would suit {LARGE}, but shares need torch 2.8, and this is 2.4.0"


def test_a_shared_network_leaves_room_for_more_videos():
    tight = dataclasses.replace(TWO, gpu_memory_gib=22.5)
    whole, shared = (planned(tight, "video_swin_large", runtime={"strategy": one}) for one in ("ddp", "fsdp"))
    assert whole.videos_per_gpu.why.endswith("; estimated, measured when training begins")
    assert shared.videos_per_gpu.why.endswith("the model 2.2; 18.8 GiB of the GPU may be used; estimated")
    assert shared.videos_per_gpu.value > whole.videos_per_gpu.value
    assert shared.total_batch_size == whole.total_batch_size
    # A trial is one process, which would hold the whole network.
    settings = samples.settings(model="video_swin_large")
    preset = samples.plan(tight, model="video_swin_large")[1]
    assert videos_to_try(settings, whole, preset) is not None
    assert videos_to_try(settings, shared, preset) is None


def test_a_shared_network_is_not_compiled():
    assert planned(TWO, "video_swin_large").compile.why == "a network in shares is not compiled"
