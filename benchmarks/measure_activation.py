"""Measure what a preset's card says of its size: parameters, multiply-adds, and the memory of one training clip.

    python benchmarks/measure_activation.py            # a table, measured beside what the cards say
    python benchmarks/measure_activation.py --write    # write num_parameters, activation_gib and measured flops

`activation_gib` is the memory of the distinct tensors that autograd keeps for the backward pass of one clip
of the card's size in float32, parameters and buffers excluded. It is counted on torch's `meta` device, where
tensors have shapes and no values. It depends on no device, clock or load, and runs in seconds without a GPU.
It leaves out what a device adds: workspaces of its kernels, fragmentation, the peak inside an operator.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from autox_video.presets import Preset, load_preset, preset_names, shared_folder
from autox_video.runner.compat import apply_all

GIB = 2**30


@dataclass(frozen=True)
class Size:
    """Figures of one preset; `flops` are multiply-adds of one clip."""

    num_parameters: int
    flops: float
    activation_gib: float


def measure(preset: Preset) -> Size:
    """Count on the meta device, for one clip of the card's size."""
    card = preset.card
    model = build_on_meta(preset.model, card.reference_num_classes).train()
    clip = one_clip(preset, "meta")

    def step() -> None:
        scores = model(clip, stage="head")
        nn.functional.cross_entropy(scores, torch.zeros(1, dtype=torch.long, device="meta"))

    with FlopCounterMode(display=False) as counter:
        saved = saved_bytes(step, excluded=[*model.parameters(), *model.buffers()])
    parameters = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    # FlopCounterMode counts a multiply-add as two.
    return Size(parameters, counter.get_total_flops() / 2, saved / GIB)


def one_clip(preset: Preset, device: str) -> Tensor:
    """A batch of one clip of the card's size, as the network takes it; its values mean nothing."""
    card = preset.card
    frames = (1, card.clip_len, 3) if preset.input_format == "NCHW" else (1, 1, 3, card.clip_len)
    return torch.empty(*frames, card.input_size, card.input_size, device=device)


def saved_bytes(step: Callable[[], None], excluded: list[Tensor]) -> int:
    """Bytes of the distinct storages that autograd keeps while `step` runs."""
    kept: dict[int, int] = {}
    # A storage is known by its address only as long as it lives: hold them all until they are counted.
    alive: list[Any] = [tensor.untyped_storage() for tensor in excluded]
    known = {storage._cdata for storage in alive}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            kept[storage._cdata] = storage.nbytes()
            alive.append(storage)
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return sum(kept.values())


class _LinspaceOnCpu(TorchFunctionMode):
    """Video Swin computes its drop-path rates with `linspace(...).item()`, which needs values."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.linspace:
            kwargs.setdefault("device", "cpu")
        return func(*args, **kwargs)


def build_on_meta(model: dict[str, Any], num_classes: int) -> nn.Module:
    """Build a model of MMAction2 without memory for its weights."""
    apply_all()
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    config = {**model, "cls_head": {**model["cls_head"], "num_classes": num_classes}}
    with torch.device("meta"), _LinspaceOnCpu():
        return MODELS.build(config)


def write_card(path: Path, size: Size, *, flops: bool) -> None:
    """Put the measured figures into the file of a preset; multiply-adds only when they are not published ones."""
    text = path.read_text(encoding="utf-8")
    figures = {"num_parameters": f"{size.num_parameters}", "activation_gib": f"{round_up(size.activation_gib)}"}
    if flops:
        figures["flops"] = f"{size.flops / 1e9:.2f}e9"
    for key, value in figures.items():
        text, count = re.subn(rf"(?m)^    {key}=.*,$", f"    {key}={value},", text)
        assert count == 1, f"{path} has one line `{key}=`"
    path.write_text(text, encoding="utf-8")


def round_up(gib: float) -> float:
    """To three digits, never below."""
    digits = 2 - math.floor(math.log10(gib))
    return round(math.ceil(gib * 10**digits) / 10**digits, digits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="presets (all)")
    parser.add_argument("--write", action="store_true", help="write the figures into the cards")
    options = parser.parse_args()
    row = "{:18} {:>8} {:>11} {:>11} {:>9} {:>9} {:>7} {:>7}"
    print(row.format("preset", "clip", "parameters", "card", "GFLOPs", "card", "GiB", "card"))
    for name in options.names or preset_names():
        preset = load_preset(name)
        size, card = measure(preset), preset.card
        figures = [size.num_parameters, card.num_parameters, f"{size.flops / 1e9:.2f}", f"{card.flops / 1e9:.2f}"]
        memory = [f"{size.activation_gib:.4f}", f"{card.activation_gib:g}"]
        print(row.format(name, f"{card.clip_len}x{card.input_size}", *figures, *memory))
        if options.write:
            path = shared_folder("configs") / "models" / f"{name}.py"
            write_card(path, size, flops=card.flops_source == "measured")


if __name__ == "__main__":
    main()
