"""Two processes train with a share of the network each: what they save is whole, and a killed run ends the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import exact
import pytest
import torch
import videos
from exact import Job, KilledError, differences, last_state
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from runs import FAST, run_cli
from several import in_processes

from autox_video.plan.rules import strategy
from autox_video.runner.checkpoints import load_checkpoint_file

SHARES: dict[str, Any] = {
    "videos_per_gpu": 4,
    "train": {"amp": "bfloat16", "freeze": "stages:1", "clip_grad": 1.0, "val_interval": 1},
    "runtime": {**FAST["runtime"], "gpus": 2, "strategy": "fsdp"},
    # The first process has two batches of a validation, the other one.
    "cfg_options": {"val_dataloader.batch_size": 2},
}


@HOOKS.register_module(force=True)
class HeldHook(Hook):
    """Notes the share of the network that this process holds after each step."""

    held: list[float] = []  # noqa: RUF012 -- of the process, which ends with the test

    def between_steps(self, runner: Any) -> None:
        own = sum(getattr(one, "_local_tensor", one).numel() for one in runner.model.parameters())
        moments = [state["exp_avg"] for state in runner.optim_wrapper.optimizer.state.values()]
        assert all(one.to_local().numel() < one.numel() for one in moments if one.shape[0] % 2 == 0)
        self.held.append(own / sum(one.numel() for one in runner.model.parameters()))


def straight_and_killed(job: Job, folder: Path) -> list[float]:
    """A training, and one that is killed inside an epoch and inside a validation; the shares that were held."""
    held = {"type": "HeldHook"}
    job.run(folder / "straight", held)
    for hook in (
        {"type": "InterruptHook", "save_at": 1, "stop_at": 2},
        {"type": "InterruptValidationHook", "epochs": 1},
        {"type": "InterruptHook", "save_at": 3, "stop_at": 3},
    ):
        with pytest.raises(KilledError):
            job.run(folder / "killed", held, hook)
    job.run(folder / "killed", held)
    return HeldHook.held


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Sixteen videos, two steps an epoch, two epochs; starts from the weights beside it."""
    folder = tmp_path_factory.mktemp("shares")
    lists = videos.write_dataset(folder)
    lines = (folder / "val_list.txt").read_text().splitlines()
    (folder / "val_list.txt").write_text("\n".join(lines[1:]))
    written = videos.write_config(folder / "one.yaml", **lists, **{**FAST, "videos_per_gpu": 8, "epoch": 2})
    with pytest.raises(KilledError):
        exact.make_job(written, folder / "plan").run(
            folder / "first", {"type": "InterruptHook", "save_at": 1, "stop_at": 1}
        )
    weights = load_checkpoint_file(folder / "first" / "last.pth")["state_dict"]
    torch.save({"state_dict": weights}, folder / "weights.pth")
    model = {"name": "video_swin_nano", "load_from": str(folder / "weights.pth")}
    return videos.write_config(folder / "config.yaml", **lists, **{**FAST, "model": model, "epoch": 2, **SHARES})


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory) -> tuple[Path, list[float]]:
    """The runs `straight` and `killed`, and the shares that were held."""
    folder = tmp_path_factory.mktemp("trained")
    job = exact.make_job(config, folder / "plan")
    assert job.plan.strategy.value == "fsdp"
    answers = in_processes(2, straight_and_killed, job, folder)
    assert [answer for answer, _ in answers if isinstance(answer, str)] == []
    return folder, [share for held, _ in answers for share in held]


def test_each_process_holds_half_of_the_network(trained):
    _, held = trained
    assert len(held) >= 2 * 2 * 4  # two processes, two runs, four steps
    assert all(0.45 < share < 0.55 for share in held)


def test_a_killed_training_ends_with_the_same_bits(trained):
    folder, _ = trained
    assert differences(last_state(folder / "killed"), last_state(folder / "straight")) == []


def test_what_is_saved_is_whole_and_began_with_the_pretrained_weights(trained, config):
    folder, _ = trained
    first = load_checkpoint_file(config.with_name("weights.pth"))["state_dict"]
    last = load_checkpoint_file(folder / "straight" / "last.pth")
    assert {name: one.shape for name, one in last["state_dict"].items()} == {n: one.shape for n, one in first.items()}
    changed = {name for name, one in last["state_dict"].items() if not torch.equal(one, first[name])}
    assert changed == {name for name in changed if not name.startswith(("backbone.patch_embed", "backbone.layers.0"))}
    assert any(name.startswith("backbone.layers.1") for name in changed)
    moments = [tuple(state["exp_avg"].shape) for state in last["optimizer"]["state"].values()]
    assert sorted(moments) == sorted(tuple(last["state_dict"][name].shape) for name in changed)


def test_one_process_goes_on_and_tests(trained, config, tmp_path):
    folder, _ = trained
    options = ["-c", str(config), "--work-dir", str(folder / "straight"), "--set", "runtime.gpus=1"]
    output = run_cli("train", *options, "--set", "epoch=3", "--set", "videos_per_gpu=8")
    assert "resume   after epoch 2 of 3" in output
    assert "(6 of 6 videos scored)" in run_cli("test", *options, "--set", f"test_results_path={tmp_path / 'r.json'}")


def test_a_torch_without_shares_is_named(config, tmp_path, monkeypatch):
    monkeypatch.setattr(strategy, "version", lambda package: "2.4.1+cu121")
    output = run_cli("plan", "-c", str(config), "--work-dir", str(tmp_path), code=2)
    assert output.splitlines()[-1] == (
        "config.yaml:15: runtime.strategy: shares need torch 2.8, and this is 2.4.1+cu121 (got fsdp). "
        "Install torch 2.8 or newer, or write ddp."
    )


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("amp", ["off", "bfloat16", "float16"])
def test_two_gpus_share_a_network(config, tmp_path, amp):
    options = ["-c", str(config), "--work-dir", str(tmp_path / "run"), "--set", "runtime.device=cuda"]
    options += ["--set", f"train.amp={amp}", "--set", f"test_results_path={tmp_path / 'results.json'}"]
    run_cli("train", *options)
    run_cli("train", *options, "--set", "epoch=3")
    assert load_checkpoint_file(tmp_path / "run" / "last.pth")["meta"]["epoch"] == 3
    run_cli("test", *options)
    assert json.loads((tmp_path / "results.json").read_text())["counts"]["scored"] == 6
