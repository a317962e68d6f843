from __future__ import annotations

import json

import pytest
from runs import run_cli


@pytest.fixture(scope="module")
def benched(made_data, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp("bench")
    options = ["--set", "runtime.workers=1", "--seconds", "1"]
    output = run_cli("bench", "-c", str(made_data / "config.yaml"), "--work-dir", str(work_dir), *options)
    return work_dir, output


def test_the_command_measures_stages_loader_and_step(benched):
    work_dir, output = benched
    found = json.loads((work_dir / "bench.json").read_text(encoding="utf-8"))
    assert list(found) == [
        *("version", "model", "device", "clip_len", "frame_interval", "input_size", "videos_per_gpu", "workers"),
        *("threads", "num_cpus", "timings", "training_videos_per_second", "epoch_seconds", "binds", "waiting_share"),
        "advice",
    ]
    timings = found["timings"]
    assert list(timings) == [
        *("clips", "stages", "loader_videos", "loader_videos_per_second", "step_videos", "step_seconds"),
        "others_videos_per_second",
    ]
    stages = {stage["name"]: stage for stage in timings["stages"]}
    assert {"open", "sample", "decode", "geometry", "pack", "other"} >= set(stages) >= {"sample", "decode", "pack"}
    assert all(list(stage) == ["name", "seconds", "share"] for stage in timings["stages"])
    assert sum(stage["share"] for stage in timings["stages"]) == pytest.approx(1)
    assert stages["decode"]["seconds"] > 0
    # There are 16 training videos.
    assert timings["clips"] == 16
    assert timings["loader_videos"] >= 4
    assert 1 <= timings["step_videos"] <= 4
    rates = [timings["loader_videos_per_second"], timings["step_videos"] / timings["step_seconds"]]
    assert found["training_videos_per_second"] == min(rates)
    assert found["epoch_seconds"] == pytest.approx(16 / min(rates))
    assert found["binds"] == ("data", "step")[rates.index(min(rates))]
    assert all(list(one) == ["change", "gain", "why"] for one in found["advice"])
    assert output.endswith(f"bench    {work_dir / 'bench.json'}\n")
    assert "Warning" not in output


def test_nothing_is_trained_or_left_behind(benched):
    work_dir, _ = benched
    left = {path.name for path in work_dir.iterdir()}
    assert left == {"annotations", "bench.json", "check.json", "fingerprint.json", "probe_cache.json"}


@pytest.mark.gpu
def test_the_step_is_measured_on_the_gpu(made_data, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOX_VIDEO_CACHE", str(tmp_path / "cache"))
    options = ["--set", "runtime.device=cuda", "--set", "videos_per_gpu=auto", "--seconds", "1"]
    output = run_cli("bench", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path), *options)
    assert "measured on this GPU: " in output
    assert "on cuda, " in output
