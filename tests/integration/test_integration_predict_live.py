"""`autox-video predict` on streams, which PyAV writes into a pipe or sends on, and copies with the labels drawn in."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
from pathlib import Path

import av
import numpy as np
import odd_videos
import pytest
import videos
from runs import run_cli

from autox_video.decoding import open_file
from autox_video.errors import RunError
from autox_video.using.predict.annotated import letters
from autox_video.using.predict.windows import Cut, windows_of, without_password

FPS = 12


def encode(target, seconds: float, over: threading.Event | None = None, jump: float = 0.0) -> None:
    """Seconds of dark and light in turn; with `over`, faster than a camera gives them, until that is set."""
    with av.open(target, "w", format="mpegts") as output:
        options = {"preset": "ultrafast", "g": "6", "tune": "zerolatency"}
        stream = output.add_stream("libx264", rate=FPS, options=options)
        stream.width = stream.height = 32
        number = 0
        while number < seconds * FPS and not (over and over.wait(1 / FPS / 4)):
            picture = np.full((32, 32, 3), 215 if number // FPS % 2 else 40, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number + (round(jump * FPS) if number >= seconds * FPS / 2 else 0)
            output.mux(stream.encode(frame))
            number += 1
        output.mux(stream.encode(None))


def pour(pipe: str, seconds: float, jump: float = 0.0) -> threading.Thread:
    """Write a stream into a pipe, in a thread. (PyAV itself would hold up all others until someone reads.)"""
    content = io.BytesIO()
    encode(content, seconds, jump=jump)
    thread = threading.Thread(target=Path(pipe).write_bytes, args=(content.getvalue(),), daemon=True)
    thread.start()
    return thread


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.ts")
    return str(tmp_path / "pipe.ts")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_windows_of_a_pipe_come_at_a_steady_rate_and_are_named_by_their_times(trained, tmp_path, pipe):
    thread = pour(pipe, 6)
    output = tmp_path / "p.json"
    options = (
        "--model",
        str(trained.work_dir),
        "--device",
        "cpu",
        "-o",
        str(output),
        "--window",
        "0.75",
        "--every",
        "1",
    )
    printed = run_cli("predict", pipe, *options)
    thread.join()
    results = json.loads(output.read_text())
    found = [(row["start_seconds"], row["end_seconds"], row["predicted_label"]["name"]) for row in results["videos"]]
    # A window ends 0.75 s after the beginning, and then each second: those of the first second of each colour are pure.
    assert [end for _, end, _ in found] == [0.75, 1.75, 2.75, 3.75, 4.75, 5.75]
    assert [round(end - start, 3) for start, end, _ in found] == [0.75] * 6
    assert [name for _, _, name in found] == ["dark", "light"] * 3
    lines = [line for line in printed.splitlines() if " s  " in line]
    assert lines[0].startswith("    0.00 - 0.75 s  dark ")
    assert printed.splitlines()[-2:] == ["watched  6 windows", f"results  {output}"]
    assert (tmp_path / "p.journal.jsonl").read_text().count("\n") == 7


def test_a_live_stream_ends_well_at_ctrl_c(trained, tmp_path, own_process):
    over = threading.Event()
    address = f"udp://127.0.0.1:{free_port()}"
    thread = threading.Thread(target=encode, args=(f"{address}?pkt_size=1316", 600, over), daemon=True)
    thread.start()
    output = tmp_path / "p.json"
    options = ("--model", str(trained.work_dir), "--device", "cpu", "-o", str(output), "--average", "2")
    try:
        ended = own_process.run("predict", address, *options, place="row", calls=3, name="SIGINT")
    finally:
        over.set()
        thread.join()
    assert (ended.code, ended.left) == (0, [])
    assert ended.output[-2:] == ["watched  3 windows", f"results  {output}"]
    assert len(json.loads(output.read_text())["videos"]) == 3


def test_a_clock_that_is_set_anew_does_not_stop_the_windows(pipe):
    thread = pour(pipe, 4, jump=3600)
    cut = Cut(lambda fps: 0.5, None, 16)
    windows = list(windows_of(pipe, cut))
    thread.join()
    assert [round(window.end, 2) for window in windows] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert {window.frames.shape for window in windows} == {(6, 16, 16, 3)}


def test_a_stream_that_cannot_be_read_says_so_without_its_password():
    assert without_password("rtsp://me:secret@camera/1") == "rtsp://camera/1"
    with pytest.raises(RunError) as caught:
        list(windows_of("tcp://me:secret@127.0.0.1:9", Cut(lambda fps: 1.0, None, 16)))
    assert str(caught.value) == (
        "tcp://127.0.0.1:9: cannot be read: Connection refused. Look whether it plays elsewhere, and whether another "
        "program holds it."
    )


def test_whatever_goes_wrong_with_a_stream_ends_the_waiting(pipe):
    def seconds(fps):
        raise ZeroDivisionError("no length")

    pour(pipe, 1)
    with pytest.raises(RunError) as caught:
        list(windows_of(pipe, Cut(seconds, None, 32)))
    assert str(caught.value) == (
        f"{pipe}: cannot be read: no length. Look whether it plays elsewhere, and whether another program holds it."
    )


def test_a_stream_that_leads_to_files_of_this_machine_is_not_followed(pipe, tmp_path):
    video = videos.write_video(tmp_path / "private.mp4")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{video}\n#EXT-X-ENDLIST\n"
    thread = threading.Thread(target=Path(pipe).write_text, args=(playlist,), daemon=True)
    thread.start()
    with pytest.raises(RunError) as caught:
        list(windows_of(pipe, Cut(lambda fps: 0.5, None, 16)))
    assert "cannot be read: Invalid" in str(caught.value)


@pytest.mark.parametrize("kind", ["turned", "uneven", "odd size", "images", "piece"])
def test_a_copy_with_its_label_has_the_frames_times_and_size_of_its_video(kind, trained, tmp_path):
    file, given, frames = tmp_path / "a.mp4", None, slice(None)
    if kind == "turned":
        odd_videos.turn(videos.write_video(file, size=64), 90)
    elif kind == "uneven":
        odd_videos.write_odd(file, milliseconds=odd_videos.uneven_times())
    elif kind == "odd size":
        file = videos.write_images(tmp_path / "a", size=(65, 49), frames=6)
    elif kind == "images":
        file = videos.write_images(tmp_path / "a", size=(64, 48), frames=6)
    else:
        videos.write_video(file, size=64, frames=12)
        given = tmp_path / "list.csv"
        given.write_text("path,label,start,end\na.mp4,dark,0.25,0.75\n")
        frames = slice(3, 9)
    options = ("--model", str(trained.work_dir), "--device", "cpu", "--workers", "0", "-o", str(tmp_path / "p.json"))
    run_cli("predict", str(given or file), *options, "--annotate", str(tmp_path / "drawn"))
    (drawn,) = (tmp_path / "drawn").rglob("*.mp4")
    copy = open_file(str(drawn))
    from autox_video.decoding import FILES, IMAGES, open_video

    original = open_video(str(file), IMAGES if file.is_dir() else FILES)
    assert (copy.width, copy.height) == (original.width, original.height)
    times = original.times()[frames]
    np.testing.assert_allclose(copy.times(), times - times[0], atol=1e-3)
    before, after = (
        reader.frames([index]) for reader, index in ((original, range(original.num_frames)[frames][0]), (copy, 0))
    )
    # The letters stand at the top; the rest is as it was, but for the compression.
    assert np.abs(before[0, -16:].astype(int) - after[0, -16:]).mean() < 12
    assert np.abs(before[0, :16, :24].astype(int) - after[0, :16, :24]).mean() > 25


def test_letters_of_every_script_are_drawn_or_marked():
    assert letters("Jump é 0.93", 20).any()
    assert letters("跳跃", 20).any()


def test_copies_that_would_show_something_else_are_drawn_anew_and_no_other_file_is_replaced(trained, tmp_path):
    videos.write_video(tmp_path / "in" / "a.mp4", size=64, frames=3)
    drawn, other = tmp_path / "drawn" / "a.mp4", tmp_path / "drawn" / "b.mp4"
    options = ("--model", str(trained.work_dir), "--device", "cpu", "--workers", "0", "-o", str(tmp_path / "p.json"))
    command = ("predict", str(tmp_path / "in"), *options, "--annotate", str(tmp_path / "drawn"))

    def copy(*more: str) -> tuple[int, bytes]:
        assert ("goes on" in run_cli(*command, *more)) == begun
        return drawn.stat().st_mtime_ns, drawn.read_bytes()

    begun = False
    first = copy()
    begun = True
    assert copy() == first
    both = copy("--top-k", "2")
    assert both[1] != first[1]
    assert copy("--top-k", "2") == both
    assert copy()[1] == first[1]
    videos.write_video(tmp_path / "in" / "b.mp4", size=64, frames=3)
    other.write_bytes(b"mine")
    assert run_cli(*command, code=2) == (
        f"--annotate: would replace what is no copy that `predict` drew (got {other}). Move it away, or name another "
        "folder.\n"
    )
    assert other.read_bytes() == b"mine"
