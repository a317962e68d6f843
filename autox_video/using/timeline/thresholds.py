"""From which probability on a window counts: what the model says of the videos it was validated with.

A softmax gives some class a high probability whatever it is shown. Two things keep background out:

- A threshold on the highest probability, the baseline of Hendrycks and Gimpel (ICLR 2017, arXiv:1610.02136) for what is
  unlike the training data. Nothing is known of the background to come, so it is set by what the model must still
  accept: `KEPT` of the validation videos that it recognises reach it.
- Still scenes (`stillness.py`) make no segment, unless videos of the class stand still in validation as well.

Background that moves and that the model is sure of gets through: only a class of its own, named as in `BACKGROUND`,
teaches a model what background is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from autox_video.dataset.annotations import Row, read_rows
from autox_video.dataset.entries import ids_of
from autox_video.decoding import DecodingError, open_video
from autox_video.errors import RunError
from autox_video.progress import progress_bar
from autox_video.records import read_record, write_record
from autox_video.using.timeline.stillness import is_still
from autox_video.work_dir import WorkDir

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor

logger = logging.getLogger(__name__)

VERSION: Final = 2
# Names of a class that stands for none of the others.
BACKGROUND: Final = frozenset({"background", "none", "other", "others", "no_action", "nothing", "背景", "无", "其他"})
# Of its classes one at a time is seen.
EXCLUSIVE_TASK: Final = "single_label"
# Share of the validation videos that the model recognises, whose probability is at or above `enter`.
KEPT: Final = 0.98
# A segment that has begun goes on down to this share of it.
LEAVE_SHARE: Final = 0.6
# Without validation videos.
UNMEASURED: Final = 0.5
# So many are enough for a percentile, and few enough to wait for.
MAX_VIDEOS: Final = 120
# A class may stand still where so many of its validation videos do: one that is mislabelled or broken is not enough.
STILL_SHARE: Final = 0.1
FILE: Final = "timeline_thresholds.json"


@dataclass(frozen=True)
class Measured:
    """What validation says; `timeline_thresholds.json` beside the model.

    Attributes:
        version: Of this file's layout.
        checkpoint_sha256: Of the model that was asked.
        num_videos: Validation videos that were scored.
        enter: Probability that a segment must reach, one a class.
        still: Ids of classes that may stand still.
        seconds: The median length of the videos.
        source: Where the figures come from, for people.
    """

    version: int
    checkpoint_sha256: str
    num_videos: int
    enter: tuple[float, ...]
    still: tuple[int, ...]
    seconds: float | None
    source: str


def measure(predictor: Predictor) -> Measured:
    """Ask the validation videos, or read what was found the last time."""
    folder = WorkDir(predictor.trained.path.parent)
    path = folder.root / FILE
    if path.is_file():
        known = read_record(path, Measured)
        if (known.version, known.checkpoint_sha256) == (VERSION, predictor.trained.sha256):
            return known
    lists = [file for file in (folder.list_of_run("val"), folder.annotations("val")) if file.is_file()]
    rows = _spread(read_rows(lists[0])) if lists else []
    measured = _of_videos(predictor, rows)
    if measured.num_videos:
        try:
            write_record(path, measured)
        except RunError as error:
            # A model in a folder that is not ours to write into is asked anew each time.
            logger.info("note     %s", error)
    return measured


def background_of(classes: Sequence[str]) -> tuple[int, ...]:
    """Ids of the classes that stand for none of the others, by their names."""
    return tuple(label for label, name in enumerate(classes) if name.strip().casefold() in BACKGROUND)


def _spread(rows: Sequence[Row]) -> list[Row]:
    """At most `MAX_VIDEOS` rows, evenly from a list that is sorted by class as like as not."""
    count = min(MAX_VIDEOS, len(rows))
    return [rows[len(rows) * place // count] for place in range(count)]


def _of_videos(predictor: Predictor, rows: Sequence[Row]) -> Measured:
    right: list[float] = []
    seconds: list[float] = []
    still: list[tuple[int, bool]] = []
    scored = 0
    with progress_bar(len(rows), "asking validation videos") as bar:
        for row in rows:
            bar.advance()
            try:
                reader = open_video(str(Path(predictor.trained.plan.data_root) / row.path), row.decoder)
                clips = predictor.clips_of(reader, row.start_seconds, row.end_seconds)
            except (DecodingError, OSError):
                continue
            scores = probabilities(predictor, [clips])[0]
            scored += 1
            seconds.append(_length(row, reader.times(), reader.fps))
            label = int(np.argmax(scores))
            if label in ids_of(row.label):
                right.append(float(scores[label]))
            motionless = is_still(_frames(clips.numpy(), predictor.plan.clip_len.value))
            still.extend((known, motionless) for known in ids_of(row.label))
    shares = {label: np.mean([no for known, no in still if known == label]) for label in {known for known, _ in still}}
    enter, source = UNMEASURED, "no validation video can be read"
    if predictor.plan.task == EXCLUSIVE_TASK and right:
        enter = float(np.quantile(right, 1 - KEPT))
        source = f"{KEPT:.0%} of {len(right)} validation videos that are recognised reach it"
    levels = [enter] * len(predictor.classes)
    if predictor.thresholds is not None:
        levels = _tempered(predictor, np.array(predictor.thresholds)).tolist()
        source = "the thresholds of the labels, chosen on validation"
    return Measured(
        VERSION,
        predictor.trained.sha256,
        scored,
        tuple(levels),
        tuple(sorted(label for label, share in shares.items() if share >= STILL_SHARE)),
        float(np.median(seconds)) if seconds else None,
        source,
    )


def probabilities(predictor: Predictor, batch: Sequence[object]) -> np.ndarray:
    """Scores of a batch, true to their word where the model is calibrated: float32, shape (N, num_classes)."""
    return _tempered(predictor, predictor.score(batch))


def _tempered(predictor: Predictor, scores: np.ndarray) -> np.ndarray:
    """Calibrated probabilities of scores, or of thresholds that validation chose for scores."""
    made: np.ndarray = predictor.task.tempered(scores, predictor.temperature or 1.0)
    return made


def _length(row: Row, times: np.ndarray, fps: float | None) -> float:
    """Seconds of a video, or of its piece."""
    end = float(times[-1]) + (1 / fps if fps else 0.0)
    return (end if row.end_seconds is None else row.end_seconds) - (row.start_seconds or 0.0)


def _frames(clips: np.ndarray, clip_len: int) -> list[np.ndarray]:
    """The frames of the first view: uint8, shape (H, W, 3)."""
    if clips.ndim == 5:
        return list(clips[0].transpose(1, 2, 3, 0))
    return list(clips[:clip_len].transpose(0, 2, 3, 1))
