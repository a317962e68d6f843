"""How large a proxy is, what it takes to write one and to read from one. Measured: see benchmarks/proxy_cache.py."""

from __future__ import annotations

# Beside the short side what a proxy's name tells: raised when one would be written otherwise.
VERSION = 2
# A frame is decoded from the key frame before it, so a clip costs at most so many frames more than it spans.
KEY_FRAME_EVERY = 12
# A random crop is taken of a frame that is so much larger than what the network sees: 256 pixels for 224.
CROP_ROOM = 8 / 7
# A video is left as it is where it is hardly larger than its proxy would be.
WORTHWHILE_RATIO = 1.2
# Bits a pixel of camera pictures at the quality of `writing`; a still picture takes far less.
BITS_PER_PIXEL = 0.4
ASPECT = 16 / 9
# Seconds of one core a pixel: to decode and shrink an original, to encode its proxy, to decode the proxy.
SHRINK_SECONDS, ENCODE_SECONDS, READ_SECONDS = 3.8e-9, 8.1e-9, 3.3e-9


def proxy_side(input_size: int, min_crop_area: float) -> int:
    """The short side of a proxy in pixels, even.

    Args:
        input_size: Side of the square that the network sees.
        min_crop_area: Smallest share of the frame that a random crop keeps; 1 where only the middle is taken.
    """
    side = input_size * (CROP_ROOM if min_crop_area < 1 else 1.0)
    return 2 * -(-round(side) // 2)


def is_worthwhile(short_side_px: float, side: int) -> bool:
    """Whether a video is so large that a proxy of this short side is less work."""
    return short_side_px > WORTHWHILE_RATIO * side


def frame_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height of the proxy of a frame, both even."""
    scale = side / min(width, height)
    return 2 * max(1, round(width * scale / 2)), 2 * max(1, round(height * scale / 2))


def writing_seconds(num_frames: int, width: int, height: int, side: int) -> float:
    """About what writing a proxy takes of one core."""
    small_width, small_height = frame_size(width, height, side)
    return num_frames * (SHRINK_SECONDS * width * height + ENCODE_SECONDS * small_width * small_height)
