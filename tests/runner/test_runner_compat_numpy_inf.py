from __future__ import annotations

import numpy as np
import pytest

from autox_video.runner.compat import missing_drn, numpy_inf


def compacted() -> dict[str, object]:
    from mmaction.datasets.transforms import PoseCompact

    keypoints = np.array([[[[10.0, 20.0], [50.0, 60.0]]]], dtype=np.float32)
    return PoseCompact(padding=0.0, threshold=10)({"img_shape": (100, 100), "keypoint": keypoints})


@pytest.fixture
def pose_transforms():
    missing_drn.apply()
    numpy_inf.apply()
    from mmaction.datasets.transforms import pose_transforms

    return pose_transforms


def test_stock_stumbles_over_the_removed_name(pose_transforms, monkeypatch):
    monkeypatch.setattr(pose_transforms, "np", np)
    with pytest.raises(AttributeError, match=r"np\.Inf"):
        compacted()


def test_poses_are_compacted_and_numpy_stays_as_it_is(pose_transforms):
    assert compacted()["img_shape"] == (40, 40)
    assert not hasattr(np, "Inf")
    assert pose_transforms.np.linalg is np.linalg
