from __future__ import annotations

import pytest
import samples
import torch

from autox_video.errors import RunError
from autox_video.render.config import render_config
from autox_video.runner.build import build_runner


def test_a_gpu_that_pytorch_cannot_use_stops_the_run_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    plan, preset = samples.plan(samples.GPU, model={"name": "video_swin_nano"})
    with pytest.raises(RunError) as caught:
        build_runner(render_config(plan, preset, tmp_path), plan, tmp_path / "train.log")
    assert str(caught.value) == (
        f"runtime.device: the driver shows a GPU that PyTorch cannot use (got torch {torch.__version__}). "
        "Run `autox-video doctor`, or write runtime: {device: cpu}."
    )
