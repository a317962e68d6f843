from __future__ import annotations

import dataclasses

import pytest
import samples

from autox_video.dataset.facts import DecodeCost
from autox_video.plan.make_plan import make_plan
from autox_video.plan.rules.bottleneck import bottleneck
from autox_video.plan.schema import Decision, Hardware, Plan
from autox_video.presets import load_preset

FULL_HD, SMALL = DecodeCost(15e-3, 1080, 6), DecodeCost(3e-4, 128, 6)
FEW_CORES = dataclasses.replace(samples.GPU, num_cpus=4)


def plan(hardware: Hardware, cost: DecodeCost | None, **given) -> Plan:
    asked = {"clip": {"clip_len": 8, "input_size": 112}, "data": {"cache": "off"}} | given
    facts = dataclasses.replace(samples.fingerprint(), decode_cost=cost)
    preset = load_preset("video_swin_small" if hardware.num_gpus else "video_swin_nano")
    return make_plan(samples.settings(**asked), facts, preset, hardware)


CPU_HD, CPU_SMALL = (
    "1080p videos are decoded by 2 processes on 2 cores",
    "128p videos are decoded by 1 process on 2 cores",
)
MORE_CORES = "more cores would help"


@pytest.mark.parametrize(
    ("hardware", "cost", "given", "wait", "sentence"),
    [
        (samples.CPU, FULL_HD, {}, 0.62, f"waiting for data 62 % of the time: {CPU_HD}; "
         "the proxy cache would make an epoch 2.6 times shorter (data.cache: proxy)"),
        (samples.CPU, FULL_HD, {}, 0.98, f"waiting for data 98 % of the time: {CPU_HD}; "
         "the proxy cache would make an epoch 50 times shorter (data.cache: proxy)"),
        (samples.CPU, FULL_HD, {"runtime": {"workers": 0}}, 0.5, "waiting for data 50 % of the time: 1080p videos are "
         "decoded by the process that trains; leave runtime.workers out, and more processes decode"),
        (samples.CPU, SMALL, {}, 0.3, f"waiting for data 30 % of the time: {CPU_SMALL}; {MORE_CORES}"),
        (samples.CPU, None, {}, 0.3, "waiting for data 30 % of the time: videos are decoded by 1 process on 2 cores; "
         f"{MORE_CORES}"),
        (samples.CPU, FULL_HD, {"data": {"cache": "proxy"}}, 0.3, "waiting for data 30 % of the time: proxies are "
         f"decoded by 1 process on 2 cores; {MORE_CORES}"),
        (FEW_CORES, FULL_HD, {"runtime": {"workers": 2}}, 0.9, "waiting for data 90 % of the time: 1080p videos are "
         "decoded by 2 processes on 4 cores; leave runtime.workers out, and more processes decode"),
        (dataclasses.replace(FEW_CORES, shm_gib=0.01), FULL_HD, {}, 0.9, "waiting for data 90 % of the time: 1080p "
         "videos are decoded by the process that trains; "
         "more shared memory would let more processes decode (docker run --shm-size=8g)"),
        (samples.CPU, FULL_HD, {}, 0.05, "computing 95 % of the time: the network is what takes it"),
    ],
)  # fmt: skip
def test_what_takes_the_time_is_named_with_what_would_help(hardware, cost, given, wait, sentence):
    assert bottleneck(plan(hardware, cost, **given), wait) == sentence


def test_an_epoch_that_decodes_in_the_training_process_gains_what_decoding_takes_of_it():
    one_core = dataclasses.replace(samples.CPU, num_cpus=1)
    assert bottleneck(plan(one_core, FULL_HD), 0.9).endswith("an epoch 9.4 times shorter (data.cache: proxy)")


def test_on_a_cpu_proxies_leave_cores_for_the_network():
    cores = dataclasses.replace(samples.CPU, num_cpus=16)
    without, proxies = plan(cores, FULL_HD), plan(cores, FULL_HD, data={"cache": "proxy"})
    assert proxies.cache.value == "proxy"
    assert without.workers.value == 16
    assert proxies.workers.value < without.workers.value
    assert proxies.threads.value == 16 - proxies.workers.value


def test_on_a_gpu_the_first_epoch_decides_on_the_processes():
    without, proxies = plan(samples.GPU, FULL_HD), plan(samples.GPU, FULL_HD, data={"cache": "proxy"})
    assert proxies.workers == without.workers == Decision(15, "hardware", without.workers.why)
