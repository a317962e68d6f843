"""Clips of many videos, decoded in processes of their own while the network computes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from autox_video.decoding import DecodingError, open_video
from autox_video.errors import Problem, RunError
from autox_video.runner.loading import loaders_end, reading, release
from autox_video.runner.predictor import Predictor

# Batches that each process decodes ahead: they lie in shared memory, of which a container may have little.
PREFETCH = 2


@dataclass(frozen=True, slots=True)
class ListedVideo:
    """A video, or a piece of one, to be loaded.

    Attributes:
        file: Its path.
        decoder: What `autox_video.decoding.open_video` reads it with.
        start_seconds: Where the piece begins; None for the beginning of the video.
        end_seconds: Where it ends.
    """

    file: str
    decoder: str
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True)
class LoadedBatch:
    """A few videos in the order of the list.

    Attributes:
        positions: Of those that could be read, where they stand in the list.
        clips: Theirs, as `Predictor.clips_of` returns them.
        errors: Of the others, by position, why not.
    """

    positions: list[int]
    clips: list[torch.Tensor]
    errors: dict[int, str]


def load_clips(
    predictor: Predictor, videos: Sequence[ListedVideo], batch_size: int, workers: int
) -> Iterator[LoadedBatch]:
    """The clips of videos, batch by batch in the order of the list.

    Args:
        predictor: What they are for.
        videos: The list.
        batch_size: Videos of a batch.
        workers: Processes that decode; 0 decodes in this one.

    Raises:
        RunError: A process that decodes has died.
    """
    with loaders_end():
        loader: DataLoader = DataLoader(
            _Videos(predictor, videos),
            batch_size=batch_size,
            num_workers=workers,
            prefetch_factor=PREFETCH if workers else None,
            collate_fn=_collate,
            # See `docs/architecture.md`: why they are forked.
            multiprocessing_context="fork" if workers else None,
        )
        try:
            for positions, clips, errors in loader:
                yield LoadedBatch(positions, list(clips), errors)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            cure = "Run `autox-video check`, or decode with --workers 0 to see more"
            raise RunError(Problem("decoding", "a process that decodes has died", cure, str(error))) from error
        release(loader)


class _Videos(Dataset):
    """What a process decodes: position, clips or None, reason or None."""

    def __init__(self, predictor: Predictor, videos: Sequence[ListedVideo]) -> None:
        self._predictor, self._videos = predictor, videos

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, position: int) -> tuple[int, torch.Tensor | None, str | None]:
        video = self._videos[position]
        try:
            with reading(video.file):
                reader = open_video(video.file, video.decoder)
                clips = self._predictor.clips_of(reader, video.start_seconds, video.end_seconds)
        except DecodingError as error:
            return position, None, str(error)
        except OSError as error:
            return position, None, f"cannot be read: {error.strerror or os.strerror(error.errno or 0)}"
        return position, clips, None


def _collate(items: Sequence[tuple[int, torch.Tensor | None, str | None]]) -> tuple[list[int], Any, dict[int, str]]:
    read = [(position, clips) for position, clips, _ in items if clips is not None]
    errors = {position: error for position, _, error in items if error is not None}
    clips = [clips for _, clips in read]
    # One piece of shared memory, and not one for each video.
    alike = len({(one.shape, one.dtype) for one in clips}) == 1
    return [position for position, _ in read], default_collate(clips) if alike else clips, errors
