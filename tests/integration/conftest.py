from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import videos
from processes_of_their_own import Starter
from runs import FAST, Run, run_cli


@pytest.fixture(scope="session")
def made_data(tmp_path_factory) -> Path:
    """Data and config.yaml of a small job; only to be read."""
    folder = tmp_path_factory.mktemp("job")
    lists = videos.write_dataset(folder)
    (folder / "videos" / "broken.mp4").write_bytes(b"this is no video")
    test_list = folder / "test_list.txt"
    lines = test_list.read_text().splitlines()
    test_list.write_text("\n".join([*lines[:2], "broken.mp4 dark", *lines[2:]]) + "\n")
    # One broken file among seven is within the fifth that is put up with.
    videos.write_config(
        folder / "config.yaml", **lists, **FAST, epoch=3, work_dir="run", test_results_path="run/results.json"
    )
    return folder


@pytest.fixture(scope="session")
def trained(made_data, tmp_path_factory) -> Run:
    """One trained and tested run, shared; only to be read."""
    folder = tmp_path_factory.mktemp("trained") / "job"
    shutil.copytree(made_data, folder)
    output = run_cli("train", "-c", str(folder / "config.yaml"))
    output += run_cli("test", "-c", str(folder / "config.yaml"))
    return Run(folder, folder / "run", folder / "config.yaml", output)


@pytest.fixture(scope="session")
def own_process(tmp_path_factory) -> Iterator[Starter]:
    """Runs command lines in processes of their own."""
    starter = Starter(tmp_path_factory.mktemp("own_process"))
    yield starter
    starter.close()
