from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import samples
from mmengine.config import Config

from autox_video.errors import RequestError
from autox_video.plan.schema import Decision
from autox_video.render.config import config_text, render_config

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = {
    "nano_cpu": (samples.CPU, {"model": {"load_from": "none"}}),
    "tiny_gpu": (samples.GPU, {"model": "video_swin_tiny", "epoch": 30, "videos_per_gpu": 8}),
}


@pytest.fixture(autouse=True)
def modules_as_they_were() -> Iterator[None]:
    """A stock config that is read puts stand-ins for a missing package among the modules of the process."""
    before = set(sys.modules)
    yield
    for name in [name for name in sys.modules if ".localizers.drn" in name and name not in before]:
        del sys.modules[name]


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
@pytest.mark.parametrize("name", CASES)
def test_the_rendered_config_is_the_golden_one(name, stock):
    hardware, values = CASES[name]
    config = render_config(*samples.plan(hardware, **values), samples.RUN, stock=stock)
    golden = GOLDEN / f"config_{name}{'_stock' if stock else ''}.py"
    assert config.to_dict() == Config.fromfile(golden, import_custom_modules=False).to_dict(), (
        f"regenerate {golden.name} if meant"
    )


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
@pytest.mark.parametrize("classes", [("run", "jump"), ("left", "right")])
def test_the_written_file_reloads_to_an_equal_config(tmp_path, classes, stock):
    data = samples.fingerprint(counts=dict.fromkeys(classes, 100))
    config = render_config(*samples.plan(samples.GPU, data), samples.RUN, stock=stock)
    path = tmp_path / "config.py"
    path.write_text(config_text(config, stock=stock), encoding="utf-8")
    assert Config.fromfile(path, import_custom_modules=False).to_dict() == config.to_dict()


def test_the_stock_file_names_nothing_of_ours():
    text = config_text(render_config(*samples.plan(samples.GPU), samples.RUN, stock=True), stock=True)
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert "autox_video" not in code
    assert "custom_imports" not in code


def test_cfg_options_are_merged_last():
    plan, preset = samples.plan(cfg_options={"optim_wrapper.clip_grad.max_norm": 20, "train_dataloader.num_workers": 7})
    config = render_config(plan, preset, samples.RUN)
    assert config.optim_wrapper.clip_grad.max_norm == 20
    assert config.train_dataloader.num_workers == 7


def test_cfg_options_that_do_not_fit_are_refused_by_name():
    plan, preset = samples.plan(cfg_options={"param_scheduler.9.begin": 1})
    with pytest.raises(RequestError) as caught:
        render_config(plan, preset, samples.RUN)
    assert str(caught.value).startswith(
        "cfg_options.param_scheduler.9.begin: cannot be merged into the rendered config: "
    )


def test_flip_and_crop_follow_the_plan():
    plan, preset = samples.plan(augment={"flip": 0, "min_crop_area": 1})
    types = [step["type"] for step in render_config(plan, preset, samples.RUN).train_dataloader.dataset.pipeline]
    assert "Flip" not in types
    assert "RandomResizedCrop" not in types
    plan, preset = samples.plan(augment={"flip": 0.3, "min_crop_area": 0.2})
    steps = {step["type"]: step for step in render_config(plan, preset, samples.RUN).train_dataloader.dataset.pipeline}
    assert steps["Flip"]["flip_ratio"] == 0.3
    assert steps["RandomResizedCrop"]["area_range"] == (0.2, 1.0)


def test_rendering_needs_no_torch():
    code = (
        "import sys; sys.path.insert(0, 'tests'); import samples; from autox_video.render.config import *;"
        "config_text(render_config(*samples.plan(samples.GPU), samples.RUN)); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent.parent)


def test_proxies_are_read_in_training_and_validation_alone_and_stock_knows_none():
    without, preset = samples.plan()
    plan = dataclasses.replace(without, cache=Decision("proxy", "default", "for the test"))
    config = render_config(plan, preset, samples.RUN)
    lists = {split: config[f"{split}_dataloader"].dataset.get("proxies") for split in ("train", "val", "test")}
    folder = Path(plan.ann_files["train"]).parent
    assert lists == {"train": str(folder / "proxies.tsv"), "val": str(folder / "proxies.tsv"), "test": None}
    assert config.train_dataloader.dataset.proxies_from_epoch == plan.proxies_from_epoch.value == 2
    assert "proxies" not in str(render_config(plan, preset, samples.RUN, stock=True))
    assert "proxies" not in str(render_config(without, preset, samples.RUN))
