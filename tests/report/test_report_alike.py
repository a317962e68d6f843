"""The section of the report with the training videos that mistakes are most alike."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from autox_video.features import Features, write_features
from autox_video.predictions import Prediction, Predictions
from autox_video.report.html.parts import ReportedRun
from autox_video.report.html.sections.alike import section
from autox_video.report.results import make_results
from autox_video.work_dir import WorkDir

EVIL = '<img src=x onerror=alert(1)>".mp4'
PREDICTIONS = Predictions(
    **{"task": "single_label", "model": "video_swin_nano", "classes": ("run", "jump"), "checkpoint": "best.pth"},
    **{"checkpoint_sha256": "ab" * 32, "epoch": 3, "data_root": "/videos", "num_clips": 1, "num_crops": 1},
    rows=(
        Prediction("right.mp4", 0, np.array([0.9, 0.1], np.float32)),
        Prediction("wrong.mp4", 0, np.array([0.4, 0.6], np.float32)),
        Prediction(EVIL, 1, np.array([0.8, 0.2], np.float32), start_seconds=1.5),
        Prediction("not embedded.mp4", 1, np.array([0.7, 0.3], np.float32)),
        Prediction("broken.mp4", 1, None, "has no frames"),
    ),
)
VECTORS = {
    ("train", "one.mp4"): (0, [1.0, 0.0]),
    ("train", "two.mp4"): (1, [0.0, 1.0]),
    ("train", "three.mp4"): (1, [0.8, 0.6]),
    ("val", "near, but of val.mp4"): (0, [0.0, 1.0]),
    ("test", "right.mp4"): (0, [1.0, 0.0]),
    ("test", "wrong.mp4"): (0, [0.0, 2.0]),
    ("test", EVIL): (1, [3.0, 0.0]),
}
FEATURES = Features(
    features=np.array([vector for _, vector in VECTORS.values()], np.float32),
    files=np.array([file for _, file in VECTORS]),
    splits=np.array([split for split, _ in VECTORS]),
    labels=np.array([label for label, _ in VECTORS.values()]),
    start_seconds=np.array([1.5 if file == EVIL else np.nan for _, file in VECTORS]),
    end_seconds=np.full(len(VECTORS), np.nan),
    classes=np.array(["run", "jump"]),
    **{f"bad_{name}": np.array([], dtype=np.str_) for name in ("files", "splits", "reasons")},
    bad_start_seconds=np.array([]),
    bad_end_seconds=np.array([]),
    model_sha256=np.array("ab" * 32),
    views=np.array([1, 1]),
    data_root=np.array("/videos"),
)


def made(tmp_path, features: Features | None = FEATURES, predictions: Predictions = PREDICTIONS):
    if features is not None:
        write_features(features, WorkDir(tmp_path).features)
    return section(ReportedRun(WorkDir(tmp_path), make_results(predictions)))


def test_the_surest_mistake_comes_first_with_its_nearest_training_videos(tmp_path):
    one = made(tmp_path)
    shown = re.findall(r'class="file">(.*?)</span>', one.html)
    assert shown == [
        "test: &lt;img src=x onerror=alert(1)&gt;&quot;.mp4 (1.5– s)",
        *("train: one.mp4", "train: three.mp4", "train: two.mp4"),
        "test: wrong.mp4",
        *("train: two.mp4", "train: three.mp4", "train: one.mp4"),
    ]
    assert re.findall(r">(\w+)</span> \((\d\.\d+)\)", one.html) == [
        *(("run", "0.80"), ("run", "1.00"), ("jump", "0.80"), ("jump", "0.00")),
        *(("jump", "0.60"), ("jump", "1.00"), ("jump", "0.60"), ("run", "0.00")),
    ]
    assert "<img" not in one.html


@pytest.mark.parametrize("splits", [["train"], ["test"]])
def test_without_the_features_of_both_there_is_no_section(splits, tmp_path):
    assert made(tmp_path, None) is None
    assert made(tmp_path, FEATURES.of(*splits)) is None


def test_features_of_another_model_and_damaged_ones_are_said_to_be(tmp_path):
    other = dataclasses.replace(FEATURES, model_sha256=np.array("cd" * 32))
    assert "The features are of another model than the results." in made(tmp_path, other).html
    WorkDir(tmp_path).features.write_bytes(b"damaged")
    assert "holds no features" in made(tmp_path, None).html


def test_without_a_mistake_there_is_no_section(tmp_path):
    assert made(tmp_path, predictions=dataclasses.replace(PREDICTIONS, rows=PREDICTIONS.rows[:1])) is None
