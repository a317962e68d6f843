"""Videos in PyAV."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .reader import DecodingError, in_words

# A stated frame rate that is off by a larger share than this is a slip of the container.
MAX_RATE_SLIP = 0.01


class PyavReader:
    """A video in PyAV, which brings an FFmpeg of its own.

    All packets are read once for their times, nothing decoded; a frame is then found from the key
    frame before it. Of a stream without usable times, frames are counted from the beginning. A
    frame that is damaged beyond decoding is the one shown before it.

    Attributes:
        format: Name of the container, such as `mpegts`.
        timed: Whether it says when each frame is shown.
        leading: Frames that are stored after a key frame and shown before it.
    """

    def __init__(self, file: str) -> None:
        self._av = _pyav()
        self._file = file
        self._open()
        self.format = str(self._container.format.name)
        self._stamps, self._keys, self.leading = self._read_stamps()
        self.num_frames = len(self._stamps)
        self.timed = self.num_frames > 0 and len(np.unique(self._stamps)) == self.num_frames
        self._size: tuple[int, int] | None = None
        self._before: tuple[int, Any] | None = None
        self._now: tuple[int, Any] | None = None
        self._outputs: Iterator[tuple[int, Any]] = iter(())
        self.fps = self._rate()

    def times(self) -> np.ndarray:
        """See `Reader`."""
        if self.timed:
            return (self._stamps - self._stamps[0]) * float(self._stream.time_base)
        return np.arange(self.num_frames) / (self.fps or 25.0)

    def frames(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """See `Reader`."""
        wanted = [int(index) for index in indices]
        pictures = {index: self._picture(self._frame(index)) for index in sorted(set(wanted))}
        return np.stack([pictures[index] for index in wanted])

    def _open(self) -> None:
        try:
            self._container = self._av.open(self._file, metadata_errors="replace")
            self._stream = self._container.streams.best("video")
        except (self._av.FFmpegError, ValueError) as error:
            raise DecodingError(in_words(str(error))) from error
        if self._stream is None or self._stream.codec_context is None:
            raise DecodingError(in_words("cannot find video stream"))
        self._stream.codec_context.thread_count = 1

    def _rate(self) -> float | None:
        """Frames a second, as the container states them unless the times of the frames say something else."""
        stated = float(self._stream.average_rate) if self._stream.average_rate else None
        length = float(self._stamps[-1] - self._stamps[0]) * float(self._stream.time_base) if self.timed else 0.0
        if length <= 0:
            return stated
        shown = (self.num_frames - 1) / length
        return stated if stated and abs(stated - shown) < MAX_RATE_SLIP * shown else shown

    def _packets(self) -> Iterator[Any]:
        """Packets up to the end, or up to where the container is damaged beyond reading."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                yield next(packets)
            except (StopIteration, self._av.FFmpegError):
                return

    def _read_stamps(self) -> tuple[np.ndarray, np.ndarray, int]:
        """When each frame is shown, in units of the stream, ascending; the same of key frames; `leading`."""
        stamps: list[int] = []
        keys: list[int] = []
        leading = 0
        for packet in self._packets():
            if packet.size == 0 or packet.is_discard:
                continue
            stamp = packet.pts if packet.pts is not None else packet.dts
            stamps.append(0 if stamp is None else stamp)
            if packet.is_keyframe:
                keys.append(stamps[-1])
            elif keys and stamps[-1] < keys[-1]:
                leading += 1
        return np.sort(np.array(stamps, dtype=np.int64)), np.sort(np.array(keys, dtype=np.int64)), leading

    def _frame(self, index: int) -> Any:
        """The frame at an index, or the nearest before it that can be decoded."""
        if not self._comes(index):
            self._go_to(index)
        while self._now is not None and self._now[0] < index:
            self._step()
        found = self._now if self._now is not None and self._now[0] == index else self._before or self._now
        if found is None:
            raise DecodingError(f"is damaged: neither frame {index} nor one before it can be decoded")
        return found[1]

    def _comes(self, index: int) -> bool:
        """Whether a frame is best reached by going on."""
        if self._now is None:
            return False
        earliest = self._before or self._now
        return earliest[0] <= index and (not self.timed or index <= self._now[0] or self._key(index) <= self._now[0])

    def _key(self, index: int) -> int:
        """The index of the last key frame up to a frame; -1 without one."""
        place = int(np.searchsorted(self._keys, self._stamps[index], side="right")) - 1
        return int(np.searchsorted(self._stamps, self._keys[place])) if place >= 0 else -1

    def _go_to(self, index: int) -> None:
        """Stand on a frame from which `index` can be decoded: its key frame, one before that, or the beginning."""
        key, back = self._key(index) if self.timed else -1, 1
        while key > 0:
            try:
                self._container.seek(int(self._stamps[key]), stream=self._stream)
            except self._av.FFmpegError:
                break
            self._begin()
            # Not every container seeks to where it was told: frames may be missing, or their references.
            if self._now is not None and self._now[0] <= key:
                return
            key, back = self._key(max(0, key - back)), 2 * back
        self._open()
        self._begin()

    def _begin(self) -> None:
        self._outputs = self._decoded()
        self._before, self._now = None, next(self._outputs, None)

    def _step(self) -> None:
        self._before, self._now = self._now, next(self._outputs, None)

    def _decoded(self) -> Iterator[tuple[int, Any]]:
        """Frames with their indices; what is damaged is passed over."""
        count = 0
        for packet in self._packets():
            try:
                frames = packet.decode()
            except self._av.FFmpegError:
                continue
            for frame in frames:
                stamp = frame.pts if frame.pts is not None else frame.dts
                if self.timed and stamp is not None:
                    yield int(np.searchsorted(self._stamps, stamp, side="right")) - 1, frame
                else:
                    yield count, frame
                count += 1

    def _picture(self, frame: Any) -> np.ndarray:
        """A frame as pixels, upright, and of the size of the first."""
        width, height = self._size = self._size or (frame.width, frame.height)
        try:
            picture = frame.to_ndarray(format="rgb24", width=width, height=height)
        except (self._av.FFmpegError, ValueError) as error:
            raise DecodingError(in_words(str(error))) from error
        return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


@functools.cache
def _pyav() -> Any:
    import av

    av.logging.set_level(av.logging.PANIC)
    return av
