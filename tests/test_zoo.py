"""Every preset, made small, goes the whole way: planned, rendered, fine-tuned one step, tested; and as MMAction2 does it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import zoo

from autox_video.dataset.facts import Fingerprint
from autox_video.presets import preset_names
from autox_video.presets.wheel_index import PREFIX

# Families of MMAction2's index that no preset is of, and one that a preset is of.
OTHERS = (
    "c2d_r50-in1k-pre_8xb32-8x8x1-100e_kinetics400-rgb",
    "c2d_r50-in1k-pre-nopool_8xb32-8x8x1-100e_kinetics400-rgb",  # frames by themselves, close together
    "c3d_sports1m-pretrained_8xb30-16x1x1-45e_ucf101-rgb",
    "slowfast_r50_8xb8-4x16x1-256e_kinetics400-rgb",
    "tanet_imagenet-pretrained-r50_8xb8-1x1x8-50e_sthv1-rgb",
    "tpn-slowonly_r50_8xb8-8x8x1-150e_kinetics400-rgb",
    "trn_imagenet-pretrained-r50_8xb16-1x1x8-50e_sthv2-rgb",
)
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
