"""The process that opens videos, so that a file that crashes or hangs a decoder costs only itself.

Started by `probe_pool` as a script: it must be quick to start, and imports of this package only the
folder `decoding` and the file that hashes frames, by their paths. It reads one JSON line a video,
`{"file": ..., "timed": null}`, and answers with one: the facts, or the reason why there are none; where `timed`
names a decoder, what decoding with it takes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

HashFrames = Callable[[Any], list[str]]

# The clip that is timed: what most models see.
TIMED_FRAMES, TIMED_INTERVAL = 32, 2
# A short video is timed again and again, for the clock and the caches; one that takes this long only once.
REPEATS, ENOUGH_SECONDS = 5, 0.15


def main() -> None:
    """Answer until standard input ends. The argument is the time limit of a video in seconds."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if folder != here]  # its modules must not hide others
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    # FFmpeg writes where it likes; answers go out through a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        decoding, hash_frames = load_decoding(), load_hashing(here)
        import av  # noqa: F401
        import cv2  # noqa: F401

        hello: dict[str, Any] = {"ready": True}
    except Exception as error:
        hello = {"ready": False, "reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(hello), file=answers, flush=True)
    patience = math.ceil(float(sys.argv[1])) + 30
    for line in sys.stdin:
        signal.alarm(patience)  # the end of this process, should the parent be gone
        asked = json.loads(line)
        if asked["timed"]:
            answer = time_video(asked["file"], asked["timed"], decoding)
        else:
            answer = read_video(asked["file"], decoding, hash_frames)
        print(json.dumps(answer), file=answers, flush=True)
        signal.alarm(0)


def load_decoding() -> ModuleType:
    """What training reads videos with, without the package around it, which takes long to import."""
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "decoding")
    spec = importlib.util.spec_from_file_location("decoding", os.path.join(folder, "__init__.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules["decoding"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_hashing(folder: str) -> HashFrames:
    """The function `frame_hashes` of a file in this folder, without the package around it."""
    spec = importlib.util.spec_from_file_location("frame_hashes", os.path.join(folder, "frame_hashes.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hash_frames: HashFrames = module.frame_hashes
    return hash_frames


def read_video(file: str, decoding: Any, hash_frames: HashFrames) -> dict[str, Any]:
    """Read the first, the middle and the last frame of a video by the route that training takes.

    Args:
        file: Absolute path.
        decoding: The module `decoding`.
        hash_frames: `frame_hashes`.

    Returns:
        `decoder`; `unfit`, why decord must not read it, or None; `num_frames`, `fps` (None where it is
        not known), `duration_seconds`, `width` and `height` of the decoded frames, their
        `frame_hashes`, and the `digest` of the file's bytes. Or `reason`, and
        `lasting`, whether the same file would fail again.
    """
    try:
        if os.path.isdir(file):
            return read_images(file, decoding, hash_frames)
        video = decoding.open_video(file, decoding.FILES)
        facts = {**measure(video), "digest": digest_of(file), **look(video, hash_frames)}
        return {**facts, "decoder": decoding.FILES, "unfit": decoding.unfit_for_decord(video, file)}
    except decoding.DecodingError as error:
        return {"reason": str(error), "lasting": True}
    except OSError as error:
        return {"reason": f"cannot be read: {error.strerror}", "lasting": False}
    except MemoryError:
        return {"reason": "does not fit into memory", "lasting": False}
    except Exception as error:
        return {"reason": decoding.in_words(str(error)), "lasting": True}


def read_images(folder: str, decoding: Any, hash_frames: HashFrames) -> dict[str, Any]:
    """What `read_video` answers of a folder of numbered images; every image of it is read."""
    images = decoding.open_video(folder, decoding.IMAGES)
    facts = {**measure(images), "digest": images.examine()}
    return {**facts, "decoder": decoding.IMAGES, "unfit": None, **look(images, hash_frames)}


def time_video(file: str, decoder: str, decoding: Any) -> dict[str, Any]:
    """What it takes to open a video and decode a clip from a third of the way in, as training does.

    Args:
        file: Absolute path.
        decoder: What reads it.
        decoding: The module `decoding`.

    Returns:
        `decode_seconds`: of one core, for each frame of the stretch that the clip spans; the whole video where
        that is shorter. Or `reason`.
    """
    seconds: list[float] = []
    try:
        while len(seconds) < REPEATS and sum(seconds) < ENOUGH_SECONDS:
            # Not the time of day: whatever else runs on the machine is not to count.
            begun = time.process_time()
            video = decoding.open_video(file, decoder)
            span = min(TIMED_FRAMES * TIMED_INTERVAL, video.num_frames)
            first = min(video.num_frames // 3, video.num_frames - span)
            video.frames(range(first, first + span, TIMED_INTERVAL))
            seconds.append(time.process_time() - begun)
    except Exception as error:
        return {"reason": decoding.in_words(str(error))}
    return {"decode_seconds": statistics.median(seconds) / span}


def measure(video: Any) -> dict[str, Any]:
    """What the packets of a file say."""
    times = video.times()
    fps = video.fps if video.fps and math.isfinite(video.fps) else None
    duration = float(times[-1]) + (1 / fps if fps else 0.0)
    return {"num_frames": video.num_frames, "fps": fps, "duration_seconds": round(duration, 6)}


def digest_of(file: str) -> str:
    """The digest of a file's bytes, in hex; read a MiB at a time, since a video need not fit into memory."""
    digest = hashlib.blake2b(digest_size=16)
    with open(file, "rb") as opened:
        while part := opened.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def look(video: Any, hash_frames: HashFrames) -> dict[str, Any]:
    """The size of the first, the middle and the last frame, which must be decoded to know it, and their hashes."""
    frames = video.frames([0, video.num_frames // 2, video.num_frames - 1])
    height, width = frames.shape[1:3]
    return {"width": int(width), "height": int(height), "frame_hashes": hash_frames(frames)}


if __name__ == "__main__":
    main()
