from __future__ import annotations

import csv

import pytest
from runs import run_cli


@pytest.mark.parametrize("name", ["last.pth", "best.safetensors"])
def test_a_pretrained_file_is_started_from_and_never_resumed(name, trained, tmp_path):
    """`last.pth` holds an epoch, an optimizer and a schedule; a run that starts from it has none of them."""
    path = trained.work_dir / name
    new = ["-c", str(trained.config), "--work-dir", str(tmp_path / "new"), "--set", f"model.load_from={path}"]
    output = run_cli("train", *new, "--set", "epoch=1")
    (said,) = [line for line in output.splitlines() if line.startswith("loaded ")]
    assert said == f"loaded 67 of 67 tensors from {name}"
    assert "resume" not in output
    with (tmp_path / "new" / "metrics.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]
    log = (tmp_path / "new" / "train.log").read_text()
    assert f"{name}: loaded (67): backbone.patch_embed.proj.weight, " in log
    assert f"{name}: missing (0): none" in log
    assert f"{name}: unexpected (0): none" in log
    if name == "last.pth":
        resumed = run_cli("train", *new, "--set", "epoch=2")
        assert "resume   after epoch 1 of 2" in resumed
        assert "loaded 67" not in resumed
