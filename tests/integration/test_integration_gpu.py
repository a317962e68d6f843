from __future__ import annotations

import json

import pytest
import torch
from runs import run_cli

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("amp", ["off", "float16", "bfloat16"])
def test_training_and_testing_run_on_the_gpu(made_data, tmp_path, amp):
    options = ["-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path), "--set", "runtime.device=cuda"]
    options += ["--set", f"train.amp={amp}", "--set", f"test_results_path={tmp_path / 'results.json'}"]
    torch.cuda.reset_peak_memory_stats()
    run_cli("train", *options, "--set", "epoch=2")
    assert torch.cuda.max_memory_allocated() > 0
    assert "resume   after epoch 2 of 3" in run_cli("train", *options, "--set", "epoch=3")
    run_cli("test", *options)
    assert json.loads((tmp_path / "results.json").read_text())["counts"]["scored"] == 6
