"""Videos in PyAV."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from typing import Any, Final

import numpy as np

from .containers import whole_files
from .packets import Look, Packets, kept_packets, read_packets, stamp_of
from .pictures import Box, Part, Pictures, new_views
from .reader import DecodingError, Reader, in_words

# A stated frame rate that is off by a larger share than this is a slip of the container.
MAX_RATE_SLIP = 0.01
# So many packets are rather read and dropped than jumped over.
_NEAR: Final = 64


class PyavReader(Reader):
    """A video in PyAV, which brings an FFmpeg of its own.

    All packets are read once for their times. Frames are then decoded in one pass over the packets
    they need: from the key frame before a frame that is wanted up to that frame, without those
    between that no other frame needs. What one wants comes out bit for bit as in a decode of the
    whole file. Where that cannot be relied upon (the stream has no usable times, is interlaced or
    damaged) every frame from the key frame on is decoded; without times frames are counted from the
    beginning. A frame that is damaged beyond decoding is the one shown before it.

    Attributes:
        format: Name of the container, such as `mpegts`.
        codec: Name of the codec, such as `h264`.
        packets: Where the frames lie.
        damaged: Whether something could not be decoded so far.
    """

    def __init__(self, file: str) -> None:
        self._av = _pyav()
        self._file = file
        self.damaged = False
        self._open()
        self.format = str(self._container.format.name)
        self.codec = str(self._stream.codec_context.codec.canonical_name)
        self.packets: Packets = kept_packets.of(file, self._read)
        self.num_frames = len(self.packets.stamps)
        context = self._stream.codec_context
        look = self.packets.look or Look(context.width, context.height)
        self._pictures = Pictures(look.width, look.height, look.quarter_turns)
        self.fps = self._rate()

    @property
    def width(self) -> int:
        """See `Reader`."""
        return self._pictures.size[0]

    @property
    def height(self) -> int:
        """See `Reader`."""
        return self._pictures.size[1]

    def times(self) -> np.ndarray:
        """See `Reader`."""
        ticks, unit = self.clock()
        return ticks * float(unit)

    def clock(self) -> tuple[np.ndarray, Fraction]:
        """When each frame is shown, counted from the first one, and the seconds of a count."""
        stamps = self.packets.stamps
        if self.packets.timed:
            return stamps - stamps[0], self._stream.time_base
        return np.arange(self.num_frames), 1 / Fraction(self.fps or 25.0).limit_denominator(1 << 16)

    def decoded(self) -> Iterator[Any]:
        """Every frame as PyAV has it, in the order they are shown; in place of a damaged one that before it.

        Raises:
            DecodingError: None can be decoded.
        """
        return (frame for _, frame in self._group(range(self.num_frames)))

    def passing(self, parts: Sequence[Part], step: int = 1) -> Iterator[tuple[int, list[np.ndarray]]]:
        """See `Reader`."""
        for index, frame in self._group(range(0, self.num_frames, step)):
            pictures = new_views(1, parts, self._pictures.size)
            for (box, _), made in zip(parts, pictures, strict=True):
                self._draw(frame, box, made[0])
            yield index, [made[0] for made in pictures]

    def views(self, indices: Sequence[int] | np.ndarray, parts: Sequence[Part]) -> list[np.ndarray]:
        """See `Reader`."""
        places: dict[int, int] = {}
        for place, index in enumerate(indices):
            places.setdefault(int(index), place)
        wanted = sorted(places)
        views = new_views(len(indices), parts, self._pictures.size)

        def draw(index: int, frame: Any) -> None:
            for (box, _), pictures in zip(parts, views, strict=True):
                self._draw(frame, box, pictures[places[index]])

        left = set(wanted)
        if self.packets.exact:
            for index, frame in self._needed(wanted):
                draw(index, frame)
                left.discard(index)
        for index, frame in self._with_all(sorted(left)):
            draw(index, frame)
        for place, index in enumerate(indices):
            if places[int(index)] != place:
                for pictures in views:
                    pictures[place] = pictures[places[int(index)]]
        return views

    def _open(self) -> None:
        try:
            self._container = self._av.open(self._file, metadata_errors="replace", options=whole_files(self._av))
            self._stream = self._container.streams.best("video")
        except (self._av.FFmpegError, ValueError) as error:
            raise DecodingError(in_words(str(error))) from error
        if self._stream is None or self._stream.codec_context is None:
            raise DecodingError(in_words("cannot find video stream"))
        self._stream.codec_context.thread_count = 1
        # The position of the packet that comes next; None where that is not known.
        self._next: int | None = 0

    def _read(self) -> Packets:
        self._next = None
        return read_packets(self._demuxed(), self._stream, self.format, self._av.FFmpegError)

    def _rate(self) -> float | None:
        """Frames a second, as the container states them unless the times of the frames say something else."""
        stated = float(self._stream.average_rate) if self._stream.average_rate else None
        stamps = self.packets.stamps
        length = float(stamps[-1] - stamps[0]) * float(self._stream.time_base) if self.packets.timed else 0.0
        if length <= 0:
            return stated
        shown = (self.num_frames - 1) / length
        return stated if stated and abs(stated - shown) < MAX_RATE_SLIP * shown else shown

    def _demuxed(self) -> Iterator[Any]:
        """Packets up to the end, or up to where the container is damaged beyond reading."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                yield next(packets)
            except (StopIteration, self._av.FFmpegError):
                return

    def _needed(self, wanted: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Frames that are wanted, decoded from what they need; it ends where something is amiss."""
        for first, last in self._stretches(wanted):
            for index, frame in self._stretch(first, last, set(wanted)):
                if frame is None:
                    return
                yield index, frame

    def _stretches(self, wanted: Sequence[int]) -> list[tuple[int, int]]:
        """First and last position of the packets that frames need; the first is a key frame, or -1."""
        stretches: list[tuple[int, int]] = []
        for index in wanted:
            key, last = self.packets.key_of(index), int(self.packets.places[index])
            first = int(self.packets.places[key]) if key >= 0 else -1
            if stretches and first <= stretches[-1][1] + 1:
                stretches[-1] = stretches[-1][0], max(stretches[-1][1], last)
            else:
                stretches.append((first, last))
        return stretches

    def _stretch(self, first: int, last: int, wanted: set[int]) -> Iterator[tuple[int, Any]]:
        """The wanted frames of a stretch of packets; a frame of None where something is amiss."""
        packets, begun = self.packets, first < 0
        for packet in self._to_place(first):
            place = None if packet.is_discard else packets.place_of(stamp_of(packet))
            if not begun and place != first:
                continue
            begun = True
            asked = place is None or packets.index_at(place) in wanted or not packets.may_leave_out
            decoder = self._stream.codec_context
            decoder.skip_frame = "DEFAULT" if asked else "NONREF"
            try:
                # At the end, what is held back for frames that may come between is asked for: none of these is wanted.
                frames = [*decoder.decode(packet), *(decoder.decode(None) if place == last else [])]
            except self._av.FFmpegError:
                break
            for frame in frames:
                index = packets.index_of(frame.pts)
                if index in wanted:
                    self.damaged = self.damaged or frame.is_corrupt
                    yield index, None if frame.is_corrupt or frame.interlaced_frame else frame
            if place == last:
                self._next = last + 1
                return
        yield -1, None

    def _to_place(self, first: int) -> Iterator[Any]:
        """Packets from one on that stands before a position, or at it; of -1 from the beginning."""
        near = self._next is not None and self._next <= first <= self._next + _NEAR
        packets = self._demuxed() if near else self._from_key(self.packets.index_at(first) if first >= 0 else -1)
        self._next = None
        self._stream.codec_context.flush_buffers()
        return (packet for packet in packets if packet.size)

    def _from_key(self, key: int) -> Iterator[Any]:
        """Packets from one on that stands before a key frame, or is it; of -1 from the beginning."""
        packets, at, back = self.packets, key, 1
        self._next = None
        while at >= 0:
            try:
                self._container.seek(int(packets.stamps[at]), stream=self._stream)
            except self._av.FFmpegError:
                break
            rest, begun = self._demuxed(), []
            for packet in rest:
                begun.append(packet)
                if packet.size and not packet.is_discard:
                    break
            # Not every container goes to where it was told: frames may be missing, or their references.
            if begun and begun[-1].size and packets.place_of(stamp_of(begun[-1])) <= packets.places[key]:
                return chain(begun, rest)
            at, back = (packets.key_of(max(0, at - back)), 2 * back) if at > 0 else (-1, back)
        self._open()
        return self._demuxed()

    def _with_all(self, wanted: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Frames that are wanted, or the nearest before each that can be decoded, from a decode of all frames."""
        group: list[int] = []
        for index in wanted:
            if group and self.packets.timed and self.packets.key_of(index) > group[-1]:
                yield from self._group(group)
                group = []
            group.append(index)
        if group:
            yield from self._group(group)

    def _group(self, wanted: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """The same of frames that are reached in one go."""
        # One of them at a time: they may be all frames of a video of any length.
        waiting, before = iter(wanted), None
        at: int | None = next(waiting)
        for index, frame in self._decoded_up_to(wanted[0]):
            while at is not None and at <= index:
                self.damaged = self.damaged or at < index
                yield at, frame if at == index or before is None else before
                at = next(waiting, None)
            if at is None:
                return
            before = frame
        self.damaged = True
        for index in (at, *waiting) if at is not None else ():
            if before is None:
                raise DecodingError(f"is damaged: neither frame {index} nor one before it can be decoded")
            yield index, before

    def _decoded_up_to(self, index: int) -> Iterator[tuple[int, Any]]:
        """All frames from one on that is shown before `index`, or is it."""
        at, back = index, 1
        while self.packets.timed and (key := self.packets.key_of(at)) > 0:
            frames = self._decoded(key)
            first = next(frames, None)
            if first is not None and first[0] <= index:
                return chain([first], frames)
            at, back = max(0, key - back), 2 * back
        return self._decoded(-1)

    def _decoded(self, key: int) -> Iterator[tuple[int, Any]]:
        """Frames with their indices from a key frame on, or of -1 from the beginning; damaged ones are left out."""
        packets = self._from_key(key)
        self._stream.codec_context.skip_frame = "DEFAULT"
        count = 0
        for packet in packets:
            try:
                frames = packet.decode()
            except self._av.FFmpegError:
                self.damaged = True
                continue
            for frame in frames:
                stamp = stamp_of(frame)
                timed = self.packets.timed and stamp is not None
                yield self.packets.index_of(stamp) if timed else count, frame
                count += 1

    def _draw(self, frame: Any, box: Box | None, out: np.ndarray) -> None:
        try:
            self._pictures.draw(frame, box, out)
        except (self._av.FFmpegError, ValueError) as error:
            raise DecodingError(in_words(str(error))) from error


@functools.cache
def _pyav() -> Any:
    import av

    av.logging.set_level(av.logging.PANIC)
    return av
