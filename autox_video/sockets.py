"""Where processes make the sockets through which they hand things over."""

from __future__ import annotations

import os
import sys
import tempfile
from multiprocessing.util import get_temp_dir
from pathlib import Path

from autox_video.errors import Problem, RunError

# Of a Unix socket's address, on Linux with its closing zero (on macOS 104); and of what Python adds to a folder for it.
_ADDRESS_BYTES = 108 if sys.platform == "linux" else 104
_ADDED_BYTES = len("/pymp-12345678/listener-12345678") + 1


def make_folder_of_sockets() -> None:
    """Make the folder of the sockets of this process and those it starts, where it is not made yet.

    Left to those, each makes its own, which nobody removes when it is killed; and in a folder for temporary files with
    a long name no socket can be made: what was to go through it is lost, and waited for for ever.

    Raises:
        RunError: It was made before, with too long a name.
    """
    usual = tempfile.gettempdir()
    if _too_long(usual):
        tempfile.tempdir = "/tmp"
    try:
        folder = Path(get_temp_dir()).parent
    finally:
        tempfile.tempdir = usual
    if _too_long(str(folder)):
        wrong = f"its name is too long for a socket in it: over {_ADDRESS_BYTES - _ADDED_BYTES} bytes"
        raise RunError(Problem("TMPDIR", wrong, "Set it to a folder with a shorter name", str(folder)))


def _too_long(folder: str) -> bool:
    return len(os.fsencode(folder)) + _ADDED_BYTES > _ADDRESS_BYTES
