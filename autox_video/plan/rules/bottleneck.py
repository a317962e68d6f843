"""What holds a training up, and what would help: a sentence for people."""

from __future__ import annotations

from autox_video.dataset.messages import plural
from autox_video.plan.rules.cache import side_for
from autox_video.plan.rules.costs import ClipShape, prepare_seconds
from autox_video.plan.rules.workers import SHM
from autox_video.plan.schema import Plan
from autox_video.proxies.sizes import is_worthwhile

# Below this share of the time the network is what a training waits for.
LEAST_WAIT = 0.2
# What makes an epoch less than so many times shorter is not worth telling.
LEAST_GAIN = 1.2


def bottleneck(plan: Plan, data_wait: float) -> str:
    """Name what takes the time of a training.

    Args:
        plan: Of the run.
        data_wait: Share of the time that it waited for data, in [0, 1].
    """
    if data_wait < LEAST_WAIT:
        return f"computing {100 * (1 - data_wait):.0f} % of the time: the network is what takes it"
    return f"waiting for data {100 * data_wait:.0f} % of the time: {_what(plan)}; {_advice(plan, data_wait)}"


def _what(plan: Plan) -> str:
    if plan.cache.value == "proxy":
        kind = "proxies are decoded"
    else:
        kind = f"{plan.decode_cost.height_px}p videos are decoded" if plan.decode_cost else "videos are decoded"
    if plan.workers.value == 0:
        return f"{kind} by the process that trains"
    processes = plural(plan.workers.value * plan.hardware.devices_per_machine, "process")
    return f"{kind} by {processes} on {plural(plan.hardware.num_cpus, 'core')}"


def _advice(plan: Plan, data_wait: float) -> str:
    if SHM in (plan.workers.source, plan.prefetch.source):
        return "more shared memory would let more processes decode (docker run --shm-size=8g)"
    spare = plan.hardware.num_cpus // plan.hardware.devices_per_machine - 1
    if plan.workers.source not in ("hardware", "default") and plan.workers.value < spare:
        return "leave runtime.workers out, and more processes decode"
    if plan.cache.value == "off" and (gain := _gain_of_proxies(plan, data_wait)) >= LEAST_GAIN:
        times = f"{gain:.{int(gain < 10)}f} times"
        return f"the proxy cache would make an epoch {times} shorter (data.cache: proxy)"
    return "more cores would help"


def _gain_of_proxies(plan: Plan, data_wait: float) -> float:
    """How many times shorter an epoch would be that reads proxies; the network takes no less than it does now."""
    side = side_for(plan)
    if plan.decode_cost is None or not is_worthwhile(plan.decode_cost.height_px, side):
        return 1.0
    shape = ClipShape(plan.clip_len.value, plan.frame_interval.value, plan.input_size.value)
    before, after = (
        prepare_seconds(plan.decode_cost, shape, views=plan.num_repeats.value, proxy_side=proxies)
        for proxies in (None, side)
    )
    ratio = after / before
    if plan.workers.value == 0:
        return 1 / (1 - data_wait + data_wait * ratio)
    return 1 / max(1 - data_wait, ratio)
