"""The models one can name, side by side, and the card of one: lines for the console."""

from __future__ import annotations

from collections.abc import Iterable

from autox_video.plan.rules.batch import gpu_room_gib, training_memory_gib
from autox_video.presets import Card, Preset, Weights

# Sizes that GPUs are sold in, in GiB.
GPU_SIZES_GIB = (4, 6, 8, 11, 12, 16, 24, 32, 40, 48, 80, 141)
COLUMNS = ("model", "M params", "GFLOPs", "clip", "top-1", "on", "step GiB", "GPU GiB", "licence")
LEFT_ALIGNED = ("model", "clip", "on", "licence")
LEGEND = (
    "M params: millions of parameters. GFLOPs: multiply-adds of one view of the clip (frames x side in pixels).",
    "top-1: published for the weights that it starts from, on the data they were trained on.",
    "step GiB: memory of a training step of one clip in float32, estimated. GPU GiB: the smallest that holds it.",
)


def model_lines(presets: Iterable[Preset]) -> list[str]:
    """A table of models, from the least work for a view to the most, and what its columns mean."""
    ordered = sorted(presets, key=lambda preset: (preset.card.flops, preset.name))
    rows = [COLUMNS, *(_row(preset) for preset in ordered)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return [*(_aligned(row, widths) for row in rows), "", *LEGEND]


def card_lines(preset: Preset) -> list[str]:
    """All that a model's card says."""
    card = preset.card
    facts = [
        ("paper", card.paper),
        ("licence", card.licence),
        ("parameters", f"{card.num_parameters / 1e6:.2f} M with {card.reference_num_classes} classes"),
        ("a view", f"{card.flops / 1e9:.4g} G multiply-adds ({card.flops_source})"),
        ("clip", f"{_clip(card)}, {_drawn(card)}"),
        ("learning", _recipe(card)),
        ("test", f"{card.test_num_clips} clips x {card.test_num_crops} crops of a video"),
        ("memory", _memory(card)),
    ]
    facts += _weights(card)
    width = max(len(name) for name, _ in facts)
    return [f"{preset.name}: {card.summary}", *(f"{name:{width}}  {text}" for name, text in facts)]


def smallest_gpu_gib(card: Card) -> int | None:
    """The smallest usual GPU that holds a training step of one clip of the card's size; None when there is none."""
    needed = training_memory_gib(card, card.clip_len, card.input_size, 1)
    return next((size for size in GPU_SIZES_GIB if gpu_room_gib(size) >= needed), None)


def _row(preset: Preset) -> tuple[str, ...]:
    card = preset.card
    weights = card.weights[card.default_weights] if card.default_weights else None
    return (
        preset.name,
        f"{card.num_parameters / 1e6:.1f}",
        f"{card.flops / 1e9:.3g}" if card.flops < 1e12 else f"{card.flops / 1e9:.0f}",
        f"{card.clip_len}x{card.input_size}",
        f"{weights.top1:.3f}" if weights and weights.top1 is not None else "-",
        weights.trained_on.partition(",")[0] if weights else "no weights",
        f"{training_memory_gib(card, card.clip_len, card.input_size, 1):.2g}",
        str(smallest_gpu_gib(card) or f"> {GPU_SIZES_GIB[-1]}"),
        card.licence.partition(" (")[0].partition(";")[0],
    )


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    cells = zip(COLUMNS, row, widths, strict=True)
    return "  ".join(f"{cell:{'<' if name in LEFT_ALIGNED else '>'}{width}}" for name, cell, width in cells).rstrip()


def _clip(card: Card) -> str:
    only = " (no other length)" if card.fixed_clip_len else ""
    return f"{card.clip_len} frames{only} of {card.input_size} px{' (no other size)' if card.fixed_input_size else ''}"


def _drawn(card: Card) -> str:
    if card.sampling == "dense":
        return f"spread over {card.clip_seconds:.2g} s at most"
    return "one from each of as many parts of the video"


def _recipe(card: Card) -> str:
    rate = f"{card.optimizer}, {card.base_learning_rate:g} at {card.base_total_batch_size} videos a step"
    if card.layer_decay is not None:
        rate += f", x {card.layer_decay:g} a layer below"
    elif card.backbone_lr_mult != 1:
        rate += f", x {card.backbone_lr_mult:g} in the pretrained backbone"
    return f"{rate}; {card.epochs} epochs, {card.min_steps} steps at least"


def _memory(card: Card) -> str:
    one, fixed = (training_memory_gib(card, card.clip_len, card.input_size, videos) for videos in (1, 0))
    size = smallest_gpu_gib(card)
    fits = f"a GPU of {size} GiB has room for it" if size else "no usual GPU has room for it"
    return (
        f"{one:.2g} GiB for a training step of one clip, {one - fixed:.2g} for each more, estimated in float32; {fits}"
    )


def _weights(card: Card) -> list[tuple[str, str]]:
    if not card.weights:
        return [("weights", "none: it trains from scratch")]
    ordered = sorted(card.weights.items(), key=lambda item: item[0] != card.default_weights)
    facts = []
    for name, weights in ordered:
        by_itself = "; taken by itself" if name == card.default_weights else ""
        facts += [("weights", f"{name}: {_trained(weights)}{by_itself}"), ("", weights.url)]
    return facts


def _trained(weights: Weights) -> str:
    top1 = "" if weights.top1 is None else f", top-1 {weights.top1:.3f} ({weights.source})"
    return f"{weights.trained_on}, {weights.num_classes} classes{top1}"
