"""One pass over a video: each frame is decoded once and scaled at once, and only what the window in hand needs is kept.

The windows are shown to the very pipeline that tests a model: each of them is an open video of its own, which answers
out of the frames that are kept.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np

from autox_video.decoding import Reader
from autox_video.decoding.pictures import Part, new_views
from autox_video.using.timeline.windows import Windows

T = TypeVar("T")
# How often a thread looks whether what it works for has ended.
_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Frame:
    """A frame that was drawn: its index, and a picture of each part that is wanted."""

    index: int
    pictures: tuple[np.ndarray, ...]


class _Window(Reader):
    """One window as an open video.

    Attributes:
        parts: What was asked for last.
    """

    def __init__(
        self, reader: Reader, times: np.ndarray, first: int, end: int, kept: dict[int, Frame] | None = None
    ) -> None:
        self.num_frames, self.fps = end - first, reader.fps
        self._size = reader.width, reader.height
        self._times, self._first, self._kept = times[first:end], first, kept
        self.parts: list[Part] = []

    @property
    def width(self) -> int:
        """See `Reader`."""
        return self._size[0]

    @property
    def height(self) -> int:
        """See `Reader`."""
        return self._size[1]

    def times(self) -> np.ndarray:
        """See `Reader`."""
        return self._times - self._times[0]

    def views(self, indices: Sequence[int] | np.ndarray, parts: Sequence[Part]) -> list[np.ndarray]:
        """See `Reader`; black pictures where no frames are kept."""
        self.parts = list(parts)
        made = new_views(len(indices), parts, self._size)
        for place, index in enumerate(indices):
            for number, pictures in enumerate(made):
                pictures[place] = 0 if self._kept is None else self._kept[self._first + int(index)].pictures[number]
        return made


def clips_of_windows(
    reader: Reader,
    times: np.ndarray,
    windows: Windows,
    clips_of: Callable[[Reader], Any],
    look: Callable[[Frame], None] = lambda frame: None,
) -> Iterator[Any]:
    """The clips of each window, in order.

    Args:
        reader: The open video.
        times: When its frames are shown.
        windows: Laid over it.
        clips_of: Runs the model's test pipeline on an open video.
        look: Called with every frame that is drawn, in order.

    Raises:
        DecodingError: A frame cannot be decoded.
    """
    # Where the pipeline cuts and scales depends on the size of a frame alone: asked for once, for black frames.
    asked = _Window(reader, times, int(windows.first[0]), int(windows.end[0]))
    clips_of(asked)
    kept: dict[int, Frame] = {}
    newest = -1
    frames = reader.passing(asked.parts, windows.step)
    for first, end in zip(windows.first.tolist(), windows.end.tolist(), strict=True):
        for index in [index for index in kept if index < first]:
            del kept[index]
        # The last frame that a window of so many steps looks at.
        last = end - 1 - (end - 1) % windows.step
        while newest < last:
            frame = Frame(*_packed(next(frames)))
            newest = frame.index
            look(frame)
            if frame.index >= first:
                kept[frame.index] = frame
        yield clips_of(_Window(reader, times, first, end, kept))
    for rest in frames:
        look(Frame(*_packed(rest)))


def _packed(drawn: tuple[int, list[np.ndarray]]) -> tuple[int, tuple[np.ndarray, ...]]:
    return drawn[0], tuple(drawn[1])


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """The same items, made in a thread that is up to `count` of them ahead: decoding and scoring go on side by side."""
    made: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(count)
    over = threading.Event()

    def put(item: tuple[T | None, BaseException | None, bool]) -> bool:
        while not over.is_set():
            try:
                made.put(item, timeout=_LOOK_SECONDS)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put((item, None, False)):
                    return
            put((None, None, True))
        except BaseException as error:
            put((None, error, True))

    worker = threading.Thread(target=work, name="decoding", daemon=True)
    worker.start()
    try:
        while True:
            item, error, is_last = made.get()
            if error is not None:
                raise error
            if is_last:
                return
            yield item  # type: ignore[misc]
    finally:
        over.set()
        worker.join()
