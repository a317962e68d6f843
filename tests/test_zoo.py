"""Every preset, made small, goes the whole way: planned, rendered, fine-tuned one step, tested; and as MMAction2 does it."""

from __future__ import annotations

import copy
import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import zoo
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, FUNCTIONS, DefaultScope

from autox_video.dataset.facts import Fingerprint
from autox_video.decoding import open_file
from autox_video.presets import preset_names
from autox_video.presets.wheel_index import PREFIX
from autox_video.runner import predictor  # before MMAction2, which it makes importable
from autox_video.runner.build import quiet_mmengine
from autox_video.runner.preview import preview
from autox_video.runner.trial import trial_steps

from mmaction.registry import MODELS  # isort: skip

# Families of MMAction2's index that no preset is of, and two that presets are of.
OTHERS = (
    "c2d_r50-in1k-pre_8xb32-8x8x1-100e_kinetics400-rgb",
    "c2d_r50-in1k-pre-nopool_8xb32-8x8x1-100e_kinetics400-rgb",  # frames by themselves, close together
    "c3d_sports1m-pretrained_8xb30-16x1x1-45e_ucf101-rgb",
    "slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb",
    "tanet_imagenet-pretrained-r50_8xb8-1x1x8-50e_sthv1-rgb",
    "tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb",
    "tpn-slowonly_r50_8xb8-8x8x1-150e_kinetics400-rgb",
    "trn_imagenet-pretrained-r50_8xb16-1x1x8-50e_sthv2-rgb",
)
SPLITS = ("train", "val", "test")
SMALL = [name for name in preset_names() if not name.startswith("video_swin") or name == "video_swin_nano"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Fingerprint:
    return zoo.write_lists(tmp_path_factory.mktemp("zoo"))


@pytest.mark.parametrize("name", [*SMALL, *(f"{PREFIX}{name}" for name in OTHERS)])
def test_every_family_is_fine_tuned_one_step_and_tested(name, data, tmp_path, monkeypatch):
    if "c3d" in name:
        zoo.thin_c3d(monkeypatch)
    job = zoo.job(tmp_path, data, name)
    predictions = zoo.train_and_test(job, data)
    with (tmp_path / "metrics.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert np.isfinite([float(row["train_loss"]), float(row["val_loss"])]).all()
    scores = np.array([video.scores for video in predictions.rows])
    assert scores.shape == (2, 2)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert not any(video.error for video in predictions.rows)
    monkeypatch.setattr(predictor, "load_preset", lambda name: job.preset)
    trained = predictor.open_predictor(tmp_path, "cpu", (2, 3))
    folder = Path(data.data_root)
    clips = [trained.clips_of(open_file(str(folder / video.path))) for video in predictions.rows]
    assert np.allclose(trained.score(clips), scores, atol=1e-6)
    features = trained.features(clips)
    assert len(features) == 2
    assert features.shape[1] >= 2
    assert np.isfinite(features).all()


def passed(config: Config, split: str, state: dict[str, Any] | None) -> tuple[torch.Tensor, Any, dict[str, Any]]:
    """The batch of all videos of a split as the network gets it, what it says of them, and its weights."""
    loader = config[f"{split}_dataloader"]
    with DefaultScope.overwrite_default_scope("mmaction"), quiet_mmengine():
        torch.manual_seed(0)
        model = MODELS.build(copy.deepcopy(config.model))
        if state is None:
            model.init_weights()
        else:
            model.load_state_dict(state)
        dataset = DATASETS.build(copy.deepcopy(loader.dataset))
        collate = FUNCTIONS.get(loader.collate_fn["type"]) if "collate_fn" in loader else pseudo_collate
        np.random.seed(0)
        given = collate([dataset[index] for index in range(len(dataset))])
        model.train(split == "train")
        batch = model.data_preprocessor(copy.copy(given), split == "train")
        torch.manual_seed(0)
        if split == "train":
            told = model(**batch, mode="loss")["loss_cls"].detach()
        else:
            with torch.no_grad():
                told = torch.stack([sample.pred_score for sample in model(**batch, mode="predict")])
    return batch["inputs"], told, model.state_dict()


@pytest.mark.parametrize(
    ("name", "split"),
    [("tsn_r50", "test"), *((name, split) for name in ("tsm_mobilenetv2", "slowfast_r50") for split in SPLITS)],
)
def test_batches_and_scores_are_those_of_mmaction2s_own_pipeline(name, split, data, tmp_path):
    job = zoo.job(
        tmp_path, data, name, clip={"input_size": 32, "clip_len": 4}, augment={"min_crop_area": 1.0, "flip": 0}
    )
    ours, told, state = passed(job.config, split, None)
    stock, stock_told, _ = passed(job.stock, split, state)
    assert ours.shape == stock.shape
    assert ours.ndim == (5 if job.plan.input_format.value == "NCHW" else 6)
    # Videos of the size that the network sees: no picture is scaled.
    assert torch.equal(ours, stock)
    assert torch.allclose(told, stock_told, atol=1e-6)


@pytest.mark.parametrize(("name", "num_clips"), [("tsm_mobilenetv2", 2), ("tsn_r50", 3)])
def test_frames_from_all_over_the_video_are_shown_and_tried(name, num_clips, data, tmp_path):
    job = zoo.job(tmp_path, data, name, test={"num_clips": num_clips, "num_crops": 1})
    dark, _ = preview(job.config, job.plan, 1, 2)
    assert [clip.split for clip in dark.clips] == ["train"] * 2 + ["test"] * num_clips
    assert {clip.frames.shape for clip in dark.clips} == {(4, 32, 32, 3)}
    # Of 12 frames four times the middle of three, then their first (TSM); or at a quarter, a half and three of them.
    spans = [(clip.first_frame, clip.last_frame) for clip in dark.clips if clip.split == "test"]
    assert spans == ([(1, 10), (0, 9)] if num_clips == 2 else [(0, 8), (1, 9), (2, 10)])
    with trial_steps(job.config, job.plan) as steps:
        assert len(steps(2, 1)) == 1
