"""Device, number format, batch and threads: what the machine decides."""

from __future__ import annotations

from autox_video.errors import Problem, RequestError
from autox_video.plan.measured import SOURCE, Measured
from autox_video.plan.rules.common import asked
from autox_video.plan.schema import Decision, Hardware
from autox_video.presets import Card
from autox_video.settings.schema import AUTO, Settings

MIN_STEPS_PER_EPOCH = 8
# Weights, gradients and the two moments of AdamW, all float32.
BYTES_PER_PARAMETER = 16
# On a device that holds a shard: validation gathers all weights, a step those of some blocks with their gradients.
GATHERED_BYTES = 4
GIB = 2**30
# What the CUDA context, cuDNN's workspaces and fragmentation take besides the model.
GPU_RESERVE_GIB = 1.5
GPU_SHARE = 0.9
CPU_SHARE = 0.5


def choose_device(settings: Settings, hardware: Hardware) -> Decision[str]:
    """Where to compute.

    Raises:
        RequestError: CUDA is asked for on a machine without a GPU.
    """
    if decision := asked(settings, "runtime.device"):
        if decision.value == "cuda" and hardware.num_gpus == 0:
            raise RequestError(
                Problem(
                    f"{decision.source}: runtime.device",
                    "asks for a GPU, and there is none",
                    "Write cpu or auto, or run `autox-video doctor` to see why none is found",
                    "cuda",
                )
            )
        return decision
    if hardware.num_gpus == 0:
        return Decision("cpu", "hardware", "no NVIDIA GPU is visible")
    return Decision("cuda", "hardware", f"{hardware.num_gpus} x {hardware.gpu_name or 'GPU'}")


def choose_amp(settings: Settings, hardware: Hardware, device: str) -> Decision[str]:
    """Number format of mixed precision: off, float16 or bfloat16."""
    decision = asked(settings, "train.amp")
    if decision and device == "cpu" and decision.value == "float16":
        return Decision("off", "hardware", "float16 was asked for, but needs a GPU")
    if decision:
        return decision
    if device == "cpu":
        if hardware.cpu_bfloat16:
            return Decision("bfloat16", "hardware", "this processor multiplies it at twice the rate of float32")
        return Decision("off", "hardware", "this processor has no bfloat16 in hardware")
    if hardware.bfloat16:
        return Decision("bfloat16", "hardware", "this GPU computes it natively, and it needs no loss scaling")
    return Decision("float16", "hardware", "this GPU has no bfloat16")


def training_memory_gib(card: Card, clip_len: int, input_size: int, videos: int, shards: int = 1) -> float:
    """Memory of one training step in GiB: parameters with gradients and moments, and what autograd keeps.

    The activation figure of the card is measured in float32 at the card's clip. Feature maps of convolutions, and of
    attention within windows, grow linearly with clip_len x input_size^2, be the frames one clip or single ones.
    Attention over a whole clip grows faster; most networks that have it take the card's clip alone. SGD keeps one
    moment less than is counted. Of `shards`, one is on each device, and what is gathered for a while.
    """
    scale = clip_len * input_size**2 / (card.clip_len * card.input_size**2)
    gathered = 0.0 if shards == 1 else GATHERED_BYTES
    each = BYTES_PER_PARAMETER / shards + gathered
    return each * card.num_parameters / GIB + card.activation_gib * scale * videos


def gpu_room_gib(memory_gib: float) -> float:
    """What a training step may take of a GPU, in GiB."""
    return GPU_SHARE * memory_gib - GPU_RESERVE_GIB


def choose_total_batch_size(settings: Settings, card: Card, num_train_videos: int, devices: int) -> Decision[int]:
    """Videos a step of the optimizer. Left to us it depends on neither the number of GPUs nor their memory."""
    if decision := asked(settings, "videos_per_gpu"):
        accumulation = 1 if settings.train.accumulation == AUTO else settings.train.accumulation
        value = decision.value * devices * accumulation
        why = f"{decision.value} videos x {devices} device(s) x {accumulation} accumulated"
        return Decision(value, decision.source, why)
    by_steps = max(1, num_train_videos // MIN_STEPS_PER_EPOCH)
    if by_steps < card.base_total_batch_size:
        why = f"at least {MIN_STEPS_PER_EPOCH} steps an epoch from {num_train_videos} videos"
        return Decision(_power_of_two(by_steps), "data", why)
    return Decision(card.base_total_batch_size, "preset", "the recipe of the preset")


def share_of_device(settings: Settings, total_batch_size: int, devices: int) -> int:
    """Videos that one device has to take for a step of the optimizer, at once or one batch after the other."""
    accumulation = 1 if settings.train.accumulation == AUTO else settings.train.accumulation
    return max(1, total_batch_size // (devices * accumulation))


def shared_total(wanted: Decision[int], total: int, devices: int) -> Decision[int]:
    """The total that so many devices share out evenly, and where it is another one than was wanted."""
    if total == wanted.value:
        return wanted
    why = f"{wanted.why}; of {wanted.value} videos {devices} device(s) share out {total} evenly"
    return Decision(total, wanted.source, why)


def choose_videos_per_gpu(
    settings: Settings,
    hardware: Hardware,
    card: Card,
    clip_len: int,
    input_size: int,
    total_batch_size: int,
    measured: Measured | None = None,
    shards: int = 1,
) -> Decision[int]:
    """Batch size on one GPU (or on the CPU): the share of the total, or what fits into memory.

    Args:
        settings: What the user asked.
        hardware: The machine.
        card: The model's.
        clip_len: Frames of a clip.
        input_size: Side of a frame in pixels.
        total_batch_size: Videos a step of the optimizer.
        measured: What was measured on the GPU; without it the memory is estimated.
        shards: Parts that the network is divided into, one a device.
    """
    if decision := asked(settings, "videos_per_gpu"):
        return decision
    if measured is not None:
        taken = f"{measured.used_gib:.3g} of {measured.total_gib:.3g} GiB"
        why = f"measured on this GPU: {measured.videos_per_gpu} videos take {taken}"
        return Decision(measured.videos_per_gpu, SOURCE, why)
    devices = hardware.num_devices
    share = share_of_device(settings, total_batch_size, devices)
    if hardware.num_gpus:
        room, name = gpu_room_gib(hardware.gpu_memory_gib), "GPU"
    else:
        room, name = CPU_SHARE * hardware.memory_gib / hardware.devices_per_machine, "machine"
    estimated = "; estimated" + (", measured when training begins" if shards == 1 else "") if hardware.num_gpus else ""
    fixed = training_memory_gib(card, clip_len, input_size, 0, shards)
    each = training_memory_gib(card, clip_len, input_size, 1, shards) - fixed
    fits = max(1, int((room - fixed) / each))
    if fits < share:
        why = f"a video needs {each:.2g} GiB, the model {fixed:.2g}; {room:.3g} GiB of the {name} may be used"
        return Decision(_power_of_two(fits), "hardware", why + estimated)
    return Decision(share, "plan", f"{total_batch_size} videos a step, on {devices} device(s){estimated}")


def choose_accumulation(settings: Settings, total_batch_size: int, batch: int, num_train_videos: int) -> Decision[int]:
    """Batches added up before a step of the optimizer. `batch` counts the videos of all GPUs.

    Raises:
        RequestError: An epoch has fewer batches than are to be added up.
    """
    if decision := asked(settings, "train.accumulation"):
        if decision.value * batch > num_train_videos:
            raise RequestError(
                Problem(
                    f"{decision.source}: train.accumulation",
                    f"adds up more batches of {batch} than {num_train_videos} training videos make",
                    f"Choose at most {max(1, num_train_videos // batch)}",
                    str(decision.value),
                )
            )
        return decision
    value = max(1, total_batch_size // batch)
    if value == 1:
        return Decision(1, "plan", "the batch is the total")
    return Decision(value, "hardware", f"{batch} videos fit at a time; {total_batch_size} make a step")


def _power_of_two(value: int) -> int:
    """The largest power of two that is not above `value`."""
    return 1 << value.bit_length() - 1


def choose_threads(hardware: Hardware, workers: int) -> Decision[int]:
    """Threads of the training process: on cores of their own, since those that share one wait for each other."""
    value = max(1, hardware.num_cpus // hardware.devices_per_machine - workers)
    return Decision(value, "hardware", f"the cores that {workers} decoding process(es) leave over")
