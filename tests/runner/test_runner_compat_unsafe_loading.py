from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from mmengine.runner import CheckpointLoader, load_checkpoint
from mmengine.runner.checkpoint import load_from_local
from tiny_runner import OneLayer, tiny_runner

from autox_video.errors import RequestError, RunError
from autox_video.runner.compat import unsafe_loading


@pytest.fixture(autouse=True)
def applied() -> None:
    unsafe_loading.apply()


@pytest.fixture(scope="module")
def stock_run(tmp_path_factory) -> Path:
    """A run of stock MMEngine: `epoch_2.pth` holds its log and numpy values."""
    work_dir = tmp_path_factory.mktemp("stock")
    tiny_runner(work_dir).train()
    return work_dir


class RunsCode:
    """Runs code when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.skipif(torch.__version__ < "2.6", reason="before 2.6 torch unpickles what it is given")
def test_stock_cannot_load_its_own_checkpoint(stock_run):
    with pytest.raises(pickle.UnpicklingError, match="HistoryBuffer"):
        load_from_local(str(stock_run / "epoch_2.pth"), "cpu")


def test_stock_mmengine_resumes_its_own_checkpoint(stock_run):
    runner = tiny_runner(stock_run, epochs=3, load_from=str(stock_run / "epoch_2.pth"), resume=True)
    runner.train()
    assert (runner.epoch, runner.iter) == (3, 6)
    # The log goes on: two steps an epoch, the first two epochs from the file.
    assert len(runner.message_hub.get_scalar("train/loss").data[0]) == 6


def test_code_in_the_config_of_a_checkpoint_is_not_run_on_resume(stock_run, tmp_path):
    checkpoint = CheckpointLoader.load_checkpoint(str(stock_run / "epoch_2.pth"), "cpu")
    checkpoint["meta"]["config"] = f"__import__('os').mkdir({str(tmp_path / 'ran')!r})"
    torch.save(checkpoint, tmp_path / "bad.pth")
    runner = tiny_runner(tmp_path / "run", epochs=2, load_from=str(tmp_path / "bad.pth"), resume=True)
    runner.train()
    assert runner.epoch == 2
    assert not (tmp_path / "ran").exists()


def test_a_file_that_runs_code_is_refused_by_name(tmp_path):
    torch.save({"state_dict": RunsCode(tmp_path / "ran")}, tmp_path / "bad.pth")
    with pytest.raises(
        RunError, match=r"holds objects that only running its code can rebuild \(got (posix|os)\.mkdir\)"
    ):
        load_checkpoint(OneLayer(), str(tmp_path / "bad.pth"))
    assert not (tmp_path / "ran").exists()


def test_a_file_is_found_below_the_home_folder(stock_run, monkeypatch):
    monkeypatch.setenv("HOME", str(stock_run))
    assert "state_dict" in CheckpointLoader.load_checkpoint("~/epoch_1.pth", "cpu")


def test_a_url_goes_through_the_verified_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOX_VIDEO_CACHE", str(tmp_path))
    from autox_video.runner.weights import cache_path

    url = "http://127.0.0.1:9/best.pth"
    cache_path(url).parent.mkdir(parents=True)
    torch.save({"state_dict": OneLayer().state_dict()}, cache_path(url))
    assert list(CheckpointLoader.load_checkpoint(url)["state_dict"]) == ["layer.weight", "layer.bias"]
    cache_path(url).write_bytes(b"<html>")
    with pytest.raises(RequestError, match="is a web page, not a checkpoint"):
        CheckpointLoader.load_checkpoint(url)


@pytest.mark.parametrize(
    "url", ["torchvision://resnet50", "openmmlab://resnet50", "s3://b/k.pth", "petrel:s3://b/k.pth"]
)
def test_schemes_that_unpickle_are_refused(url):
    with pytest.raises(RequestError) as caught:
        CheckpointLoader.load_checkpoint(url)
    assert str(caught.value) == (
        f"load_from: is a scheme of MMEngine that runs the code in the files it loads (got {url!r}). "
        "Download the file and give its path, or give a URL that starts with https://."
    )


def test_every_scheme_of_mmengine_is_ours():
    ours = {
        unsafe_loading.load_from_local,
        unsafe_loading.load_from_http,
        unsafe_loading.load_from_elsewhere,
    }
    assert set(CheckpointLoader._schemes.values()) == ours
