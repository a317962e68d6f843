"""Every preset, made small, goes the whole way: planned, rendered, fine-tuned one step, tested; and as MMAction2 does it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import zoo

from autox_video.dataset.facts import Fingerprint
from autox_video.presets import preset_names

SMALL = [name for name in preset_names() if not name.startswith("video_swin") or name == "video_swin_nano"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Fingerprint:
    return zoo.write_lists(tmp_path_factory.mktemp("zoo"))


@pytest.mark.parametrize("name", SMALL)
def test_every_preset_is_fine_tuned_one_step_and_tested(name, data, tmp_path):
    job = zoo.job(tmp_path, data, name)
    predictions = zoo.train_and_test(job, data)
    with (tmp_path / "metrics.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert np.isfinite([float(row["train_loss"]), float(row["val_loss"])]).all()
    scores = np.array([video.scores for video in predictions.rows])
    assert scores.shape == (2, 2)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert not any(video.error for video in predictions.rows)
