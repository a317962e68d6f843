"""Whether each process holds the whole network, or a share of it."""

from __future__ import annotations

from importlib.metadata import version

from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.batch import gpu_room_gib, training_memory_gib
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision, Hardware
from autox_video.presets import Card
from autox_video.settings.schema import Settings

# The oldest that was seen to do it: among processes on a processor 2.6 and 2.7 fail.
FIRST_TORCH = (2, 8)
# Video Swin Large has 197 million.
LARGE_PARAMETERS = 190_000_000


def choose_strategy(
    settings: Settings, hardware: Hardware, card: Card, clip_len: int, input_size: int
) -> Decision[str]:
    """`ddp`: each process holds the whole network; `fsdp`: each holds a share. Left to us only GPUs share.

    Args:
        settings: What the user asked.
        hardware: The machine; `num_devices` is what the run will use.
        card: The model's.
        clip_len: Frames of a clip.
        input_size: Side of a frame in pixels.

    Raises:
        RequestError: `fsdp` is asked for, with something that cannot be done with shares or by a torch that has none.
    """
    decision = asked(settings, "runtime.strategy")
    devices = hardware.num_devices
    if devices == 1:
        asked_in_vain = "fsdp was asked for, but " if decision and decision.value == "fsdp" else ""
        return Decision("ddp", "hardware", f"{asked_in_vain}one process holds the whole network")
    reasons = _against(settings)
    if decision and decision.value == "fsdp" and reasons:
        where = f"{decision.source}: runtime.strategy"
        raise RequestError([Problem(where, wrong, cure, "fsdp") for wrong, cure in reasons])
    if decision:
        return decision
    if not hardware.num_gpus:
        return Decision("ddp", "default", "processes on a processor share its memory anyway")
    millions = f"{card.num_parameters / 1e6:.0f} million parameters"
    needed = training_memory_gib(card, clip_len, input_size, 1)
    if needed > (room := gpu_room_gib(hardware.gpu_memory_gib)):
        why = f"{millions} and one video take {needed:.2g} GiB, of which a GPU has {room:.2g}: {devices} share them"
    elif card.num_parameters >= LARGE_PARAMETERS:
        why = f"{millions}, with gradients and moments, are shared by {devices} GPUs"
    else:
        return Decision("ddp", "plan", f"{millions} fit on each GPU")
    if reasons:
        return Decision("ddp", "plan", f"shares would suit {millions}, but {reasons[0][0]}")
    return Decision("fsdp", "plan", why)


def shards_of(strategy: str, hardware: Hardware) -> int:
    """How many parts the network is divided into.

    Args:
        strategy: As `choose_strategy` chose it.
        hardware: The machine.
    """
    return hardware.num_devices if strategy == "fsdp" else 1


def _against(settings: Settings) -> list[tuple[str, str]]:
    """What is wrong with shares here, and what to do."""
    found = []
    own = version("torch")
    if tuple(int(part) for part in own.split(".")[:2]) < FIRST_TORCH:
        first = ".".join(map(str, FIRST_TORCH))
        found.append((f"shares need torch {first}, and this is {own}", f"Install torch {first} or newer, or write ddp"))
    if settings.train.ema is not None:
        found.append(("averaged weights (train.ema) are not kept in shares", "Leave one of the two out"))
    if settings.runtime.compile == "on":
        found.append(("a network in shares is not compiled (runtime.compile)", "Leave one of the two out"))
    return found
