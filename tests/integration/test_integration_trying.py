from __future__ import annotations

import dataclasses
import json

import pytest

from autox_video import training
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.plan.schema import Decision
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir


@pytest.fixture
def tried(monkeypatch):
    """Work dirs of the runs whose batch was tried; it came to two videos."""
    folders = []

    def found(settings, fingerprint, decided, preset, work_dir):
        folders.append(work_dir.root)
        two = Decision(2, "trial", "measured")
        return dataclasses.replace(decided, videos_per_gpu=two, accumulation=two)

    monkeypatch.setattr(training, "with_tried_batch", found)
    return folders


def prepared(config, root):
    settings, work_dir = load_settings(config, work_dir=root), WorkDir(root)
    return training._prepare(settings, work_dir, fingerprint_dataset(settings, work_dir), None)


def test_a_new_run_is_planned_with_what_was_tried(made_data, tmp_path, tried):
    job = prepared(made_data / "config.yaml", tmp_path)
    assert tried == [tmp_path]
    assert (job.plan.videos_per_gpu.value, job.plan.accumulation.value) == (2, 2)
    assert json.loads((tmp_path / "plan.json").read_text())["videos_per_gpu"]["source"] == "trial"
    assert "batch_size=2" in (tmp_path / "config_rendered.py").read_text()


def test_a_run_that_goes_on_is_not_tried(trained, tmp_path, tried):
    run = trained.copy(tmp_path / "copy")
    assert prepared(run.config, run.work_dir).finished_epochs == 3
    assert tried == []
