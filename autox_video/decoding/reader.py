"""What every decoder offers, and what it says when it fails."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from .pictures import Box, Part, Size

# Containers store times in units of a millisecond or less, and decord gives them in single precision.
TIME_TOLERANCE_SECONDS = 1e-3
MAX_REASON = 120


class DecodingError(Exception):
    """A video cannot be opened or decoded; the message completes a sentence that begins with its name."""


class Reader(Protocol):
    """An open video.

    Attributes:
        num_frames: How many frames it has.
        fps: Frames a second, or None where it states none.
    """

    num_frames: int
    fps: float | None

    @property
    @abstractmethod
    def width(self) -> int:
        """Of every frame, upright, in pixels."""

    @property
    @abstractmethod
    def height(self) -> int:
        """Of every frame, upright, in pixels."""

    @abstractmethod
    def times(self) -> np.ndarray:
        """When each frame is shown, in seconds after the first one: shape (num_frames,), ascending."""

    def frames(
        self, indices: Sequence[int] | np.ndarray, box: Box | None = None, size: Size | None = None
    ) -> np.ndarray:
        """Decode frames by their index in the order they are shown, upright.

        Args:
            indices: In any order.
            box: Left, top, right and bottom of the part of each frame that is wanted, in pixels; None for all of it.
            size: Width and height that the part is scaled to (see `pictures`); None leaves it as it is.

        Returns:
            RGB, uint8, shape (len(indices), H, W, 3).

        Raises:
            DecodingError: They cannot be decoded.
        """
        return self.views(indices, [(box, size)])[0]

    @abstractmethod
    def views(self, indices: Sequence[int] | np.ndarray, parts: Sequence[Part]) -> list[np.ndarray]:
        """Several parts of the same frames, which are decoded once; of each what `frames` returns."""

    def passing(self, parts: Sequence[Part], step: int = 1) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Go over the whole video once, in memory that does not depend on its length.

        Args:
            parts: As for `views`.
            step: Only every so many frames are drawn, beginning with the first.

        Yields:
            The index of a frame, ascending, and a picture of each part: uint8, shape (H, W, 3).

        Raises:
            DecodingError: It cannot be decoded.
        """
        for index in range(0, self.num_frames, step):
            yield index, [pictures[0] for pictures in self.views([index], parts)]


def piece_of(times: np.ndarray, start_seconds: float | None, end_seconds: float | None) -> tuple[int, int]:
    """The frames that are shown within a piece of a video.

    Args:
        times: As `Reader.times` gives them.
        start_seconds: Where the piece begins; None at the first frame.
        end_seconds: Where it ends, itself excluded; None after the last frame.

    Returns:
        The index of the first frame, and how many there are. Where no frame begins within the
        piece, it is the one that is on the screen when the piece begins.
    """
    first = 0 if start_seconds is None else int(np.searchsorted(times, start_seconds - TIME_TOLERANCE_SECONDS))
    end = len(times) if end_seconds is None else int(np.searchsorted(times, end_seconds - TIME_TOLERANCE_SECONDS))
    return (first, end - first) if end > first else (max(0, first - 1), 1)


def in_words(message: str) -> str:
    """A short reason in place of a decoder's message, which may quote the file's bytes."""
    if "Format not on whitelist" in message:
        return "is a list of other files or streams, and no video"
    if "cannot find video stream" in message:
        return "has no video stream that a decoder knows (only sound, or cut off)"
    if re.match(r"(Error reading |ERROR opening|\[Errno (\d+)\] (Invalid data|End of file|Input/output))", message):
        return "is no video, or its header is damaged or cut off"
    message = re.sub(r"\[[0-9:]+\] \S+:[0-9]+: ", "", message.split("Stack trace")[0])  # time and place in the source
    message = re.sub(r"(getting stream info) .*", r"\1", message, flags=re.DOTALL)  # the file's bytes follow
    message = re.sub(r"Check failed: .*?\(-?[0-9]+ vs\. -?[0-9]+\) ", "", message)
    message = " ".join("".join(letter if " " <= letter <= "~" else " " for letter in message).split())
    return f"cannot be decoded: {message[:MAX_REASON] or 'the decoder gives no reason'}".rstrip(". ")
