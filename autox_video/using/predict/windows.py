"""Windows of a stream: the frames of its last seconds, cut out at a steady rate by a thread that reads it."""

from __future__ import annotations

import os
import queue
import re
import stat
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from autox_video.decoding.containers import whole_files
from autox_video.errors import Problem, RunError

# A network that gives nothing for so long has gone.
SILENCE_SECONDS = 10.0
# Times that go back, or on by more than this, are those of a clock that was set anew.
MAX_GAP_SECONDS = 5.0
FALLBACK_FPS = 25.0
LOOK_EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Window:
    """Some seconds of a stream.

    Attributes:
        frames: RGB, uint8, shape (T, H, W, 3).
        times: When each was shown, in seconds of the stream, shape (T,).
        end: When the last one was over.
        missed: Windows before it that nobody had the time for.
    """

    frames: np.ndarray
    times: np.ndarray
    end: float
    missed: int


@dataclass(frozen=True)
class Cut:
    """How windows are cut out of a stream.

    Attributes:
        seconds: The length of a window, given the frames a second of the stream.
        every: Seconds from one window to the next; None: as long as a window.
        short_side: Frames are kept in memory with no longer a short side, in pixels.
    """

    seconds: Callable[[float], float]
    every: float | None
    short_side: int


def windows_of(source: str, cut: Cut) -> Generator[Window, None, None]:
    """The windows of a stream as they become full.

    A live stream does not wait: of windows that come while one is worked on, the newest is given next. A pipe does.

    Args:
        source: `/dev/video0`, the URL of a stream, or a named pipe.
        cut: How.

    Raises:
        RunError: The stream cannot be opened or decoded, or has gone silent.
    """
    full: queue.Queue[Window | RunError | None] = queue.Queue(maxsize=1)
    over = threading.Event()
    # Of low rank: it may be stuck in a system call when the process is to end.
    thread = threading.Thread(target=_read, args=(source, cut, full, over), name="stream", daemon=True)
    thread.start()
    try:
        while True:
            # Not without end: a signal is heeded between two looks.
            with suppress(queue.Empty):
                got = full.get(timeout=LOOK_EVERY_SECONDS)
                if got is None:
                    return
                if isinstance(got, RunError):
                    raise got
                yield got
    finally:
        over.set()
        thread.join(2 * LOOK_EVERY_SECONDS)


def without_password(source: str) -> str:
    """A URL without the name and password in it."""
    return re.sub(r"(?<=://)[^/@]*@", "", source)


def _read(source: str, cut: Cut, full: queue.Queue[Window | RunError | None], over: threading.Event) -> None:
    """Read a stream to its end; what happens to the thread, the one that takes the windows is told."""
    last: RunError | None = None
    try:
        with _opened(source) as (container, stream):
            cutter = _Cutter(cut, float(stream.average_rate or FALLBACK_FPS))
            for frame in container.decode(stream):
                if over.is_set():
                    return
                window = cutter.add(frame)
                if window is not None and not _hand_over(window, full, over, waits=_is_pipe(source)):
                    cutter.missed += 1
    # Whatever it is: who takes the windows would else wait without end.
    except Exception as error:
        # The message of FFmpeg would quote the URL, with its password.
        reason = getattr(error, "strerror", None) or str(error)
        wrong, cure = (
            f"cannot be read: {reason}",
            "Look whether it plays elsewhere, and whether another program holds it",
        )
        last = RunError(Problem(without_password(source), wrong, cure))
    _hand_over(last, full, over, waits=True)


@contextmanager
def _opened(source: str) -> Iterator[tuple[Any, Any]]:
    import av

    av.logging.set_level(av.logging.PANIC)
    # These two protocols are containers of their own; what comes by others must lead nowhere else.
    options = {"rtsp_transport": "tcp"} if source.casefold().startswith(("rtsp", "rtp")) else whole_files(av)
    is_url = "://" in source
    kind = None if is_url or _is_pipe(source) else "v4l2"
    timeout = SILENCE_SECONDS if is_url else None
    with av.open(source, format=kind, options=options, timeout=timeout, metadata_errors="replace") as container:
        stream = container.streams.best("video")
        if stream is None:
            raise ValueError("there are no pictures in it")
        yield container, stream


def _is_pipe(source: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(source).st_mode)
    except (OSError, ValueError):
        return False


def _hand_over(got: Any, full: queue.Queue[Any], over: threading.Event, *, waits: bool) -> bool:
    """Put something into the queue; a live stream takes out what is there still, and returns False then."""
    while not over.is_set():
        try:
            full.put(got, timeout=LOOK_EVERY_SECONDS if waits else 0)
            return True
        except queue.Full:
            if not waits:
                with suppress(queue.Empty):
                    full.get_nowait()
                with suppress(queue.Full):
                    full.put_nowait(got)
                return False
    return True


class _Cutter:
    """Keeps the last seconds of a stream, and cuts out a window whenever one is due.

    Args:
        cut: How.
        fps: Frames a second of the stream.
    """

    def __init__(self, cut: Cut, fps: float) -> None:
        self.missed = 0
        self._frame_seconds = 1 / fps
        self._span = max(cut.seconds(fps), self._frame_seconds)
        self._every = cut.every or self._span
        self._short_side = cut.short_side
        self._kept: deque[tuple[float, np.ndarray]] = deque()
        self._due = self._span
        self._shift: float | None = None
        self._last = 0.0

    def add(self, frame: Any) -> Window | None:
        """A frame of PyAV; returns the window that it completes."""
        at = self._time_of(frame)
        self._kept.append((at, self._picture(frame)))
        end = at + self._frame_seconds
        tolerance = self._frame_seconds / 2
        while self._kept[0][0] < end - self._span - tolerance:
            self._kept.popleft()
        if end < self._due - tolerance:
            return None
        # After a gap no windows are made up for.
        self._due = max(self._due + self._every, end)
        times = np.array([time for time, _ in self._kept])
        return Window(np.stack([picture for _, picture in self._kept]), times, end, self.missed)

    def _time_of(self, frame: Any) -> float:
        """When a frame is shown, in seconds after the first one; without a time of its own, one after the last."""
        following = self._last + self._frame_seconds if self._shift is not None else 0.0
        stated = following if frame.time is None else float(frame.time) - (self._shift or 0.0)
        if self._shift is None or not self._last < stated < self._last + MAX_GAP_SECONDS:
            self._shift = (0.0 if frame.time is None else float(frame.time)) - following
            stated = following
        self._last = stated
        return stated

    def _picture(self, frame: Any) -> np.ndarray:
        scale = min(1.0, self._short_side / min(frame.width, frame.height))
        size = {"width": round(frame.width * scale), "height": round(frame.height * scale)}
        if self._kept:
            height, width = self._kept[-1][1].shape[:2]
            size = {"width": width, "height": height}
        picture: np.ndarray = frame.reformat(**size, format="rgb24", interpolation="AREA").to_ndarray()
        return picture
