"""The end of a training whose videos are being lost one after the other, told in a sentence."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager

from autox_video.errors import Problem, RunError


class LostVideosError(Exception):
    """Video after video of a class cannot be read.

    A process of a loader hands over only the text of an exception, inside a traceback. So the
    problem travels as JSON, in the last line.
    """

    @classmethod
    def of(cls, problem: Problem) -> LostVideosError:
        """The error that carries a problem."""
        return cls(json.dumps(dataclasses.asdict(problem)))

    def problem(self) -> Problem:
        """What it carries."""
        last = str(self).strip().rpartition("\n")[2]
        return Problem(**json.loads(last[last.index("{") :]))


@contextmanager
def lost_videos_end_the_run() -> Iterator[None]:
    """Turn a `LostVideosError` of this or of a loader's process into a `RunError`."""
    try:
        yield
    except LostVideosError as error:
        raise RunError(error.problem()) from error
