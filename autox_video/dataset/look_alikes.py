"""Videos that show the same thing: equal files under two names, and copies that were encoded anew.

Two videos look alike when two of their three hashed frames (first, middle, last) differ in at most `MAX_BITS` of 128
bits. Measured on this second-best frame: of 200 real clips of 200 recordings, of 624 demo clips and of 60 clips of
noise, the two most similar differ in 33, 37 and 50 bits. Of ten kinds of copies of the real clips (other codec,
quality, size, rate or brightness, 5 % cropped, some first frames cut off), at least 97 % of each kind differ in 20 or
fewer; of the demo clips 96 %, but two thirds of those that were shrunk to 32 pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.dataset.frame_hashes import BITS
from autox_video.dataset.messages import plural
from autox_video.dataset.probe import VideoFacts
from autox_video.dataset.unions import Unions

MAX_BITS = 20
FRAMES = 3
# More contents than this that all look alike are one fixed camera rather than copies of one video.
MAX_COPIES = 8
MAX_SHARE_OF_COPIES = 0.25
# A few videos are compared each with each; of more, those whose hashes agree in a whole band of bits, and of many the
# bands are wide. That misses hardly a copy: the bits in which copies differ are few, and the bands are up to 48.
FEW_VIDEOS = 1000
NARROW, WIDE, MANY_VIDEOS = 8, 16, 4000

_ONES = np.array([number.bit_count() for number in range(256)], dtype=np.uint8)


@dataclass(frozen=True)
class LookAlikes:
    """Which videos show the same.

    Attributes:
        content: By file, the digest of its bytes.
        look: By file, the name of the set of contents that look alike; absent for one that stands alone.
        notes: What a person should know.
    """

    content: Mapping[str, str]
    look: Mapping[str, str]
    notes: tuple[str, ...] = ()


def find_look_alikes(known: Mapping[str, VideoFacts]) -> LookAlikes:
    """Find equal and similar videos.

    Args:
        known: The facts of readable files.
    """
    content = {file: facts.digest for file, facts in known.items() if facts.digest}
    frames = {facts.digest: facts.frame_hashes for facts in known.values() if facts.digest}
    digests = sorted(frames)
    alike = [members for members in similar([frames[digest] for digest in digests]) if len(members) > 1]
    limit = max(MAX_COPIES, MAX_SHARE_OF_COPIES * len(digests))
    scenes = [members for members in alike if len(members) > limit]
    set_of = {digests[member]: digests[members[0]] for members in alike if len(members) <= limit for member in members}
    look = {file: set_of[digest] for file, digest in content.items() if digest in set_of}
    notes = [
        f"{plural(len(members), 'video')} look alike, too many to be copies of one: if they show one place from a "
        "fixed camera, name their recordings with data.group_pattern"
        for members in scenes
    ]
    return LookAlikes(content, look, tuple(notes))


def similar(frames: Sequence[Sequence[str]]) -> list[list[int]]:
    """Sets of videos that look alike, by position.

    Args:
        frames: For each video the hashes of three frames, as `frame_hashes` gives them.
    """
    unions = Unions(len(frames))
    packed, told = _packed(frames)
    if len(frames) <= FEW_VIDEOS:
        _join_equal(np.zeros(len(frames)), np.arange(len(frames)), packed, told, unions)
        return unions.sets()
    bits = np.unpackbits(packed, axis=2)
    width = NARROW if len(frames) <= MANY_VIDEOS else WIDE
    bands = BITS // width
    for frame in range(FRAMES):
        candidates = np.flatnonzero(told[:, frame])
        for band in range(bands):
            # Every `bands`-th bit, so that a black margin does not make a band equal in all videos.
            keys = np.packbits(bits[candidates, frame, band::bands], axis=1).astype(np.int64)
            key = keys[:, 0] if width == NARROW else keys[:, 0] * 256 + keys[:, 1]
            _join_equal(key, candidates, packed, told, unions)
    return unions.sets()


def _packed(frames: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes as bytes, shape (N, FRAMES, BITS / 8), and which of them say anything, shape (N, FRAMES)."""
    packed = np.zeros((len(frames), FRAMES, BITS // 8), dtype=np.uint8)
    told = np.zeros((len(frames), FRAMES), dtype=bool)
    for position, hashes in enumerate(frames):
        for frame, text in enumerate(hashes[:FRAMES]):
            if text:
                packed[position, frame] = np.frombuffer(bytes.fromhex(text), dtype=np.uint8)
                told[position, frame] = True
    return packed, told


def _join_equal(key: np.ndarray, candidates: np.ndarray, packed: np.ndarray, told: np.ndarray, unions: Unions) -> None:
    """Compare the videos of equal keys, and join those that look alike."""
    order = np.argsort(key, kind="stable")
    key, videos = key[order], candidates[order]
    sets = _sets_of(videos, unions)
    for distance in range(1, len(key)):
        equal = key[distance:] == key[:-distance]
        if not equal.any():
            return
        at = np.flatnonzero(equal & (sets[distance:] != sets[:-distance]))
        one, other = videos[at], videos[at + distance]
        differing = _ONES[packed[one] ^ packed[other]].sum(axis=2, dtype=np.int64)
        alike = ((differing <= MAX_BITS) & told[one] & told[other]).sum(axis=1) >= FRAMES - 1
        for first, second in zip(one[alike].tolist(), other[alike].tolist(), strict=True):
            unions.join(first, second)
        if alike.any():
            sets = _sets_of(videos, unions)


def _sets_of(videos: np.ndarray, unions: Unions) -> np.ndarray:
    return np.fromiter(map(unions.find, videos.tolist()), dtype=np.int64, count=len(videos))


def readable(known: Mapping[str, VideoFacts | str], files: Iterable[str]) -> dict[str, VideoFacts]:
    """The facts of those files that can be read."""
    facts = ((file, known.get(file)) for file in files)
    return {file: found for file, found in facts if isinstance(found, VideoFacts)}
