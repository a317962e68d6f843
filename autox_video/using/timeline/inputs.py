"""The videos that timelines are wanted of."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

from autox_video.dataset.messages import plural
from autox_video.errors import Problem, RequestError
from autox_video.using.predict.inputs import Video, find_inputs, stream_of
from autox_video.using.predict.windows import without_password

logger = logging.getLogger(__name__)


def whole_videos(given: Sequence[str], data_root: Path | None = None) -> tuple[Video, ...]:
    """The videos that are named, each once and whole, in the order they are named.

    Args:
        given: As `autox-video predict` takes them, but for streams.
        data_root: As there.

    Raises:
        RequestError: Something of it is a stream, does not exist, or holds no video.
    """
    if streams := [stream for text in given if (stream := stream_of([text])) is not None]:
        wrong, cure = "a stream never ends, and a timeline is of a whole video", "Record it, or watch it with `predict`"
        raise RequestError(Problem("INPUT", wrong, cure, without_password(stream)) for stream in streams)
    found = find_inputs(given, data_root)
    whole = {video.file: dataclasses.replace(video, start_seconds=None, end_seconds=None) for video in found.videos}
    notes = list(found.notes)
    if pieces := sum(video.key != whole[video.file].key for video in found.videos):
        notes.append(f"{plural(pieces, 'piece')} named by lists: their videos are looked through from end to end")
    for note in notes:
        logger.info("note     %s", note)
    return tuple(whole.values())
