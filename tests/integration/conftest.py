from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import videos

from autox_video import cli

FAST = {
    "model": {"name": "video_swin_nano", "load_from": "none"},
    "clip": {"clip_len": 4},
    "videos_per_gpu": 4,
    "runtime": {"device": "cpu", "workers": 0},
}


@dataclass(frozen=True)
class Run:
    """A folder with data, a config.yaml and a finished run."""

    folder: Path
    work_dir: Path
    config: Path
    output: str

    def copy(self, folder: Path) -> Run:
        """The same run somewhere else, free to be changed."""
        shutil.copytree(self.folder, folder)
        return Run(folder, folder / "run", folder / "config.yaml", self.output)


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
    videos.write_config(folder / "config.yaml", **lists, **FAST, epoch=3, work_dir="run", test_results_path="run/results.json")
    return folder


@pytest.fixture(scope="session")
def trained(made_data, tmp_path_factory) -> Run:
    """One trained and tested run, shared; only to be read."""
    folder = tmp_path_factory.mktemp("trained") / "job"
    shutil.copytree(made_data, folder)
    output = run_cli("train", "-c", str(folder / "config.yaml"))
    output += run_cli("test", "-c", str(folder / "config.yaml"))
    return Run(folder, folder / "run", folder / "config.yaml", output)


def run_cli(*arguments: str, code: int = 0) -> str:
    """Run a command in this process; returns what it printed."""
    import contextlib
    import io

    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        got = cli.main(list(arguments))
    assert got == code, text.getvalue()
    return text.getvalue()
