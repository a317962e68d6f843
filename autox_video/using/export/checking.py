"""Whether what was exported says of real videos what the trained model says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autox_video.dataset.annotations import Row, read_rows
from autox_video.decoding import FILES, DecodingError, open_video
from autox_video.errors import Problem, RequestError
from autox_video.progress import progress_bar
from autox_video.work_dir import WorkDir

if TYPE_CHECKING:
    from autox_video.runner.exporting import Network
    from autox_video.runner.predictor import Predictor

# Scores that differ by less are the same: rounding is a thousandth of it.
MAX_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class CheckedVideo:
    """A video that the export is tried on.

    Attributes:
        file: Its path.
        is_whole: Whether it is a file, and not a piece of one or a folder of images.
        clips: What the network is shown of it, uint8.
        scores: What the trained model says of it, float32, (num_classes,).
    """

    file: Path
    is_whole: bool
    clips: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Agreement:
    """How far an exported file agrees with the trained model.

    Attributes:
        split: Whose videos were looked at: `test` or `val`.
        num_videos: How many.
        num_same: Of how many it says the same: the first class, or all the labels.
        largest_difference: Of the probabilities of any class of any video.
    """

    split: str
    num_videos: int
    num_same: int
    largest_difference: float

    @property
    def is_full(self) -> bool:
        """Whether nobody can tell the two apart."""
        return self.num_same == self.num_videos and self.largest_difference < MAX_DIFFERENCE

    def words(self, several_labels: bool) -> str:
        """The same for the console and a README."""
        what = "labels" if several_labels else "top-1"
        same = f"the same {what} on {self.num_same} of {self.num_videos} {self.split} videos"
        return f"{same}, scores differ by {self.largest_difference:.1e} at most"


def pick_videos(predictor: Predictor, run: WorkDir, count: int) -> tuple[str, list[CheckedVideo]]:
    """Videos of the test split, or of validation where there is none, spread over the list, with their scores.

    Args:
        predictor: The trained model.
        run: Where its lists are.
        count: How many at most. Those that cannot be read are passed over.

    Returns:
        The split, and the videos.

    Raises:
        RequestError: There is none.
    """
    lists = [(split, run.annotations(split)) for split in ("test", "val")]
    split, listed = next(((split, path) for split, path in lists if path.is_file()), ("", Path()))
    rows = read_rows(listed) if split else []
    step = max(1.0, len(rows) / count)
    rows = [rows[int(place * step)] for place in range(min(count, len(rows)))]
    root = Path(predictor.trained.plan.data_root)
    found = []
    with progress_bar(len(rows), "scoring videos") as bar:
        for row in rows:
            found += _scored(predictor, root, row)
            bar.advance()
    if not found:
        wrong = f"none of the {len(rows)} videos of {listed} can be read" if split else "has no list of videos"
        cure = "Name the work_dir of the training with --model, with its data where it was: an export is tried on them"
        raise RequestError(Problem(str(run.root), wrong, cure))
    return split, found


def _scored(predictor: Predictor, root: Path, row: Row) -> list[CheckedVideo]:
    file = root / row.path
    whole = row.decoder == FILES and row.start_seconds is None and row.end_seconds is None
    try:
        clips = predictor.clips_of(open_video(str(file), row.decoder), row.start_seconds, row.end_seconds)
    except (DecodingError, OSError):
        return []
    return [CheckedVideo(file, whole, clips.numpy(), predictor.score([clips])[0])]


def compare_network(
    network: Network, split: str, videos: Sequence[CheckedVideo], limits: np.ndarray | None
) -> Agreement:
    """Run an exported network on videos, two at a time and the first by itself: any number must do.

    Args:
        network: See `runner/exporting.py`.
        split: Whose videos they are.
        videos: The videos.
        limits: The thresholds of the labels; None where the highest score counts.
    """
    groups = [videos[:1], *(videos[place : place + 2] for place in range(1, len(videos), 2))]
    if len(videos) == 1:
        groups = [[*videos, *videos]]
    scores = []
    with progress_bar(len(groups), "trying the export") as bar:
        for group in groups:
            scores += list(network(np.stack([video.clips for video in group])))
            bar.advance()
    return _agreement(split, [video.scores for video in videos], scores[: len(videos)], limits)


def compare_script(script: Path, split: str, videos: Sequence[CheckedVideo], limits: np.ndarray | None) -> Agreement:
    """Run `predict.py` of a bundle on files, in a Python of its own that does not see where it was started.

    Args:
        script: The file.
        split: Whose videos they are.
        videos: Whole files.
        limits: As of `compare_network`.

    Raises:
        RequestError: It fails.
    """
    command = [sys.executable, "-I", str(script), *(str(video.file.absolute()) for video in videos)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RequestError(Problem(script.name, "fails on the videos of the training", "Use the rest of it", reason))
    said = [np.array(list(json.loads(line)["scores"].values())) for line in done.stdout.splitlines()]
    return _agreement(split, [video.scores for video in videos], said, limits)


def _agreement(
    split: str, expected: Sequence[np.ndarray], found: Sequence[np.ndarray], limits: np.ndarray | None
) -> Agreement:
    true, said = np.stack(expected).astype(np.float64), np.stack(found).astype(np.float64)
    same = true.argmax(1) == said.argmax(1) if limits is None else ((true >= limits) == (said >= limits)).all(1)
    # What is no number is no agreement.
    difference = float(np.nan_to_num(np.abs(true - said), nan=1.0).max())
    return Agreement(split, len(true), int(same.sum()), difference)
