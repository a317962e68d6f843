"""The process that opens videos, so that a file that crashes or hangs the decoder costs only itself.

Started by `probe_pool` as a script: it must be quick to start, and takes of this package only the file that
hashes frames.
It reads one JSON line a video, `{"file": ...}`, and answers with one: the facts, or the reason why
there are none.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import math
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

MAX_REASON = 120


def main() -> None:
    """Answer until standard input ends. The argument is the time limit of a video in seconds."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if folder != here]  # its modules must not hide others
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    # FFmpeg writes where it likes; answers go out through a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        import decord

        frame_hashes = _beside(here, "frame_hashes").frame_hashes
        decord.logging.set_level(decord.logging.QUIET)
        hello: dict[str, Any] = {"ready": True}
    except Exception as error:
        hello = {"ready": False, "reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(hello), file=answers, flush=True)
    patience = math.ceil(float(sys.argv[1])) + 30
    for line in sys.stdin:
        signal.alarm(patience)  # the end of this process, should the parent be gone
        answer = read_video(json.loads(line)["file"], decord.VideoReader, frame_hashes)
        print(json.dumps(answer), file=answers, flush=True)
        signal.alarm(0)


def read_video(file: str, open_video: Callable[..., Any], hash_frames: Callable[..., list[str]]) -> dict[str, Any]:
    """Read the first, the middle and the last frame by the route that training takes.

    Args:
        file: Absolute path.
        open_video: `decord.VideoReader`.
        hash_frames: `frame_hashes`.

    Returns:
        `num_frames`, `fps` (None where it is not a number), `width` and `height` of the decoded
        frames, the `digest` of the file's bytes and the `frame_hashes` of the three frames; or
        `reason`, and `lasting`, whether the same file would fail again.
    """
    try:
        with open(file, "rb") as opened:
            content = io.BytesIO(opened.read())
        # MMAction2's DecordInit and DecordDecode: from bytes, one thread, get_batch.
        video = open_video(content, num_threads=1)
        num_frames = len(video)
        if num_frames == 0:
            return {"reason": "has no frames", "lasting": True}
        frames = video.get_batch([0, num_frames // 2, num_frames - 1])
        height, width = frames.shape[1:3]
        fps = float(video.get_avg_fps())
        hashes = hash_frames(frames.asnumpy())
        del frames, video  # a crash in closing the file must not be blamed on the next one
    except OSError as error:
        return {"reason": f"cannot be read: {error.strerror}", "lasting": False}
    except MemoryError:
        return {"reason": "does not fit into memory", "lasting": False}
    except Exception as error:
        return {"reason": in_words(str(error)), "lasting": True}
    return {
        "num_frames": num_frames,
        "fps": fps if math.isfinite(fps) else None,
        "width": int(width),
        "height": int(height),
        "digest": hashlib.blake2b(content.getbuffer(), digest_size=16).hexdigest(),
        "frame_hashes": hashes,
    }


def _beside(folder: str, name: str) -> Any:
    """A module of this folder, without the package around it."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_words(message: str) -> str:
    """A short reason in place of the decoder's message, which may quote the file's bytes."""
    if "cannot find video stream" in message:
        return "has no video stream that the decoder knows (only sound, a codec such as AV1, or cut off)"
    if re.match(r"Error reading \d+ bytes", message):
        return "is no video, or its header is damaged or cut off"
    message = re.sub(r"\[[0-9:]+\] \S+:[0-9]+: ", "", message.split("Stack trace")[0])  # time and place in the source
    message = re.sub(r"(getting stream info) .*", r"\1", message, flags=re.DOTALL)  # the file's bytes follow
    message = re.sub(r"Check failed: .*?\(-?[0-9]+ vs\. -?[0-9]+\) ", "", message)
    message = " ".join("".join(letter if " " <= letter <= "~" else " " for letter in message).split())
    return f"cannot be decoded: {message[:MAX_REASON] or 'the decoder gives no reason'}".rstrip(". ")


if __name__ == "__main__":
    main()
