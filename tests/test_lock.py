"""Two trainings never share a work dir, and a killed one never blocks the next."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autox_video import RequestError
from autox_video.lock import only_run

ROOT = Path(__file__).parent.parent
# Holds the lock; its forked child, as a decoding process is one, lives on.
HOLDER = """
import os, sys, time
from pathlib import Path
from autox_video.lock import only_run
with only_run(Path(sys.argv[1])):
    if os.fork() == 0:
        print(os.getpid(), flush=True)
    time.sleep(60)
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_second_training_is_refused_with_who_holds_the_work_dir(tmp_path):
    holder = start_holder(tmp_path)
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    try:
        with pytest.raises(RequestError) as caught, only_run(tmp_path):
            pass
        message = (
            re.escape(
                f"{tmp_path}: another training is running here (got pid {holder.pid} on {os.uname().nodename}, since "
            )
            + r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: "
            + re.escape(f"-c {tmp_path}). Wait until it ends, stop it, or choose another work_dir.")
        )
        assert re.fullmatch(message, str(caught.value))
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        os.kill(child, 0)  # still there, and yet:
        with only_run(tmp_path):
            assert f"pid {os.getpid()} on " in (tmp_path / ".lock").read_text()
    finally:
        os.kill(child, signal.SIGKILL)
        holder.kill()
        holder.communicate()


def test_the_lock_is_free_after_the_run_whether_it_failed_or_not(tmp_path):
    with pytest.raises(ZeroDivisionError), only_run(tmp_path / "run"):
        raise ZeroDivisionError
    assert (tmp_path / "run" / ".lock").read_text() == ""
    with only_run(tmp_path / "run"):
        pass
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_said_and_the_run_goes_on(number, tmp_path, monkeypatch, caplog):
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(logging.getLogger("autox_video"), "handlers", [caplog.handler])
    monkeypatch.setattr(logging.getLogger("autox_video"), "propagate", False)
    with only_run(tmp_path):
        pass
    assert caplog.messages == [
        f"warning  {tmp_path} cannot be locked ({os.strerror(number)}): see to it that no other training runs there"
    ]
