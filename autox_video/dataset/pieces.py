"""Labelled pieces of longer videos."""

from __future__ import annotations

import dataclasses

from autox_video.dataset.entries import Sample
from autox_video.dataset.probe import VideoFacts


def piece_facts(sample: Sample, found: VideoFacts | str | None) -> VideoFacts | str | None:
    """What is known of the piece of a video that a sample names.

    Args:
        sample: The sample; without times it is the whole video.
        found: The facts of the whole video, or why it cannot be used; None where it was not opened.

    Returns:
        The facts, with the duration of the piece and its share of the frames; or the reason why the
        piece cannot be used; or None.
    """
    if found is None or isinstance(found, str) or (sample.start_seconds is None and sample.end_seconds is None):
        return found
    whole = found.duration_seconds
    start = sample.start_seconds or 0.0
    if not whole:
        return "does not say how long it is, and only a piece of it is asked for"
    if start >= whole:
        return f"ends after {whole:.2f} s, before its piece from {start:.2f} s on"
    length = min(whole, sample.end_seconds if sample.end_seconds is not None else whole) - start
    frames = max(1, round(found.num_frames * length / whole))
    return dataclasses.replace(found, num_frames=frames, duration_seconds=round(length, 6))


def named(sample: Sample) -> str:
    """The path of a sample and, where it is a piece, which."""
    return named_piece(sample.path, sample.start_seconds, sample.end_seconds)


def named_piece(path: str, start_seconds: float | None, end_seconds: float | None) -> str:
    """A path and, where only a piece of the video is meant, which, such as `a.mp4 from 2 s to its end`."""
    if (start_seconds, end_seconds) == (None, None):
        return path
    end = "its end" if end_seconds is None else f"{end_seconds:g} s"
    return f"{path} from {start_seconds or 0:g} s to {end}"
