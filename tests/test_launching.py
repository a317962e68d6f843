"""What the launcher makes of processes that end, told by small programs in the place of a training."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import samples

from autox_video import launching
from autox_video.launching import launched
from autox_video.stopping import stoppable

HEAD = """
import os, signal, sys, time
rank, restarts = os.environ["RANK"], int(os.environ["AUTOX_VIDEO_LAUNCHER"].split()[1])
def end(number): os.kill(os.getpid(), number); time.sleep(60)
with open(sys.argv[2], "a") as file: print(rank, restarts, *sys.argv[3:], file=file)
# The other is ended as soon as one fails: not before it has written.
while len(open(sys.argv[2]).readlines()) % 2: time.sleep(0.01)
"""


def launch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, *options: str
) -> tuple[int | None, list[str]]:
    """The exit code, and what the started processes wrote down."""
    monkeypatch.setattr(launching, "CODE", HEAD + program)
    settings = samples.settings(runtime={"device": "cpu", "gpus": 2}, work_dir=str(tmp_path / "run"))
    (tmp_path / "run").mkdir(exist_ok=True)
    notes = tmp_path / "notes"
    with stoppable():
        code = launched(settings, [str(notes), *options])
    return code, sorted(notes.read_text().splitlines())


@pytest.mark.parametrize(
    ("program", "code", "attempts", "told"),
    [
        ("", 0, 1, []),
        # What is refused is refused again.
        ("sys.exit(2 if rank == '1' else 0)", 2, 1, []),
        # Somebody has sent a signal to one of them, which has saved and ended.
        ("sys.exit(143 if rank == '1' else 0)", 143, 1, []),
        ("if rank == '1': sys.exit(1)\ntime.sleep(60)", 1, 2, ["failed with code 1"]),
        ("if rank == '1': sys.exit(75)\ntime.sleep(60)", 75, 2, ["made no progress"]),
        ("if rank == '1': end(signal.SIGKILL)\ntime.sleep(60)", 137, 2, ["was ended by SIGKILL"]),
    ],
)
def test_what_failed_is_begun_again_and_what_was_refused_is_not(
    tmp_path, monkeypatch, caplog, program, code, attempts, told
):
    monkeypatch.setattr(launching, "MAX_RESTARTS", 1)
    caplog.set_level("INFO", logger="autox_video")
    got, notes = launch(tmp_path, monkeypatch, program)
    assert (got, len(notes)) == (code, 2 * attempts)
    said = [record.getMessage() for record in caplog.records if record.name == "autox_video.launching"]
    assert said == [
        "start    2 processes, which train or test together",
        *(f"restart  process 1 {how}; beginning again (1 of 1)" for how in told),
        *(f"failed   process 1 {how}, after 1 restarts" for how in told),
    ]


def test_a_run_that_has_begun_goes_on_and_is_not_archived_again(tmp_path, monkeypatch):
    begin = "os.path.exists('{run}/plan.json') or rank == '1' or open('{run}/plan.json', 'w').close()\n"
    fail = "time.sleep(0.2)\nsys.exit(0 if restarts == 2 else 1)"
    program = begin.format(run=tmp_path / "run") + fail
    code, notes = launch(tmp_path, monkeypatch, program, "train", "--fresh")
    assert code == 0
    # The first restart finds the plan of the first attempt: from then on `--fresh` is done with.
    assert launching.MAX_RESTARTS == 3
    assert notes == sorted(f"{rank} {restarts} train --fresh" for rank in (0, 1) for restarts in (0, 1, 2))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_is_handed_on_and_the_processes_take_the_time_they_need(tmp_path, monkeypatch, number):
    # As soon as one has ended, the other gets SIGTERM, which a training that has been asked to stop does not heed.
    program = f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal({int(number)}, lambda *_: (time.sleep(0.5), open(sys.argv[2] + rank, 'w'), sys.exit({128 + number})))\nopen(sys.argv[2] + '.ready' + rank, 'w')\ntime.sleep(60)"
    before = signal.signal(number, signal.SIG_DFL)

    def send() -> None:
        while not all((tmp_path / f"notes.ready{rank}").exists() for rank in (0, 1)):
            time.sleep(0.05)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        code, notes = launch(tmp_path, monkeypatch, program)
    finally:
        sender.join()
        signal.signal(number, before)
    assert (code, len(notes)) == (128 + number, 2)
    assert {path.name for path in tmp_path.glob("notes[01]")} == {"notes0", "notes1"}


def test_who_was_started_by_another_launcher_starts_nobody(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    assert launched(samples.settings(runtime={"device": "cpu", "gpus": 2}), ["train"]) is None


def test_one_process_is_enough_where_nothing_else_is_asked():
    assert launched(samples.settings(runtime={"device": "cpu"}), ["train"]) is None
