"""A full disk and a small /dev/shm, on real file systems of that size."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
import torch
import videos
import yaml
from mounts import small_disk


def test_a_disk_too_small_for_the_checkpoints_is_refused_before_training(made_data, tmp_path):
    with small_disk(tmp_path, megabytes=14) as disk:
        output = disk.run("train", "-c", str(made_data / "config.yaml"), "--work-dir", str(disk.folder), code=2)
        assert re.fullmatch(
            re.escape(f"{tmp_path}: checkpoints take up to ")
            + r"2\d\.\d MB, and there is less room \(got 14\.\d MB free\)\. Free space, or choose another work_dir\.",
            output.splitlines()[-1],
        )
        assert not list(disk.view.glob("*.pth"))


def test_a_disk_that_fills_up_ends_the_run_with_the_last_state_whole_and_it_goes_on(made_data, tmp_path):
    command = ("train", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path), "--set")
    with small_disk(tmp_path, megabytes=32) as disk:
        process = disk.start(*command, "epoch=40")
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch  2/40"):
                break
        fill(disk.view / "other")
        output, _ = process.communicate()
        assert process.returncode == 1, output
        assert re.fullmatch(
            rf"{re.escape(str(tmp_path))}/\S+: cannot be written: No space left on device. Free space or choose another work_dir.",
            output.splitlines()[-1],
        )
        assert "Traceback" not in output
        assert not list(disk.view.rglob("*.tmp"))
        saved = torch.load(disk.view / "last.pth", weights_only=True)["meta"]["epoch"]
        assert saved >= 1
        (disk.view / "other").unlink()
        assert f"epoch {saved + 1}/{saved + 1}" in disk.run(*command, f"epoch={saved + 1}")


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as opened, contextlib.suppress(OSError):
        while True:
            opened.write(b"\0" * 4096)


# Five processes with two batches ahead would need 58 MB, which 64 MB do not hold with room for others.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("megabytes", "workers", "note"), [(1, 0, "none of them"), (64, 5, "5 of them, each one batch ahead")]
)
def test_a_small_dev_shm_cuts_what_is_decoded_ahead_and_training_ends_well(megabytes, workers, note, tmp_path):
    lists = videos.write_dataset(tmp_path, train=4, val=2, test=1)
    config = videos.write_config(
        tmp_path / "config.yaml",
        **lists,
        epoch=1,
        videos_per_gpu=4,
        work_dir="run",
        clip={"clip_len": 8, "input_size": 224},
        model={"name": "video_swin_nano", "load_from": "none"},
        runtime={"device": "cpu", "workers": 5},
    )
    with small_disk(Path("/dev/shm"), megabytes) as disk:
        output = disk.run("train", "-c", str(config))
    (said,) = [line for line in output.splitlines() if "/dev/shm" in line]
    assert said.startswith("note     5 decoding processes would pass ")
    assert said.endswith(f": {note}. More: docker run --shm-size=8g")
    plan = yaml.safe_load((tmp_path / "run" / "plan.json").read_text())
    assert plan["workers"]["value"] == workers
    assert (tmp_path / "run" / "best.pth").is_file()
