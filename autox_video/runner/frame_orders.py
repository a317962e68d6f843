"""`test.probe`: what a model says of the same videos stopped, shuffled and played backwards.

Each video is decoded once. The batch that was scored is scored again with its frames in another order; what the model
says of the videos as they are is not touched by it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmaction.structures import ActionDataSample

from autox_video.errors import Problem, RunError
from autox_video.predictions import FRAME_ORDERS


@dataclass(frozen=True)
class FrameOrders:
    """How the frames of a video lie in a batch.

    Attributes:
        num_clips: Clips of a video.
        clip_len: Frames of a clip.
        input_format: `NCTHW` where the network takes clips, `NCHW` where it takes their frames.
    """

    num_clips: int
    clip_len: int
    input_format: str

    def score_too(self, score: Callable[[Any], Sequence[Any]], batch: Any, outputs: Sequence[Any]) -> Sequence[Any]:
        """The outputs of a batch, each with the scores of its video in every other order.

        Args:
            score: What the model says of a batch.
            batch: As `stack_clips` gives it.
            outputs: What it said of this one.
        """
        names = [sample.filename for sample in batch["data_samples"]]
        for order in FRAME_ORDERS:
            clips = [self.reorder(one, order, name) for one, name in zip(batch["inputs"], names, strict=True)]
            alike = isinstance(batch["inputs"], torch.Tensor)
            described = [ActionDataSample(metainfo=sample.metainfo) for sample in batch["data_samples"]]
            found = score({"inputs": torch.stack(clips) if alike else clips, "data_samples": described})
            for output, one in zip(outputs, found, strict=True):
                output.set_field(one.pred_score, field_of(order))
        return outputs

    def reorder(self, clips: torch.Tensor, order: str, name: str) -> torch.Tensor:
        """The frames of a video in another order; every crop by itself, for it is the same frames again.

        Args:
            clips: Shape (M, 3, T, H, W), M views, clips of a crop one after another; or (M x T, 3, H, W).
            order: `still` (all are the one frame in the middle of the video), `shuffled` (one random order for all
                clips of a video, the same each time) or `reversed`.
            name: Of the video: it decides the random order.

        Returns:
            Of the same shape.

        Raises:
            RunError: These are not the planned clips.
        """
        of_clips = self.input_format == "NCTHW"
        per_crop = self.num_clips if of_clips else self.num_clips * self.clip_len
        if clips.shape[0] % per_crop or (of_clips and clips.shape[2] != self.clip_len):
            wrong = f"makes clips of shape {tuple(clips.shape)}, not {self.num_clips} clips of {self.clip_len} frames"
            cure = "Take what changes the clips out of cfg_options, or leave test.probe out"
            raise RunError(Problem("test_dataloader.dataset.pipeline", wrong, cure))
        parts = (-1, self.num_clips) if of_clips else (-1, self.num_clips, self.clip_len)
        time, views = (3, 2) if of_clips else (2, 3)
        frames = clips.unflatten(0, parts)
        if order == "still":
            middle = frames.narrow(1, (self.num_clips - 1) // 2, 1).narrow(time, self.clip_len // 2, 1)
            changed = middle.expand_as(frames)
        elif order == "reversed":
            changed = frames.flip(time)
        else:
            changed = frames.index_select(time, torch.from_numpy(random_order(self.clip_len, name)))
        return changed.flatten(0, views - 1).contiguous()


def field_of(order: str) -> str:
    """Of a data sample: what `pred_score` would be had the frames been in this order."""
    return f"{order}_score"


def random_order(length: int, name: str) -> np.ndarray:
    """A random order of three frames or more that is neither theirs nor the reverse; of a name always the same."""
    generator, forward = np.random.default_rng(zlib.crc32(name.encode("utf-8", "surrogateescape"))), np.arange(length)
    while True:
        order = generator.permutation(length)
        if not np.array_equal(order, forward) and not np.array_equal(order[::-1], forward):
            return order
