"""Where the frames of a video file lie in it, found by reading all its packets once, with one of them decoded."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

# Of many pieces of one long video each is opened anew: that file's packets are not to be read each time.
MAX_KEPT_BYTES: Final = 64 * 2**20
# Decoders that can leave out a frame which no other needs, and give all others bit for bit.
_LEAVE_OUT = {"h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video", "vp8"}
# A stream whose beginning cannot be decoded is not searched through for the look of its frames.
_MAX_LOOKED_AT = 100


@dataclass(frozen=True)
class Look:
    """What a frame is like that was decoded.

    Attributes:
        width: As it is stored, in pixels.
        height: As it is stored.
        quarter_turns: How often it is to be turned counterclockwise by 90 degrees to stand upright, 0 to 3.
        interlaced: Whether it is made of two fields, which may stand in packets of their own.
    """

    width: int
    height: int
    quarter_turns: int = 0
    interlaced: bool = False


@dataclass(frozen=True)
class Packets:
    """The packets that become a frame each.

    Attributes:
        stamps: When each frame is shown, in units of the stream, ascending.
        places: Of each of these frames, the position of its packet in the file.
        keys: Whether it can be decoded alone, by position.
        leading: Frames that are stored after a key frame and shown before it.
        look: Of the first frame that can be decoded; None where none can.
        timed: Whether each frame is shown at a time of its own, which its packet says.
        exact: Whether the frame of a packet may be chosen, or left out, before it is decoded.
        may_leave_out: Whether the decoder can be told to leave out frames that no other needs.
    """

    stamps: np.ndarray
    places: np.ndarray
    keys: np.ndarray
    leading: int
    look: Look | None
    timed: bool
    exact: bool
    may_leave_out: bool

    @functools.cached_property
    def _indices(self) -> np.ndarray:
        return np.argsort(self.places).astype(np.int32)

    @functools.cached_property
    def _key_frames(self) -> np.ndarray:
        return np.flatnonzero(self.keys[self.places])

    @property
    def num_bytes(self) -> int:
        """What it takes in memory."""
        return self.stamps.nbytes + 3 * self.places.nbytes + self.keys.nbytes

    def index_of(self, stamp: int | None) -> int:
        """The frame that is shown at a time: the last one up to it, or -1."""
        return -1 if stamp is None else int(self.stamps.searchsorted(stamp, side="right")) - 1

    def index_at(self, place: int) -> int:
        """The frame whose packet stands at a position."""
        return int(self._indices[place])

    def place_of(self, stamp: int | None) -> int:
        """The position of the packet whose frame is shown at a time, or -1."""
        index = self.index_of(stamp)
        return int(self.places[index]) if index >= 0 else -1

    def key_of(self, index: int) -> int:
        """The last key frame up to a frame, in the order they are shown and in the file; -1 without one."""
        before = int(np.searchsorted(self._key_frames, index, side="right")) - 1
        while before >= 0 and self.places[self._key_frames[before]] > self.places[index]:
            before -= 1
        return int(self._key_frames[before]) if before >= 0 else -1


def stamp_of(timed: Any) -> int | None:
    """When a packet or a frame is shown, as far as it says."""
    stamp: int | None = timed.pts if timed.pts is not None else timed.dts
    return stamp


def read_packets(packets: Iterator[Any], stream: Any, container: str, failure: type[Exception]) -> Packets:
    """Read all packets, and decode the first frame.

    Args:
        packets: Of the stream, from its beginning.
        stream: The stream, whose decoder is used.
        container: Name of its kind, such as `avi`.
        failure: What the decoder raises on a damaged packet.
    """
    first: list[Any] = []
    look = _look(packets, stream.codec_context, failure, first)
    stamps: list[int] = []
    keys: list[bool] = []
    leading, last_key, named = 0, None, True
    for packet in chain(first, packets):
        if packet.size == 0 or packet.is_discard:
            continue
        stamp = stamp_of(packet)
        named = named and packet.pts is not None
        stamps.append(0 if stamp is None else stamp)
        keys.append(packet.is_keyframe)
        if packet.is_keyframe:
            last_key = stamps[-1]
        elif last_key is not None and stamps[-1] < last_key:
            leading += 1
    unordered = np.array(stamps, dtype=np.int64)
    places = np.argsort(unordered, kind="stable")
    ordered, codec = unordered[places], stream.codec_context.codec.canonical_name
    # AVI has no place for times: where frames change their order and no time says so, the times are made up.
    made_up = container == "avi" and stream.codec_context.has_b_frames and bool((np.diff(unordered) > 0).all())
    timed = len(ordered) > 0 and bool((np.diff(ordered) > 0).all()) and not made_up
    return Packets(
        stamps=ordered,
        places=places.astype(np.int32),
        keys=np.array(keys, dtype=bool),
        leading=leading,
        look=look,
        timed=timed,
        exact=timed and named and look is not None and not look.interlaced,
        may_leave_out=codec in _LEAVE_OUT and not (codec == "hevc" and _has_layers(stream.codec_context.extradata)),
    )


def _look(packets: Iterator[Any], decoder: Any, failure: type[Exception], read: list[Any]) -> Look | None:
    """The look of the first frame that can be decoded; the packets that were taken for it are added to `read`."""
    for packet in packets:
        read.append(packet)
        frames: Sequence[Any] = ()
        with contextlib.suppress(failure):
            # One packet and no more: what the decoder would hold back is asked for.
            frames = [*decoder.decode(packet), *(decoder.decode(None) if packet.size else [])]
        decoder.flush_buffers()
        if frames:
            frame = frames[0]
            turns = round(frame.rotation / 90) % 4
            return Look(frame.width, frame.height, turns, bool(frame.interlaced_frame))
        if len(read) >= _MAX_LOOKED_AT:
            break
    return None


def _has_layers(extradata: bytes | None) -> bool:
    """Whether a HEVC stream may have temporal layers: the frames of one may be needed by a higher one alone."""
    # `numTemporalLayers` in the record of ISO/IEC 14496-15, 8.3.3.1.2; other streams do not tell.
    return extradata is None or len(extradata) < 23 or extradata[0] != 1 or (extradata[21] >> 3 & 7) != 1


class _Kept:
    """The packets of the files that were opened last in this process."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, int, int], Packets] = OrderedDict()
        self._num_bytes = 0
        self._lock = threading.Lock()

    def of(self, file: str, read: Callable[[], Packets]) -> Packets:
        """What was found in a file, unless it was changed since."""
        status = os.stat(file)
        key = (file, status.st_size, status.st_mtime_ns)
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = read()
        with self._lock:
            if key not in self._found and found.num_bytes <= MAX_KEPT_BYTES:
                self._found[key] = found
                self._num_bytes += found.num_bytes
            while self._num_bytes > MAX_KEPT_BYTES:
                self._num_bytes -= self._found.popitem(last=False)[1].num_bytes
        return found


kept_packets = _Kept()
