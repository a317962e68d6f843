"""Damaged videos through `check`, an epoch of training and a test: no crash, no hang, everything named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from damaged import write_fuzz_job
from runs import ROOT, run_cli

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.preflight import Check
from autox_video.records import read_record
from autox_video.work_dir import WorkDir

LIMIT_SECONDS = 900


def test_damaged_videos_are_trained_on_or_named(tmp_path):
    names = write_fuzz_job(tmp_path, 60)
    config = str(tmp_path / "config.yaml")
    run_cli("check", "-c", config)
    output = run_cli("train", "-c", config)
    run_cli("test", "-c", config)
    assert_all_accounted_for(tmp_path, names, output)


@pytest.mark.slow
def test_four_hundred_damaged_videos_are_trained_on_or_named(tmp_path):
    names = write_fuzz_job(tmp_path, 400, seed=400)
    outputs = [command(tmp_path, name) for name in ("check", "train", "test")]
    print(assert_all_accounted_for(tmp_path, names, outputs[1]))


def command(root: Path, name: str) -> str:
    """Run a command as a person does, so that a crash of it costs only itself."""
    line = [sys.executable, "-m", "autox_video", name, "-c", str(root / "config.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, capture_output=True, text=True, timeout=LIMIT_SECONDS, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def assert_all_accounted_for(root: Path, names: list[str], output: str) -> Counter[str]:
    """Each damaged video is trained on, or left out by name with its row, or replaced by name; how many of each."""
    work_dir = WorkDir(root / "run")
    check = read_record(work_dir.check, Check)
    left_out = {finding.where: finding for finding in check.findings if finding.level == "left out"}
    used = {row.path: row.decoder for row in read_rows(work_dir.annotations("train"))}
    results = json.loads((work_dir.root / "results.json").read_text())
    errors = {row["file"]: row["error"] for row in results["videos"]}
    replaced = re.findall(r"warning {2}(.*?) (?:is|has|cannot|was)\b.*although it could be read before", output)
    lost = {os.path.relpath(path, root / "videos") for path in replaced}
    counts: Counter[str] = Counter()
    for number, name in enumerate(names, 1):
        finding = left_out.get(f"all.txt:{number}")
        assert (name in used) != (finding is not None), name
        if finding is None:
            counts[f"read with {used[name]}"] += 1
            counts["read at the preflight and not in training"] += name in lost
            assert errors[name] is None or name in lost or "cannot be decoded" in errors[name]
        else:
            counts[f"left out: {finding.kind}"] += 1
            assert finding.text == f"{name} {errors[name]}"
    assert not any(finding.where.startswith("all.txt:") and name.startswith("good/") for name in lost)
    assert len(results["videos"]) == 3 * len(names)
    counts["the decoder crashed in the child"] = sum("crashes" in finding.text for finding in check.findings)
    return counts
