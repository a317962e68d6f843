"""A list of videos: found, scored as they are decoded, each row kept at once, and the results written at the end."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from autox_video.dataset.messages import plural
from autox_video.decoding import FILES, IMAGES, DecodingError, Reader, open_video
from autox_video.log_lines import log_uncalibrated
from autox_video.progress import progress_bar
from autox_video.report.outcome import AnyResults
from autox_video.stopping import stoppable
from autox_video.using.predict.annotated import mark_in, mark_of, targets_of, write_annotated
from autox_video.using.predict.asked import (
    Asked,
    Show,
    best_labels,
    check_outputs,
    check_threshold,
    results_of,
    said_of,
    show_nothing,
    write_asked,
)
from autox_video.using.predict.downloads import local_file
from autox_video.using.predict.inputs import Inputs, Key, Video, find_inputs, with_labels
from autox_video.using.predict.journal import Journal, Row, Stamp, journal_path, opened_journal, stamp_of

logger = logging.getLogger(__name__)


@stoppable()
def predict_files(asked: Asked, open_model: Callable[[], Any], show: Show = show_nothing) -> AnyResults:
    """Predict a list of videos, and write the results.

    Args:
        asked: What to do.
        open_model: Opens the model, a `Predictor`; called when the inputs have been found.
        show: Is given the row of each video as it is done, as it stands in the results, and its labels.

    Returns:
        The results, as they stand in the file. A video that could not be read is a row with its reason.

    Raises:
        RequestError: An input or an option is wrong.
        RunError: A file cannot be written.
    """
    check_outputs(asked)
    inputs = find_inputs(asked.inputs, asked.data_root)
    targets = targets_of(asked.annotate, inputs) if asked.annotate else []
    for note in inputs.notes:
        logger.info("note     %s", note)
    predictor = open_model()
    check_threshold(asked, predictor)
    if not asked.ignore_labels:
        inputs = with_labels(inputs, predictor.classes, predictor.plan.task)
    trained = predictor.trained
    logger.info("model    %s (epoch %d) on %s", trained.path, trained.epoch, predictor.plan.device.value)
    log_uncalibrated(trained.path, trained.calibration)
    stamps = {video.key: stamp_of(video.file) for video in inputs.videos}
    with _journal(asked, predictor, stamps) as journal:
        rows = _Run(asked, predictor, inputs, stamps, targets, journal).rows(show)
    results = results_of(asked, predictor, inputs, rows)
    write_asked(asked, results)
    return results


@contextmanager
def _journal(asked: Asked, predictor: Any, stamps: Mapping[Key, Stamp]) -> Iterator[Journal | None]:
    """The journal beside the output; None where nothing is to be written."""
    if asked.output is None:
        yield None
        return
    views = {"num_clips": predictor.plan.test_num_clips.value, "num_crops": predictor.plan.test_num_crops.value}
    made_by = {"model_sha256": predictor.trained.sha256, **views, "image_fps": asked.image_fps}
    with opened_journal(journal_path(asked.output), made_by, stamps, fresh=asked.fresh) as journal:
        for note in journal.notes:
            logger.info("note     %s", note)
        if journal.kept:
            done = f"{len(journal.kept)} of {plural(len(stamps), 'video')}"
            logger.info("goes on  %s done before (%s)", done, journal_path(asked.output))
        yield journal


class _Run:
    """The videos that are to be scored, and what is at hand for that."""

    def __init__(
        self,
        asked: Asked,
        predictor: Any,
        inputs: Inputs,
        stamps: Mapping[Key, Stamp],
        targets: Sequence[Path],
        journal: Journal | None,
    ) -> None:
        self.asked, self.predictor, self.inputs = asked, predictor, inputs
        self.stamps, self.targets, self.journal = stamps, targets, journal

    def rows(self, show: Show) -> list[Row]:
        """What came of each video: kept from an earlier run, or scored now."""
        from autox_video.runner.predicting import score_videos

        asked, videos = self.asked, self.inputs.videos
        rows = [self.journal.kept.get(video.key) if self.journal else None for video in videos]
        self._draw_missing(rows)
        todo = [number for number, row in enumerate(rows) if row is None]
        loading: Any = {"num_workers": asked.workers, "videos_per_batch": asked.batch, "max_seconds": asked.max_seconds}
        with (
            progress_bar(len(todo), "predicting") as bar,
            closing(score_videos(self.predictor, todo, self._clips_of, **loading)) as scored,
        ):
            for number, found in scored:
                row = rows[number] = _row(found)
                shown = self._shown(number, row)
                self._draw(number, shown)
                if self.journal:
                    self.journal.add(videos[number], self.stamps[videos[number].key], row, said_of(shown))
                show(shown, best_labels(asked, self.predictor, shown))
                bar.advance()
        return [row for row in rows if row is not None]

    def _clips_of(self, number: int) -> Any:
        """The clips of a video, in the process that decodes it."""
        video = self.inputs.videos[number]
        with self._opened(video) as reader:
            return self.predictor.clips_of(reader, video.start_seconds, video.end_seconds)

    @contextmanager
    def _opened(self, video: Video) -> Iterator[Reader]:
        with local_file(video.file, self.asked.max_download_mib, self.asked.max_seconds) as file:
            yield open_video(file, f"{IMAGES}@{self.asked.image_fps:.10g}" if os.path.isdir(file) else FILES)

    def _shown(self, number: int, row: Row) -> Any:
        """A row as it stands in the results, but for its true label."""
        video = dataclasses.replace(self.inputs.videos[number], label=None)
        inputs = dataclasses.replace(self.inputs, videos=(video,))
        return results_of(self.asked, self.predictor, inputs, [row]).videos[0]

    def _draw_missing(self, rows: Sequence[Row | None]) -> None:
        """The copies of videos that an earlier run has scored, and not drawn or with other labels."""
        for number, row in enumerate(rows):
            if row is not None and self.targets:
                self._draw(number, self._shown(number, row), again=False)

    def _draw(self, number: int, shown: Any, *, again: bool = True) -> None:
        """Draw the copy of a video; with `again` also where one that says the same is there."""
        if not self.targets or shown.status != "ok":
            return
        video, target = self.inputs.videos[number], self.targets[number]
        labels = best_labels(self.asked, self.predictor, shown)
        lines = [f"{name} {score:.2f}{' ?' * bool(shown.uncertain)}" for name, score in labels] or ["-"]
        mark = mark_of(video, self.stamps[video.key], lines)
        if not again and mark_in(target) == mark:
            return
        try:
            with self._opened(video) as reader:
                write_annotated(reader, video, lines, target, mark)
        except (DecodingError, OSError) as error:
            logger.warning("warning  %s: its copy cannot be drawn: %s", video.name, error)


def _row(found: np.ndarray | str) -> Row:
    if isinstance(found, str):
        return Row(None, found)
    if not np.isfinite(found).all():
        return Row(None, "the model gives scores that are not finite numbers")
    return Row(found)
