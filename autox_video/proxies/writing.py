"""Writing one proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from autox_video.decoding import FILES, DecodingError, Reader, in_words, open_video
from autox_video.proxies.sizes import KEY_FRAME_EVERY, frame_size
from autox_video.work_dir import replacing

# What a later version of a decoder may round otherwise.
TIME_TOLERANCE_SECONDS = 1e-3
TELL_EVERY_FRAMES = 100
# Fast to write and, without arithmetic coding and loop filter, fast to decode; no frame waits for a later one.
OPTIONS = {
    "preset": "superfast",
    "tune": "fastdecode",
    "crf": "20",
    "x264-params": f"keyint={KEY_FRAME_EVERY}:min-keyint={KEY_FRAME_EVERY}:scenecut=0:bframes=0",
}
OF_COLOURS = ("color_range", "colorspace", "color_primaries", "color_trc")


def can_write() -> bool:
    """Whether the encoder is there; builds of FFmpeg without it exist."""
    import av

    return "libx264" in av.codecs_available


def write_proxy(file: str, proxy: Path, side: int, tell: Callable[[int], None] = lambda frames: None) -> None:
    """Write the small copy of a video: the same frames at the same times, upright.

    It has its name when it is whole and was found to have the original's frames and times.

    Args:
        file: The original.
        proxy: The file to write.
        side: Its short side in pixels, even.
        tell: Is told now and then how many frames are done.

    Raises:
        DecodingError: The original cannot be read, or its frames and times not be kept.
        RunError: The file cannot be written.
    """
    original = open_video(file, FILES)
    with replacing(proxy) as temporary:
        _encode(file, original, temporary, side, tell)
        copy = open_video(str(temporary), FILES)
        if copy.num_frames != original.num_frames:
            raise DecodingError(f"has {original.num_frames} frames, and its proxy {copy.num_frames}")
        if np.abs(copy.times() - original.times()).max() > TIME_TOLERANCE_SECONDS:
            raise DecodingError("has frames at times that its proxy does not keep")


def _encode(file: str, original: Reader, target: Path, side: int, tell: Callable[[int], None]) -> None:
    import av

    av.logging.set_level(av.logging.PANIC)
    stamps, unit, pictures = _read(av, file, original)
    first = next(pictures, None)
    if first is None:
        raise DecodingError("is damaged: no frame can be decoded")
    size = frame_size(first[1].width, first[1].height, side)
    with av.open(str(target), "w", format="mp4") as output:
        stream: Any = output.add_stream("libx264", rate=25, options=OPTIONS)
        turned = round(first[1].rotation / 90) % 2
        stream.width, stream.height = size[::-1] if turned else size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count, context.time_base = 1, unit
        for name in OF_COLOURS:
            setattr(context, name, int(getattr(first[1], name, 2)))
        for index, frame in _without_gaps(first, pictures, len(stamps)):
            small = _shrunk(av, frame, size)
            small.pts, small.time_base = int(stamps[index]), unit
            output.mux(stream.encode(small))
            if (index + 1) % TELL_EVERY_FRAMES == 0:
                tell(index + 1)
        output.mux(stream.encode(None))


def _read(av: Any, file: str, original: Reader) -> tuple[np.ndarray, Fraction, Iterator[tuple[int, Any]]]:
    """When each frame is to be shown, from 0 on; in which unit; and the frames that can be decoded, by index."""
    try:
        container = av.open(file, metadata_errors="replace")
        stream = container.streams.best("video")
        stamps = np.sort([_stamp(packet) for packet in _packets(av, container, stream)])
        container.close()
        container = av.open(file, metadata_errors="replace")
        stream = container.streams.best("video")
    except (av.FFmpegError, ValueError) as error:
        raise DecodingError(in_words(str(error))) from error
    stream.codec_context.thread_count = 1
    timed = len(np.unique(stamps)) == len(stamps)
    decoded = _decoded(av, container, stream, stamps if timed else None)
    if timed:
        return stamps - stamps[0], stream.time_base, decoded
    # As the reader has it: frames that say nothing of their times are shown evenly.
    unit = 1 / Fraction(original.fps or 25.0).limit_denominator(1 << 16)
    return np.arange(len(stamps)), unit, decoded


def _stamp(packet: Any) -> int:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return 0 if stamp is None else stamp


def _packets(av: Any, container: Any, stream: Any) -> Iterator[Any]:
    """The packets that are frames, up to where the container is damaged beyond reading."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        if packet.size and not packet.is_discard:
            yield packet


def _decoded(av: Any, container: Any, stream: Any, stamps: np.ndarray | None) -> Iterator[tuple[int, Any]]:
    count = 0
    for packet in chain(_packets(av, container, stream), [None]):
        try:
            frames = stream.codec_context.decode(packet)
        except av.FFmpegError:
            continue
        for frame in frames:
            stamp = frame.pts if frame.pts is not None else frame.dts
            if stamps is not None and stamp is not None:
                yield int(np.searchsorted(stamps, stamp, side="right")) - 1, frame
            else:
                yield count, frame
            count += 1


def _without_gaps(
    first: tuple[int, Any], others: Iterator[tuple[int, Any]], num_frames: int
) -> Iterator[tuple[int, Any]]:
    """A frame for every index: of one that cannot be decoded the nearest before it, or the first."""
    done, frame = 0, first[1]
    for index, later in chain([first], others):
        if index < done:
            continue
        for missing in range(done, min(index, num_frames)):
            yield missing, frame
        if index < num_frames:
            yield index, later
        done, frame = index + 1, later
    for missing in range(done, num_frames):
        yield missing, frame


def _shrunk(av: Any, frame: Any, size: tuple[int, int]) -> Any:
    """A frame in this size as stored, then turned upright."""
    width, height = size
    small = frame.reformat(width=width, height=height, format="yuv420p", interpolation="AREA")
    turns = round(frame.rotation / 90) % 4
    if turns:
        values = small.to_ndarray().reshape(-1)
        planes, start = [], 0
        for rows, columns in ((height, width), (height // 2, width // 2), (height // 2, width // 2)):
            plane = values[start : start + rows * columns].reshape(rows, columns)
            planes.append(np.rot90(plane, turns).reshape(-1))
            start += rows * columns
        upright = size if turns == 2 else (height, width)
        picture = np.concatenate(planes).reshape(-1, upright[0])
        small = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    # Where key frames stand is the encoder's to decide.
    small.pict_type = 0
    return small
