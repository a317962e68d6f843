"""What a clip costs: a decoding process to prepare it, the network to compute on it."""

from __future__ import annotations

from dataclasses import dataclass

from autox_video.dataset.facts import DecodeCost, SplitFacts
from autox_video.plan.schema import Hardware
from autox_video.presets import Card
from autox_video.proxies.sizes import ASPECT, READ_SECONDS

# What the fastest GPU of today may reach in bfloat16. Taken for any that was not measured: a network that is thought
# too fast is given decoding processes that wait; one that is thought too slow would wait for them.
GPU_RATE = 3e14
# Forward, and twice as much backward.
TRAINING_PASSES, SCORING_PASSES = 3, 1
# Resizing, mirroring and packing, for each pixel of each frame that the network sees.
PIXEL_SECONDS = 3e-9


@dataclass(frozen=True)
class ClipShape:
    """The clips of a run: frames, their distance in the video, and the side of a frame in pixels."""

    clip_len: int
    frame_interval: int
    input_size: int

    @classmethod
    def planned(
        cls, sampling: str, clip_len: int, frame_interval: int, input_size: int, facts: SplitFacts
    ) -> ClipShape:
        """The clips of planned values; frames that are spread over a video are as far apart as half of them are."""
        if sampling != "dense":
            frame_interval = max(1, round(facts.num_frames.p50 / clip_len))
        return cls(clip_len, frame_interval, input_size)

    @property
    def size(self) -> tuple[int, int]:
        """Frames and their side: what the network sees."""
        return self.clip_len, self.input_size

    def share_of(self, card: Card) -> float:
        """Its work for a network, as a multiple of that of the card's clip: both grow with the number of pixels."""
        return self.clip_len * self.input_size**2 / (card.clip_len * card.input_size**2)

    @property
    def span(self) -> int:
        """Frames of the video that a clip is spread over."""
        return self.clip_len * self.frame_interval


@dataclass(frozen=True)
class ClipCost:
    """Seconds that one clip takes.

    Attributes:
        prepare_seconds: Decoding and resizing it, of one core.
        compute_seconds: The network, of one core where there is no GPU, else of a GPU.
        measured: Whether the latter is measured, and not reckoned.
    """

    prepare_seconds: float
    compute_seconds: float
    measured: bool = False


def clip_cost(
    card: Card,
    hardware: Hardware,
    decode_cost: DecodeCost | None,
    clip: ClipShape,
    *,
    views: int = 1,
    proxy_side: int | None = None,
    passes: int = TRAINING_PASSES,
    step_seconds: float | None = None,
) -> ClipCost | None:
    """Reckon what a clip costs on a machine.

    Args:
        card: Of the model.
        hardware: The machine.
        decode_cost: As measured.
        clip: The clip.
        views: Clips that are made of one decoding, by other crops.
        proxy_side: Short side in pixels of the proxies that are read in place of the videos.
        passes: What the network does with it, in forward passes.
        step_seconds: What a GPU takes for a clip as measured; None to reckon it from the card.

    Returns:
        None where it is not known what decoding takes.
    """
    if decode_cost is None:
        return None
    compute = network_seconds(card, hardware, clip, passes)
    prepare = prepare_seconds(decode_cost, clip, views=views, proxy_side=proxy_side)
    return ClipCost(prepare, compute) if step_seconds is None else ClipCost(prepare, step_seconds, measured=True)


def network_seconds(card: Card, hardware: Hardware, clip: ClipShape, passes: int) -> float:
    """Seconds that the network takes for a clip, of one core or of the fastest GPU; arguments as of `clip_cost`."""
    return passes * card.flops * clip.share_of(card) / (GPU_RATE if hardware.num_gpus else card.core_rate)


def prepare_seconds(
    decode_cost: DecodeCost, clip: ClipShape, *, views: int = 1, proxy_side: int | None = None
) -> float:
    """Seconds of one core to decode and resize a clip; the arguments are those of `clip_cost`."""
    decode = decode_cost.clip_seconds(clip.clip_len, clip.frame_interval)
    if proxy_side is not None:
        decode = min(decode, READ_SECONDS * ASPECT * proxy_side**2 * clip.span)
    return decode / views + PIXEL_SECONDS * clip.clip_len * clip.input_size**2
