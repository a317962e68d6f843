"""Whole runs in this process, for tests of several folders."""

from __future__ import annotations

import contextlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

from autox_video import cli

ROOT = Path(__file__).parent.parent
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


def run_cli(*arguments: str, code: int = 0) -> str:
    """Run a command in this process; returns what it printed."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        got = cli.main(list(arguments))
    assert got == code, text.getvalue()
    return text.getvalue()
