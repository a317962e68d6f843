from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from videos import write_video

import autox_video
from autox_video.dataset import probe
from autox_video.dataset.frame_hashes import frame_hashes
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.dataset.probe_pool import WORKER, read_videos
from autox_video.decoding import FILES, in_words, open_video
from autox_video.progress import Bar


def frames_of(path: Path, *positions: int) -> tuple[str, ...]:
    return tuple(frame_hashes(open_video(str(path), FILES).frames(positions)))


def digest_of(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def seen(path: Path, *positions: int) -> dict:
    return {"digest": digest_of(path), "frame_hashes": frames_of(path, *positions)}


def test_facts_are_those_of_the_file(tmp_path):
    path = write_video(tmp_path / "a.mp4", frames=15, size=64, fps=7.5)
    facts = probe_videos([str(path)], tmp_path / "cache.json")[str(path)]
    assert facts == VideoFacts(
        num_frames=15,
        fps=7.5,
        width=64,
        height=64,
        size_bytes=path.stat().st_size,
        duration_seconds=2.0,
        **seen(path, 0, 7, 14),
    )


def test_every_unusable_file_gets_its_reason_and_the_others_are_read(tmp_path, clip, crasher):
    content, cut = clip.read_bytes(), open_video(str(crasher), "pyav")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 100)
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "broken.mp4").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    shutil.copy(crasher, tmp_path / "cut.avi")
    one = write_video(tmp_path / "one.mp4", frames=1)
    good = {
        name: shutil.copy(clip, tmp_path / name) for name in ("-a.mp4", "跳 舞.mp4", "🎬.mp4", "tab\t.mp4", "noending")
    }
    facts = VideoFacts(6, 12.0, 32, 32, clip.stat().st_size, 0.5, **seen(clip, 0, 3, 5))
    seen_of_cut = {"digest": digest_of(crasher), "frame_hashes": tuple(frame_hashes(cut.frames([0, 6, 12])))}
    no_video = "is no video, or its header is damaged or cut off"
    expected: dict[str, object] = {
        "empty.mp4": "is empty",
        "folder.mp4": "is a folder without numbered images",
        "text.mp4": no_video,
        "cut.mp4": no_video,
        "pipe.mp4": "is not a regular file",
        "broken.mp4": "does not exist",
        "loop.mp4": "cannot be read: Too many levels of symbolic links",
        "cut.avi": VideoFacts(13, 10.0, 64, 48, crasher.stat().st_size, 1.3, "pyav", "it is cut off", **seen_of_cut),
        "missing.mp4": "does not exist",
        "empty.mp4/x.mp4": "does not exist",
        "one.mp4": VideoFacts(1, 12.0, 32, 32, one.stat().st_size, 0.083333, **seen(one, 0, 0, 0)),
        **dict.fromkeys(good, facts),
    }
    found = probe_videos([str(tmp_path / name) for name in expected], tmp_path / "cache.json")
    assert {os.path.relpath(path, tmp_path): result for path, result in found.items()} == expected


def test_a_hang_costs_only_that_file(tmp_path, clip):
    os.mkfifo(tmp_path / "hang.mp4")
    files = [str(tmp_path / "hang.mp4"), str(clip)]
    answers = dict(read_videos(files, num_workers=1, limit_seconds=1.5))
    assert answers[files[0]] == {"reason": "takes longer than 1.5 s to read", "lasting": False}
    assert answers[files[1]]["num_frames"] == 6


def test_damaged_files_never_stop_the_probe(tmp_path, clip, crasher):
    rng = np.random.default_rng(0)
    for index in range(24):
        content = bytearray((clip if index % 2 else crasher).read_bytes())
        if index % 3:
            for position in rng.integers(0, len(content), 50):
                content[position] ^= 1 << int(rng.integers(8))
        else:
            del content[int(rng.integers(1, len(content))) :]
        (tmp_path / f"{index}.avi").write_bytes(content)
    files = [str(tmp_path / f"{index}.avi") for index in range(24)]
    found = probe_videos(files, tmp_path / "cache.json")
    assert found.keys() == set(files)
    reasons = [result for result in found.values() if isinstance(result, str)]
    assert reasons
    assert all(reason.isascii() and len(reason) < 150 for reason in reasons)


def test_what_is_known_is_not_opened_again_until_the_file_changes(tmp_path, clip):
    path, cache = tmp_path / "a.mp4", tmp_path / "cache.json"
    shutil.copy(clip, path)
    first = probe_videos([str(path)], cache)
    stamp = path.stat()
    path.write_bytes(bytes(stamp.st_size))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert probe_videos([str(path)], cache) == first
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert probe_videos([str(path)], cache) == {str(path): "is no video, or its header is damaged or cut off"}


def test_the_cache_keeps_bad_files_but_not_passing_troubles(tmp_path, clip):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    cache = tmp_path / "cache.json"
    probe_videos([str(tmp_path / name) for name in ("bad.mp4", "missing.mp4")] + [str(clip)], cache)
    videos = json.loads(cache.read_text())["videos"]
    assert videos.keys() == {str(tmp_path / "bad.mp4"), str(clip)}
    assert videos[str(tmp_path / "bad.mp4")]["reason"] == "is no video, or its header is damaged or cut off"


def test_a_timeout_is_not_remembered(tmp_path, clip, monkeypatch):
    cache, answer = tmp_path / "cache.json", {"reason": "takes longer than 20 s to read", "lasting": False}
    with monkeypatch.context() as patched:
        patched.setattr(probe, "read_videos", lambda files, workers, limit: ((file, dict(answer)) for file in files))
        assert probe_videos([str(clip)], cache) == {str(clip): "takes longer than 20 s to read"}
    assert isinstance(probe_videos([str(clip)], cache)[str(clip)], VideoFacts)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": 0, "decoders": "", "videos": {}}'])
def test_a_damaged_cache_is_made_anew(tmp_path, clip, content):
    cache = tmp_path / "cache.json"
    cache.write_text(content)
    assert isinstance(probe_videos([str(clip)], cache)[str(clip)], VideoFacts)
    assert str(clip) in json.loads(cache.read_text())["videos"]


def test_what_was_found_before_an_interruption_is_kept(tmp_path, clip, monkeypatch):
    class Impatient(Bar):
        advanced = 0

        def advance(self, count: float = 1, note: str | None = None) -> None:
            self.advanced += 1
            if self.advanced == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(probe, "progress_bar", lambda total, label: contextlib.nullcontext(Impatient()))
    files = [shutil.copy(clip, tmp_path / f"{index}.mp4") for index in range(8)]
    with pytest.raises(KeyboardInterrupt):
        probe_videos(map(str, files), tmp_path / "cache.json")
    assert len(json.loads((tmp_path / "cache.json").read_text())["videos"]) >= 2


def test_it_works_from_any_script_without_an_installed_package(tmp_path, clip):
    script = tmp_path / "script.py"  # has no `if __name__ == "__main__"`
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(autox_video.__file__).parents[1])!r})\n"
        "from pathlib import Path\n"
        "from autox_video.dataset.probe import probe_videos\n"
        f"print(probe_videos([{str(clip)!r}], Path('cache.json')))\n"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "random.py").write_text("raise SystemExit('the current folder hides a module of the library')")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, script], cwd=elsewhere, env=environment, capture_output=True, text=True)
    assert "num_frames=6" in done.stdout, done.stderr


def test_an_interrupt_leaves_no_process_behind(tmp_path):
    pipe = tmp_path / "hang.mp4"
    os.mkfifo(pipe)
    code = (
        f"import signal, sys; sys.path.insert(0, {str(Path(autox_video.__file__).parents[1])!r})\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it\n"
        "from autox_video.dataset.probe_pool import read_videos\n"
        f"list(read_videos([{str(pipe)!r}], 1, 60.0))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    writer = None
    deadline = time.monotonic() + 60
    while writer is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # until a process reads the pipe
            writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    assert writer is not None
    parent.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in parent.communicate(timeout=60)[1]
    with pytest.raises(BrokenPipeError):
        os.write(writer, b"nobody reads this any more")
    os.close(writer)


def test_the_worker_imports_neither_torch_nor_this_package():
    done = subprocess.run([sys.executable, "-X", "importtime", WORKER, "20"], input="", capture_output=True, text=True)
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.stdout == '{"ready": true}\n'
    assert "av" in modules
    assert not {module for module in modules if module.split(".")[0] in ("torch", "autox_video", "mmengine", "decord")}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "[09:24:17] /src/video/video_reader.cc:151: Check failed: st_nb >= 0 (-1381258232 vs. 0) "
            "ERROR cannot find video stream with wanted index: -1",
            "has no video stream that a decoder knows (only sound, or cut off)",
        ),
        ("Error reading /a/b.mp4...", "is no video, or its header is damaged or cut off"),
        (
            "[09:38:23] /src/video/ffmpeg/threaded_decoder.cc:292: [09:38:23] /src/video/ffmpeg/threaded_decoder.cc:218: "
            "Check failed: avcodec_send_packet(dec_ctx_.get(), pkt.get()) >= 0 (-1094995529 vs. 0) "
            "Thread worker: Error sending packet.",
            "cannot be decoded: Thread worker: Error sending packet",
        ),
        ("ERROR getting stream info of fileFLV\x01\x05\x00\x00", "cannot be decoded: ERROR getting stream info"),
        ("\x00\x01", "cannot be decoded: the decoder gives no reason"),
    ],
)
def test_the_decoders_words_are_made_short_and_clean(message, reason):
    assert in_words(message) == reason
