"""One folder with everything that goes wrong with videos and lists: checked, trained on and tested."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from runs import run_cli
from torture_folder import Torture, make_torture

from autox_video.dataset.preflight import Check
from autox_video.errors import RequestError
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir, read_record

COMMENTS = ("train", "val", "test")


@pytest.fixture(scope="module")
def torture(tmp_path_factory) -> Torture:
    made = make_torture(tmp_path_factory.mktemp("torture"))
    made.output = run_cli("check", "-c", str(made.root / "config.yaml"))
    return made
