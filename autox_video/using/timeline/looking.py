"""One video looked through: from the file to its segments."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autox_video.decoding import FILES, IMAGES, DecodingError, Reader, open_video
from autox_video.progress import Bar
from autox_video.using.timeline.one_pass import Frame, ahead, clips_of_windows
from autox_video.using.timeline.record import ERROR, OK, Model, Settings, Timeline
from autox_video.using.timeline.record import VERSION as RECORD_VERSION
from autox_video.using.timeline.segments import Rules, segments_of
from autox_video.using.timeline.stillness import StillScenes
from autox_video.using.timeline.thresholds import EXCLUSIVE_TASK, probabilities
from autox_video.using.timeline.windows import Span, Windows, windows_of

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor

# All of these were chosen on joined validation clips of the demo: docs/timeline.md has the table.
# A scene is still where nothing moves for this share of a window.
STILL_SHARE: Final = 0.5
# What a segment must at least last, as a share of a window, and the gap that it goes on over.
MIN_SHARE: Final = 0.5
GAP_SHARE: Final = 0.25
# Standard deviation of the smoothing, as a share of a window.
SMOOTH_SHARE: Final = 0.375
# Batches of windows that are decoded ahead.
BATCHES_AHEAD: Final = 2


def look_through(
    file: Path,
    name: str,
    predictor: Predictor,
    model: Model,
    settings: Settings,
    span: Span,
    batch_size: int,
    bar: Bar,
) -> Timeline:
    """Find the segments of a video; one that cannot be read gives a record with the reason.

    Args:
        file: The video, or a folder of numbered images.
        name: What the record calls it.
        predictor: The model.
        model: What is said of it.
        settings: What decides.
        span: Of a window.
        batch_size: Windows that are scored together.
        bar: Advances by 1 over the whole video.
    """
    record = Timeline(RECORD_VERSION, name, None, None, ERROR, None, model, settings)
    done = 0.0
    try:
        status = file.stat()
        record = dataclasses.replace(record, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)
        reader = open_video(str(file), IMAGES if os.path.isdir(file) else FILES)
        times = reader.times()
        end = end_of(reader, times)
        windows = windows_of(times, end, span, settings.stride_seconds)
        window_seconds = span.seconds_at(len(times) / end)
        scenes = StillScenes(window_seconds * STILL_SHARE)
        scores = np.empty((len(windows), len(model.classes)), np.float32)
        for place, batch in _batches(reader, times, end, windows, predictor, scenes, batch_size):
            scores[place : place + len(batch)] = probabilities(predictor, batch)
            bar.advance(len(batch) / len(windows), os.path.basename(name))
            done += len(batch) / len(windows)
    except DecodingError as error:
        bar.advance(1 - done)
        return dataclasses.replace(record, error=str(error))
    except OSError as error:
        bar.advance(1 - done)
        return dataclasses.replace(record, error=f"cannot be read: {error.strerror or error}")
    stride = float(np.diff(windows.edges).mean())
    rules = rules_of(settings, model, predictor.plan.task == EXCLUSIVE_TASK, window_seconds, stride)
    still = scenes.found if settings.still is not None else ()
    return dataclasses.replace(
        record,
        status=OK,
        num_frames=len(times),
        duration_seconds=end,
        num_windows=len(windows),
        window_seconds=window_seconds,
        stride_seconds=stride,
        still=still,
        segments=segments_of(scores, windows, still, rules),
    )


def end_of(reader: Reader, times: np.ndarray) -> float:
    """When the last frame goes: it is on the screen for as long as the others are on average."""
    if len(times) > 1:
        return float(times[-1] * len(times) / (len(times) - 1))
    return 1 / reader.fps if reader.fps else 1.0


def rules_of(settings: Settings, model: Model, exclusive: bool, window_seconds: float, stride_seconds: float) -> Rules:
    """The rules for a video with windows of this length and distance."""
    least = window_seconds * MIN_SHARE if settings.min_seconds is None else settings.min_seconds
    return Rules(
        classes=model.classes,
        enter=settings.enter,
        leave=settings.leave,
        exclusive=exclusive,
        background=tuple(model.classes.index(name) for name in settings.background),
        still=tuple(model.classes.index(name) for name in settings.still or ()),
        smooth_windows=SMOOTH_SHARE * window_seconds / stride_seconds,
        max_gap_seconds=min(window_seconds * GAP_SHARE, least),
        min_seconds=least,
    )


def _batches(
    reader: Reader,
    times: np.ndarray,
    end: float,
    windows: Windows,
    predictor: Predictor,
    scenes: StillScenes,
    batch_size: int,
) -> Iterator[tuple[int, list[Any]]]:
    """Batches of clips with the place of their first window, decoded in a thread ahead."""
    shown_until = np.append(times[:: windows.step], end)

    def look(frame: Frame) -> None:
        place = frame.index // windows.step
        scenes.see(frame.pictures[0], float(shown_until[place]), float(shown_until[place + 1]))

    def made() -> Iterator[tuple[int, list[Any]]]:
        clips = clips_of_windows(reader, times, windows, predictor.clips_of, look)
        for place in range(0, len(windows), batch_size):
            yield place, list(islice(clips, batch_size))
        # The end of a video that no window covers may be still.
        for _ in clips:
            raise AssertionError("there are as many clips as windows")

    return ahead(made(), BATCHES_AHEAD)
