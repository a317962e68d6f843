from __future__ import annotations

import dataclasses
import json
import os
import signal
import tempfile
import time

import odd_videos
import pytest
from mounts import small_disk

from autox_video.decoding import open_video
from autox_video.proxies.background import Writing
from autox_video.proxies.listing import Proxied
from autox_video.writing import clear_leftovers

SIDE, FRAMES = 24, odd_videos.NUM_FRAMES


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A video that takes a moment to read."""
    return odd_videos.write_odd(tmp_path_factory.mktemp("originals") / "a.mp4", width=640, height=480)


def proxied(file, folder, count: int) -> list[Proxied]:
    return [Proxied(str(file), str(folder / f"{number}.mp4"), SIDE, FRAMES) for number in range(count)]


def see_through(writing: Writing, until=lambda: False) -> int:
    """Look until all is seen; the frames that were done."""
    frames, deadline = 0, time.monotonic() + 60
    while writing.is_running() and not until():
        frames += writing.look()
        time.sleep(0.01)
        assert time.monotonic() < deadline
    return frames


def whole(folder) -> list[str]:
    """The proxies that are there, every one of which can be read to its end."""
    names = sorted(path.name for path in folder.glob("*.mp4"))
    for name in names:
        assert open_video(str(folder / name), "pyav").num_frames == FRAMES
    return names


def test_killed_in_the_middle_only_whole_proxies_are_there_and_the_next_run_writes_the_others(file, tmp_path):
    jobs, writing = proxied(file, tmp_path, 8), Writing()
    writing.start(jobs, 1)
    see_through(writing, until=lambda: len(writing.waiting) < 7)
    writing.end()
    there = whole(tmp_path)
    assert 1 <= len(there) < 8
    changed = {name: (tmp_path / name).stat().st_mtime_ns for name in there}
    deadline = time.monotonic() + 30
    while sorted(os.listdir(tmp_path)) != there and time.monotonic() < deadline:
        clear_leftovers(tmp_path)  # once the child is dead, which ends with its parent
        time.sleep(0.05)
    assert sorted(os.listdir(tmp_path)) == there
    again = Writing()
    again.start(jobs, 2)
    assert see_through(again) == 8 * FRAMES
    assert (again.failed, again.waiting) == ({}, {})
    assert sorted(os.listdir(tmp_path)) == whole(tmp_path) == [f"{number}.mp4" for number in range(8)]
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in there} == changed


def test_what_cannot_be_written_is_told_and_costs_no_other(file, tmp_path):
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"this is no video")
    missing = tmp_path / "missing.mp4"
    jobs = proxied(file, tmp_path / "proxies", 1)
    others = [Proxied(str(one), str(tmp_path / "proxies" / f"of_{one.name}"), SIDE, 1) for one in (damaged, missing)]
    writing = Writing()
    writing.start([*jobs, *others], 2)
    see_through(writing)
    assert writing.failed == {
        others[0].proxy: "is no video, or its header is damaged or cut off",
        others[1].proxy: "cannot be read: No such file or directory",
    }
    assert [writing.files[proxy] for proxy in writing.failed] in (
        [str(damaged), str(missing)],
        [str(missing), str(damaged)],
    )
    assert whole(tmp_path / "proxies") == ["0.mp4"]


def test_a_full_disk_ends_the_writing_at_once_with_a_reason_for_each(file, tmp_path):
    folder = tmp_path / "proxies"
    folder.mkdir()
    jobs = proxied(file, folder, 3)
    with small_disk(folder, megabytes=1) as disk, tempfile.TemporaryFile("w+") as lines:
        (disk.view / "other").write_bytes(b"0" * 2**20)
        lines.write("".join(json.dumps(dataclasses.asdict(one)) + "\n" for one in jobs))
        lines.seek(0)
        process = disk.start(str(os.getpid()), "1", module="autox_video.proxies.worker", stdin=lines)
        said = [json.loads(line) for line in process.communicate()[0].splitlines()]
        assert os.listdir(disk.view) == ["other"]
    assert [one["reason"] for one in said] == [
        "no proxy: it cannot be written: No space left on device",
        *["no proxy: the disk is full"] * 2,
    ]
    assert {one["proxy"] for one in said} == {one.proxy for one in jobs}


def test_signals_are_left_to_the_run(file, tmp_path):
    writing = Writing()
    writing.start(proxied(file, tmp_path, 2), 1)
    see_through(writing, until=lambda: len(writing.waiting) < 2)
    assert writing._process is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        writing._process.send_signal(number)
    see_through(writing)
    assert whole(tmp_path) == ["0.mp4", "1.mp4"]
