from __future__ import annotations

import os
import types

import pytest

from autox_video import RequestError
from autox_video.plan.room import Need, check_room, checkpoint_need, download_need
from autox_video.work_dir import WorkDir

MODEL = 1_000_000
# 12 bytes a parameter and a tenth, and a megabyte.
STATE = 14_200_000


@pytest.mark.parametrize(
    ("there", "needed"),
    [
        ({}, 4 * STATE + 4_000_000),
        ({"last.pth": 14_000_000, "best.pth": 13_000_000}, 4 * STATE + 4_000_000 - 27_000_000),
        # All are there: only the one in writing comes on top of them.
        (
            {"last.pth": 14_200_000, "previous.pth": 14_200_000, "best.pth": 14_200_000, "best.safetensors": 4_000_000},
            STATE,
        ),
        ({"last.pth": 99_000_000}, STATE),
    ],
)
def test_checkpoints_need_room_for_those_that_are_not_there_and_one_in_writing(there, needed, tmp_path):
    for name, size in there.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert checkpoint_need(WorkDir(tmp_path), MODEL) == Need(tmp_path, "checkpoints", needed)


def free(monkeypatch, num_bytes: int, blocks: int = 10**9) -> None:
    facts = types.SimpleNamespace(f_bavail=num_bytes, f_frsize=1, f_blocks=blocks)
    monkeypatch.setattr(os, "statvfs", lambda folder: facts)


def test_needs_on_one_disk_are_added_up_and_both_are_named(tmp_path, monkeypatch):
    needs = [
        Need(tmp_path / "run" / "to be made", "checkpoints", 2_500_000_000),
        download_need(tmp_path / "cache" / "weights.pth", 10_000_000),
    ]
    free(monkeypatch, 2_544_000_000)
    check_room(needs)
    free(monkeypatch, 2_543_999_999)
    with pytest.raises(RequestError) as caught:
        check_room(needs)
    assert str(caught.value) == (
        f"{tmp_path}/run/to be made: checkpoints take up to 2.50 GB and pretrained weights take up to 44.0 MB, "
        "and there is less room (got 2.54 GB free). Free space, or choose another work_dir."
    )


def test_a_file_system_that_does_not_say_what_is_free_is_not_refused(tmp_path, monkeypatch):
    free(monkeypatch, 0, blocks=0)
    check_room([Need(tmp_path, "checkpoints", 10**12)])
