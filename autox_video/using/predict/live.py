"""A camera, a stream or a pipe: windows of it at a steady rate, scored as they pass, until it ends or is stopped."""

from __future__ import annotations

import dataclasses
import logging
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from signal import SIGINT
from typing import Any

import numpy as np

from autox_video.dataset.messages import plural
from autox_video.decoding import FramesReader
from autox_video.errors import Problem, RequestError, RunError, StoppedError
from autox_video.log_lines import log_uncalibrated
from autox_video.plan.schema import Plan
from autox_video.report.outcome import AnyResults
from autox_video.stopping import stoppable
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
from autox_video.using.predict.inputs import Inputs, Video
from autox_video.using.predict.journal import Journal, Row, journal_path, opened_journal
from autox_video.using.predict.windows import Cut, Window, windows_of, without_password

logger = logging.getLogger(__name__)
# A window of a model that spreads its frames over a whole video.
SPREAD_WINDOW_SECONDS = 4.0
# Frames wait in memory no larger than so many times what the network sees.
KEPT_SCALE = 2


@dataclasses.dataclass(frozen=True)
class Watching:
    """How a stream is watched.

    Attributes:
        every: Seconds from one window to the next; None: as long as a window.
        window: Seconds of a window; None: what a clip of the model covers.
        average: Windows whose scores are averaged.
        seconds: End after so many of the stream; None: when it ends or someone stops it.
    """

    every: float | None = None
    window: float | None = None
    average: int = 1
    seconds: float | None = None


@stoppable()
def predict_stream(
    source: str,
    asked: Asked,
    watching: Watching,
    open_model: Callable[[], Any],
    show: Show = show_nothing,
) -> int:
    """Watch a stream. Ctrl-C is its usual end: the results are written then.

    Args:
        source: A camera (`/dev/video0`), the URL of a stream, or a named pipe.
        asked: Where the results go, a row for each window with its times in seconds of the stream; without a file for
            them no window is remembered, however long it takes.
        watching: Windows and their end.
        open_model: Opens the model, a `Predictor`.
        show: Is given the row of each window as it is scored, as it stands in the results, and its labels.

    Returns:
        How many windows were scored.

    Raises:
        RequestError: An option is for files.
        RunError: The stream cannot be read, or ended before a window was full.
        StoppedError: Another signal than SIGINT came; the results are written all the same.
    """
    check_outputs(asked)
    if asked.annotate is not None:
        raise RequestError(Problem("--annotate", "is for files, not for a stream", "Leave it out", str(asked.annotate)))
    predictor = open_model()
    check_threshold(asked, predictor)
    log_uncalibrated(predictor.trained.path, predictor.trained.calibration)
    run = _Run(without_password(source), asked, watching, predictor, show)
    ended: StoppedError | RunError | None = None
    with ExitStack() as stack:
        if asked.output is not None:
            made_by = {"model_sha256": predictor.trained.sha256, "stream": run.name}
            run.journal = stack.enter_context(opened_journal(journal_path(asked.output), made_by, {}, fresh=True))
        plan = predictor.plan
        cut = Cut(lambda fps: _window_seconds(plan, watching, fps), watching.every, KEPT_SCALE * plan.input_size.value)
        windows = stack.enter_context(closing(windows_of(source, cut)))
        logger.info("watching %s; Ctrl-C ends it", run.name)
        try:
            for window in windows:
                run.add(window)
                if watching.seconds is not None and window.end >= watching.seconds:
                    break
        except (StoppedError, RunError) as error:
            ended = error
    if run.rows:
        write_asked(asked, run.results())
    if isinstance(ended, RunError) or (ended is not None and ended.signal != SIGINT):
        raise ended
    if run.count == 0 and ended is None:
        cure = "Look whether it plays, or ask for a shorter --window"
        raise RunError(Problem(run.name, "ended before the first window was full", cure))
    return run.count


class _Run:
    """What has been seen of a stream so far.

    Attributes:
        name: Of the stream.
        count: Windows that were scored.
        rows: A video for each, and its scores; where they are to be written.
        journal: Where rows are kept at once, or None.
    """

    def __init__(self, name: str, asked: Asked, watching: Watching, predictor: Any, show: Show) -> None:
        self.name, self.count, self.rows = name, 0, list[tuple[Video, Row]]()
        self.journal: Journal | None = None
        self._asked, self._predictor, self._show = asked, predictor, show
        self._latest: deque[np.ndarray] = deque(maxlen=watching.average)
        self._missed = 0

    def add(self, window: Window) -> None:
        """Score a window, keep it and show it."""
        times = window.times - window.times[0]
        fps = (len(times) - 1) / times[-1] if len(times) > 1 else None
        clips = self._predictor.clips_of(FramesReader(window.frames, fps, times))
        self._latest.append(self._predictor.score([clips])[0])
        if window.missed > self._missed:
            some = plural(window.missed - self._missed, "window")
            logger.info("note     %s passed by while another was scored: ask for them less often with --every", some)
            self._missed = window.missed
        piece = (round(float(window.times[0]), 3), round(window.end, 3))
        video, row = Video(self.name, self.name, None, *piece), Row(np.stack(self._latest).mean(axis=0))
        self.count += 1
        if self._asked.output or self._asked.csv:
            self.rows.append((video, row))
        shown = self._results_of([(video, row)]).videos[0]
        if self.journal is not None:
            self.journal.add(video, None, row, said_of(shown))
        self._show(shown, best_labels(self._asked, self._predictor, shown))

    def results(self) -> AnyResults:
        """All windows, in the shape of a test's results."""
        return self._results_of(self.rows)

    def _results_of(self, rows: list[tuple[Video, Row]]) -> AnyResults:
        inputs = Inputs(str(Path.cwd()), tuple(video for video, _ in rows), {}, (), ())
        return results_of(self._asked, self._predictor, inputs, [row for _, row in rows])


def _window_seconds(plan: Plan, watching: Watching, fps: float) -> float:
    """What a clip of a model covers of a stream of so many frames a second."""
    if watching.window is not None:
        return watching.window
    if plan.target_fps.value:
        return float(plan.clip_len.value / plan.target_fps.value)
    if plan.sampling.value == "dense":
        return float(plan.clip_len.value * plan.frame_interval.value / fps)
    return SPREAD_WINDOW_SECONDS
