from __future__ import annotations

from importlib.metadata import version

import pytest
import samples
import torch
from mmengine.config import Config

from autox_video.errors import RunError
from autox_video.render.config import render_config
from autox_video.runner.build import RenderedConfig, build_runner


def test_a_gpu_that_pytorch_cannot_use_stops_the_run_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    plan, preset = samples.plan(samples.GPU, model={"name": "video_swin_nano"})
    with pytest.raises(RunError) as caught:
        build_runner(render_config(plan, preset, tmp_path), plan, tmp_path / "train.log")
    assert str(caught.value) == (
        f"runtime.device: the driver shows a GPU that PyTorch cannot use (got torch {torch.__version__}). "
        "Run `autox-video doctor`, or write runtime: {device: cpu}."
    )


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, "NoVisualizer"),
        ({"default_hooks.visualization": {"type": "VisualizationHook"}}, "ActionVisualizer"),
    ],
)
def test_a_visualizer_is_made_where_it_has_something_to_do(options, kind, tmp_path):
    plan, preset = samples.plan(model={"name": "video_swin_nano"}, cfg_options=options)
    config = render_config(plan, preset, tmp_path)
    for part in [name for name in config if name.split("_")[0] in ("train", "val", "test", "optim", "param")]:
        config.pop(part)
    runner = build_runner(config, plan, tmp_path / "train.log")
    assert type(runner.visualizer).__name__ == kind


def test_the_log_begins_with_versions_and_a_config_that_loads_again(tmp_path):
    plan, preset = samples.plan(model={"name": "video_swin_nano"})
    config = render_config(plan, preset, tmp_path)
    text = RenderedConfig(config.to_dict()).pretty_text
    assert Config.fromstring(text, ".py").to_dict() == config.to_dict()
    for part in [name for name in config if name.split("_")[0] in ("train", "val", "test", "optim", "param")]:
        config.pop(part)
    build_runner(config, plan, tmp_path / "train.log")
    log = (tmp_path / "train.log").read_text(encoding="utf-8")
    assert f"    torch: {version('torch')}" in log
    assert "    GPUs: " in log
    assert "model = {'type': 'Recognizer3D'" in log
