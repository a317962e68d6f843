"""A model made small, planned and rendered for a few tiny videos: to be fine-tuned for one step and tested."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import samples
import videos
from mmengine.config import Config

from autox_video.dataset.annotations import Row, read_rows
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.stock_lists import stock_list
from autox_video.plan.make_plan import make_plan
from autox_video.plan.schema import Plan
from autox_video.predictions import Predictions
from autox_video.presets import Preset, load_preset
from autox_video.records import write_record
from autox_video.render.config import render_config
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text

CLASSES = ("dark", "light")
THIN_3D = {"backbone.base_channels": 8, "cls_head.in_channels": 256}
ONE_STAGE = {
    **{"backbone.depth": 18, "backbone.num_stages": 1, "backbone.strides": (1,), "backbone.dilations": (1,)},
    **{"backbone.out_indices": (0,), "cls_head.in_channels": 64},
}
# By the kind of backbone, what makes a model small enough to be built, trained and saved in well under a second.
SMALLER: dict[str, dict[str, Any]] = {
    "MobileNetV2TSM": {"backbone.widen_factor": 0.125},
    "ResNet": ONE_STAGE,
    "ResNetTSM": {"backbone.depth": 18, "cls_head.in_channels": 512},
    "ResNet3d": THIN_3D,
    "ResNet3dSlowOnly": THIN_3D,
    "ResNet3dCSN": THIN_3D,
    "ResNet3dSlowFast": {
        "backbone.slow_pathway.base_channels": 8,
        "backbone.fast_pathway.base_channels": 1,
        "cls_head.in_channels": 256 + 32,
    },
    "ResNet2Plus1d": {"backbone.depth": 18, "backbone.base_channels": 8, "cls_head.in_channels": 64},
    "X3D": {"backbone.gamma_d": 0.5},
    "C2D": ONE_STAGE,
    # Its widths stand in its code: see `thin_c3d`.
    "C3D": {"backbone.out_dim": 32 * 2 * 2, "cls_head.in_channels": 64, "card.input_size": 32},
    "TANet": ONE_STAGE | {"backbone.depth": 50, "cls_head.in_channels": 256},
    "MViT": {
        "backbone.arch": {"embed_dims": 16, "num_layers": 4, "num_heads": 1, "downscale_indices": [1, 2, 3]},
        "cls_head.in_channels": 16 * 8,
    },
    "TimeSformer": {
        **{"backbone.embed_dims": 32, "backbone.num_heads": 2, "backbone.num_transformer_layers": 2},
        **{"backbone.num_frames": 4, "backbone.img_size": 32, "cls_head.in_channels": 32},
        **{"card.clip_len": 4, "card.input_size": 32},
    },
    "UniFormer": {
        **{"backbone.depth": [1, 1, 1, 1], "backbone.embed_dim": [16, 16, 32, 32], "backbone.head_dim": 16},
        "cls_head.in_channels": 32,
    },
    "UniFormerV2": {
        **{"backbone.width": 32, "backbone.n_dim": 32, "backbone.heads": 2, "backbone.n_head": 2},
        **{"backbone.layers": 2, "backbone.n_layers": 2, "backbone.return_list": [0, 1]},
        **{"backbone.mlp_dropout": [0.5, 0.5], "backbone.input_resolution": 32, "card.input_size": 32},
        "cls_head.in_channels": 32,
    },
    "VisionTransformer": {
        **{"backbone.embed_dims": 32, "backbone.depth": 2, "backbone.num_heads": 2, "cls_head.in_channels": 32},
        **{"backbone.img_size": 32, "backbone.num_frames": 4, "card.clip_len": 4},
    },
}
# Of a TPN, whatever is in front of it.
SMALLER_NECK = {
    **{"neck.in_channels": (128, 256), "neck.out_channels": 32, "cls_head.in_channels": 2048},
    "neck.spatial_modulation_cfg": {"in_channels": (128, 256), "out_channels": 256},
    "neck.level_fusion_cfg.in_channels": (32, 32),
    "neck.level_fusion_cfg.mid_channels": (32, 32),
    "neck.level_fusion_cfg.out_channels": 64,
}


@dataclass(frozen=True)
class Job:
    """One training of a small model, planned and rendered; `stock` is the same for MMAction2 alone."""

    plan: Plan
    preset: Preset
    work_dir: WorkDir
    config: Config
    stock: Config


def smaller(preset: Preset) -> Preset:
    """The same model with less in it; one whose backbone is not in the table stays as it is."""
    model, card = copy.deepcopy(preset.model), preset.card
    changes = SMALLER.get(model["backbone"]["type"], {}) | (SMALLER_NECK if "neck" in model else {})
    for key, value in changes.items():
        *path, last = key.split(".")
        if path == ["card"]:
            card = dataclasses.replace(card, **{last: value})
            continue
        part = model
        for step in path:
            part = part[step]
        part[last] = value
    return dataclasses.replace(preset, card=card, model=model)


def thin_c3d(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make C3D sixteen times as narrow, and its fully connected layers 64 times."""
    from mmaction.models.backbones import c3d

    class NarrowLinear(c3d.nn.Linear):
        def __init__(self, wide: int, out: int) -> None:
            super().__init__(wide if wide < out else out // 64, out // 64)

    def narrow(wide: int, out: int, **kwargs: Any) -> Any:
        return conv(wide if wide == 3 else wide // 16, out // 16, **kwargs)

    conv = c3d.ConvModule
    monkeypatch.setattr(c3d, "nn", SimpleNamespace(**vars(c3d.nn) | {"Linear": NarrowLinear}))
    monkeypatch.setattr(c3d, "ConvModule", narrow)


def write_lists(folder: Path) -> Fingerprint:
    """Two tiny videos of each class for training, one each for validation and test, and what is known of them.

    Their lists stand in `annotations`, those that MMAction2 alone reads too.
    """
    videos.write_dataset(folder, classes=CLASSES, train=2, val=1, test=1)
    (folder / "annotations").mkdir()
    splits = {}
    for split, count in (("train", 2), ("val", 1), ("test", 1)):
        path = folder / "annotations" / f"{split}.txt"
        lines = [line.split() for line in (folder / f"{split}_list.txt").read_text().splitlines()]
        path.write_text("".join(f"{file}\t{CLASSES.index(name)}\tpyav\n" for file, name in lines))
        write_text(stock_list(path), "".join(f"{file}\t{CLASSES.index(name)}\n" for file, name in lines))
        facts = samples.split_facts(split, counts=dict.fromkeys(CLASSES, count), seconds=1, fps=12, size=(32, 32))
        splits[split] = dataclasses.replace(facts, ann_file=str(path))
    return Fingerprint(1, "single_label", str(folder / "videos"), CLASSES, splits, (), ())


def job(work_dir: Path, data: Fingerprint, preset: Preset | str, **values: Any) -> Job:
    """Plan and render one step of fine-tuning and a test of two clips and three crops.

    Args:
        work_dir: Of the run.
        data: As `write_lists` returns it.
        preset: A model, or the name of one, which is made small first.
        **values: Settings that go before those of this function.
    """
    if isinstance(preset, str):
        preset = smaller(load_preset(preset))
    card = preset.card
    clip = {} if card.fixed_clip_len else {"clip_len": -(-4 // card.clip_len_multiple) * card.clip_len_multiple}
    clip |= {} if card.fixed_input_size else {"input_size": 32}
    asked = samples.settings(
        **{
            "model": {"name": preset.name, "load_from": "none"},
            **{"clip": clip, "epoch": 1, "videos_per_gpu": 4, "train": {"amp": "off"}},
            **{"test": {"num_clips": 2, "num_crops": 3}, "runtime": {"device": "cpu", "workers": 0}},
            **values,
        }
    )
    # Threads that share a core wait for each other longer than they compute on models of this size.
    plan = make_plan(asked, data, preset, dataclasses.replace(samples.CPU, num_cpus=1))
    write_record(work_dir / "plan.json", plan)
    config, stock = (render_config(plan, preset, work_dir, stock=stock) for stock in (False, True))
    return Job(plan, preset, WorkDir(work_dir), config, stock)


def rows(data: Fingerprint, split: str = "test") -> list[Row]:
    return read_rows(Path(data.splits[split].ann_file))


def train_and_test(job: Job, data: Fingerprint) -> Predictions:
    """Fine-tune by our Runner, as `train` does, and score the test split by the best checkpoint, as `test` does."""
    from autox_video.runner.test import test
    from autox_video.runner.train import train

    assert train(job.config, job.plan, job.work_dir, None) == 1
    return test(job.config, job.plan, job.work_dir, job.work_dir.best_checkpoint, rows(data), ())
