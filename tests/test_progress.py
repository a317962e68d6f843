"""A progress bar is for people: what a program reads is not in it, nor is it in what a program reads."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
from autox_video.progress import progress_bar
with progress_bar(2, "doing") as bar:
    print("a line", flush=True)
    bar.advance()
"""


def test_lines_for_a_program_stay_out_of_the_bar_on_the_terminal() -> None:
    terminal, other_end = os.openpty()
    done = subprocess.run([sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=other_end)
    os.close(other_end)
    shown = os.read(terminal, 1 << 16)
    os.close(terminal)
    assert (done.returncode, done.stdout) == (0, b"a line\n")
    assert b"doing" in shown
    assert b"a line" not in shown
