"""A card from what MMAction2 says of a model: its config for clip and recipe, its index for weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autox_video.presets.card import Card, Weights
from autox_video.presets.wheel_index import Entry

Steps = Sequence[Mapping[str, Any]]
# Recognizers that take each frame by itself.
SINGLE_FRAMES = ("Recognizer2D",)
DATASETS = {
    "kinetics400": "Kinetics-400",
    "kinetics600": "Kinetics-600",
    "kinetics700": "Kinetics-700",
    "kinetics710": "Kinetics-710",
    "mitv1": "Moments in Time V1",
    "sthv1": "Something-Something V1",
    "sthv2": "Something-Something V2",
    "ucf101": "UCF101",
}
# Frames a second of most videos they were trained on, and how long most of these are.
FPS, VIDEO_SECONDS = 30, 10.0
# `DenseSampleFrames` takes its frames from so many.
DENSE_RANGE = 64
# Frames come in pairs, or as many as one of the slower path, which a config gives as `resample_rate`.
CLIP_LEN_MULTIPLES = {"MViT": 2, "SwinTransformer3D": 2, "UniFormer": 2, "VisionTransformer": 2}
# Networks with layers, or tables of positions, for one number of frames, and for one size. TRN's are in its head.
ONE_CLIP_LEN = ("C3D", "TANet", "TimeSformer", "VisionTransformer")
ONE_INPUT_SIZE = ("C3D", "TimeSformer", "UniFormerV2")
WITHOUT_BATCH_NORM = ("C3D", "MViT", "SwinTransformer3D", "TimeSformer", "UniFormerV2", "VisionTransformer")
# Of those that the wheel can only test: as the presets of the same families have it, and X3D by its paper.
RECIPES: dict[str, dict[str, Any]] = {
    "UniFormer": {"lr": 2e-4, "batch": 64, "weight_decay": 0.05, "label_smoothing": 0.1},
    "UniFormerV2": {"lr": 1e-4, "batch": 256, "weight_decay": 0.05, "clip_grad": 20.0},
    "VisionTransformer": {
        **{"lr": 5e-4, "batch": 256, "weight_decay": 0.05},
        **{"layer_decay": 0.75, "label_smoothing": 0.1},
    },
    "X3D": {"optimizer": "sgd", "lr": 0.01, "batch": 64, "weight_decay": 5e-5, "clip_grad": 40.0},
}
# A new head learns so many times as fast as a pretrained backbone.
HEAD_LR_MULT = 10
# A rate below this is one for a pretrained network as a whole.
FINE_TUNING_RATES = {"adamw": 5e-5, "sgd": 1e-3}
# What a network that starts from ImageNet takes for a video; training from scratch takes ten times as much.
MAX_SGD_RATE = 0.01 / 64
MIN_EPOCHS, MAX_EPOCHS, MIN_STEPS, WARMUP_EPOCHS = 15, 30, 1000, 2.5
NON_COMMERCIAL = "CC-BY-NC-4.0 (weights: not for commercial use), Apache-2.0 (code)"
LICENCES = {"VideoMAE": NON_COMMERCIAL, "VideoMAEv2": NON_COMMERCIAL}
# The index gives the small model the file of the base one; this is the one of MMAction2's README.
CORRECTED_WEIGHTS = {
    "vit-small-p16_videomaev2-vit-g-dist-k710-pre_16x4x1_kinetics-400": "https://download.openmmlab.com/mmaction/v1.0/"
    "recognition/videomaev2/vit-small-p16_videomaev2-vit-g-dist-k710-pre_16x4x1_kinetics-400/"
    "vit-small-p16_videomaev2-vit-g-dist-k710-pre_16x4x1_kinetics-400_20230510-25c748fd.pth"
}


@dataclass(frozen=True)
class Clip:
    """What a network was trained on; the fields are those of a card."""

    sampling: str
    clip_len: int
    clip_seconds: float
    input_size: int
    test_num_clips: int
    test_num_crops: int


def clip_of(entry: Entry, config: Mapping[str, Any]) -> Clip:
    """Read the clip from the pipelines of a config, or, where there are none, from its network.

    Args:
        entry: Of the index.
        config: As MMAction2 has it.
    """
    backbone = config["model"]["backbone"]
    test, train = _steps(config, "test"), _steps(config, "train")
    tested = _step(test, "Sample")
    trained = _step(train, "Sample") or tested
    size = _input_size(entry, backbone, train, test)
    crops = 3 if any(step["type"] in ("ThreeCrop", "TenCrop") for step in test) else 1
    if not trained or trained["type"] == "UniformSample":
        frames = trained["clip_len"] if trained else backbone["t_size"]
        return Clip("uniform", frames, VIDEO_SECONDS, size, tested.get("num_clips", 1), crops)
    frames, interval = trained["clip_len"], trained.get("frame_interval", 1)
    if trained["type"] == "DenseSampleFrames":
        if frames == 1:
            frames = trained["num_clips"]
            interval = DENSE_RANGE // frames
        return Clip("dense", frames, frames * interval / FPS, size, tested.get("num_sample_positions", 10), crops)
    if frames == 1:
        # TSN is tested on 25 frames, which are some clips of as many as it was trained on.
        views = max(1, round(tested["num_clips"] / trained["num_clips"]))
        views *= 2 if tested.get("twice_sample") else 1
        return Clip("segments", trained["num_clips"], VIDEO_SECONDS, size, views, crops)
    return Clip("dense", frames, frames * interval / FPS, size, tested.get("num_clips", 1), crops)


def card_of(entry: Entry, config: Mapping[str, Any], clip: Clip, size: Mapping[str, float]) -> Card:
    """The card of a model.

    Args:
        entry: Of the index.
        config: As MMAction2 has it.
        clip: As `clip_of` reads it.
        size: Its `num_parameters`, `flops` and `activation_gib` at that clip, as measured.
    """
    model = config["model"]
    backbone, head = model["backbone"]["type"], model["cls_head"]
    dataset = _dataset(entry)
    recipe = _recipe(entry, config)
    figures = f"{size['num_parameters'] / 1e6:.3g} M parameters, {size['flops'] / 1e9:.3g} GFLOPs a view"
    one_clip_len = backbone in ONE_CLIP_LEN or head["type"] == "TRNHead" or "neck" in model
    return Card(
        summary=f"{figures}: {entry.collection} of MMAction2's index, for {DATASETS[dataset]}",
        paper=entry.paper,
        licence=_licence(entry),
        weights={dataset: _weights(entry, dataset, head["num_classes"])},
        default_weights=dataset,
        num_parameters=int(size["num_parameters"]),
        reference_num_classes=head["num_classes"],
        flops=size["flops"],
        flops_source="measured",
        clip_len=clip.clip_len,
        clip_seconds=clip.clip_seconds,
        clip_len_multiple=model["backbone"].get("resample_rate") or CLIP_LEN_MULTIPLES.get(backbone, 1),
        input_size=clip.input_size,
        base_learning_rate=recipe["lr"],
        base_total_batch_size=recipe["batch"],
        weight_decay=recipe["weight_decay"],
        backbone_lr_mult=1 / HEAD_LR_MULT,
        epochs=recipe["epochs"],
        min_steps=MIN_STEPS,
        warmup_epochs=WARMUP_EPOCHS,
        test_num_clips=clip.test_num_clips,
        test_num_crops=clip.test_num_crops,
        min_crop_area=_min_crop_area(_steps(config, "train"), clip.input_size),
        activation_gib=size["activation_gib"],
        sampling=clip.sampling,
        fixed_clip_len=one_clip_len,
        fixed_input_size=backbone in ONE_INPUT_SIZE,
        optimizer=recipe["optimizer"],
        layer_decay=recipe["layer_decay"],
        clip_grad=recipe["clip_grad"],
        label_smoothing=recipe["label_smoothing"],
        batch_norm=backbone not in WITHOUT_BATCH_NORM,
    )


def _steps(config: Mapping[str, Any], split: str) -> Steps:
    loader = config.get(f"{split}_dataloader") or {}
    steps: Steps = config.get(f"{split}_pipeline") or (loader.get("dataset") or {}).get("pipeline") or ()
    return steps


def _step(steps: Steps, word: str) -> dict[str, Any]:
    """The first step with a word in its name; nothing where there is none."""
    return next((dict(step) for step in steps if word in step["type"]), {})


def _input_size(entry: Entry, backbone: Mapping[str, Any], train: Steps, test: Steps) -> int:
    """A table of positions knows best; then what was trained with, what the index says, what is tested with."""
    bound = backbone.get("input_resolution") or (backbone["type"] in ONE_INPUT_SIZE and backbone.get("img_size"))
    if bound:
        return int(bound)
    sizes = [step["scale"][0] for step in train if step["type"] == "Resize" and step["scale"][0] > 0]
    sizes += [step["size"] for step in train if step["type"] == "RandomCrop"]
    if sizes:
        return int(sizes[-1])
    if match := re.fullmatch(r"(\d+)x\1", str(entry.facts["Metadata"].get("Resolution"))):
        return int(match[1])
    return int(_step(test, "Crop")["crop_size"])


def _min_crop_area(train: Steps, size: int) -> float:
    """Smallest share of the frame that training sees; MMAction2's random crops cut a square from a 340x256 frame."""
    if crop := _step(train, "MultiScaleCrop"):
        return round(min(crop.get("scales", (1,))) ** 2 * 256 / 340, 2)
    if (crop := _step(train, "RandomCrop")) and (scaled := _step(train, "Resize") or _step(train, "RandomRescale")):
        longest = max(scaled.get("scale") or scaled["scale_range"])
        return round((size / longest) ** 2 * 256 / 340, 2)
    return float(_step(train, "RandomResizedCrop").get("area_range", (0.08, 1.0))[0])


def _recipe(entry: Entry, config: Mapping[str, Any]) -> dict[str, Any]:
    """What it was trained with, or where the wheel does not say that, what its family is fine-tuned with."""
    model = config["model"]
    recipe: dict[str, Any] = {
        **{"optimizer": "adamw", "layer_decay": None, "clip_grad": None, "epochs": MAX_EPOCHS},
        "label_smoothing": model["cls_head"].get("label_smooth_eps", 0.0),
    }
    wrapper = config.get("optim_wrapper")
    if not wrapper:
        return {**recipe, **RECIPES[model["backbone"]["type"]]}
    optimizer, clip_grad = wrapper["optimizer"], wrapper.get("clip_grad") or {}
    kind = "sgd" if optimizer["type"] == "SGD" else "adamw"
    rate = optimizer["lr"]
    batch = _batch(entry, config)
    if rate < FINE_TUNING_RATES[kind]:
        rate *= HEAD_LR_MULT
    elif kind == "sgd":
        rate = min(rate, MAX_SGD_RATE * batch)
    return recipe | {
        "optimizer": kind,
        "lr": float(f"{rate:.6g}"),
        "batch": batch,
        "weight_decay": optimizer["weight_decay"],
        "clip_grad": float(clip_grad["max_norm"]) if clip_grad else None,
        "layer_decay": (wrapper.get("paramwise_cfg") or {}).get("decay_rate"),
        "epochs": max(MIN_EPOCHS, min(MAX_EPOCHS, config["train_cfg"]["max_epochs"])),
    }


def _batch(entry: Entry, config: Mapping[str, Any]) -> int:
    """Videos a step: names tell it as `8xb16`, and are right where a config was copied from another one."""
    if match := re.search(r"_(\d+)xb(\d+)[-_]", entry.name):
        return math.prod(map(int, match.groups()))
    scaling = config.get("auto_scale_lr") or {}
    return int(scaling.get("base_batch_size") or 8 * config["train_dataloader"]["batch_size"])


def _dataset(entry: Entry) -> str:
    """From the end of the name: the index has Kinetics-400 for some models of Something-Something."""
    words = (word.replace("-", "") for word in re.findall(r"[a-z]+-?\d+", entry.name))
    return [word for word in words if word in DATASETS][-1]


def _weights(entry: Entry, dataset: str, num_classes: int) -> Weights:
    metrics = (entry.facts["Results"][0].get("Metrics") or {}) if entry.facts.get("Results") else {}
    top1 = metrics.get("Top 1 Accuracy")
    before = entry.facts["Metadata"].get("Pretrained")
    corrected = CORRECTED_WEIGHTS.get(entry.name)
    return Weights(
        # One stands behind a bracket.
        url=corrected or entry.facts["Weights"].lstrip("("),
        trained_on=DATASETS[dataset] + (f", after {before}" if before else ""),
        num_classes=num_classes,
        top1=None if top1 is None else round(top1 / 100, 4),
        source="MMAction2 README" if corrected else "MMAction2 model index",
    )


def _licence(entry: Entry) -> str:
    if entry.collection in LICENCES:
        return LICENCES[entry.collection]
    if converted := entry.facts.get("Converted From"):
        return f"Apache-2.0 (code); weights: that of {converted.get('Code') or converted.get('Weights')}"
    return "Apache-2.0 (code and weights, which MMAction2 trained)"
