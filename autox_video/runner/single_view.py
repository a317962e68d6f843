"""What a model says of one view of a video, kept beside what it says of all: the same pass gives both figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmaction.structures import ActionDataSample

from autox_video.errors import Problem, RunError

# Of a data sample: what `pred_score` would be had the video been seen in this view alone.
SINGLE_VIEW_SCORE = "single_view_score"


@contextmanager
def keeping_single_view(head: Any, num_views: int, view: int) -> Iterator[None]:
    """While the block runs, a head gives the scores of one view too.

    The network sees every view by itself, and only the head averages: over scores, or, where the frames of a video
    stand for themselves, over what it thinks of each. So it is given the features of one view once more, which costs
    next to nothing.

    Args:
        head: Of an MMAction2 recognizer.
        num_views: Views of a video in a batch, clips x crops.
        view: Which of them.
    """
    predict = head.predict

    def predict_both(features: Any, described: Sequence[Any], **how: Any) -> Any:
        outputs = predict(features, described, **how)
        part = _of_view(features, len(described), num_views, view)
        if "num_segs" in how:
            # All frames of a video, of which a head that averages over frames takes so many as one.
            how["num_segs"] //= num_views
        alone = predict(part, [ActionDataSample() for _ in described], **how)
        for output, one in zip(outputs, alone, strict=True):
            output.set_field(one.pred_score, SINGLE_VIEW_SCORE)
        return outputs

    head.predict = predict_both
    try:
        yield
    finally:
        del head.predict


def _of_view(features: Any, videos: int, num_views: int, view: int) -> Any:
    """The rows of one view; a row is a view, or a frame of one. Some networks give several tensors."""
    if isinstance(features, torch.Tensor):
        if features.shape[0] % (videos * num_views):
            wrong = f"gives {features.shape[0]} clips or frames of {videos} video(s), which are not {num_views} views"
            cure = "Take what changes the views out of cfg_options: test.views says how many there are"
            raise RunError(Problem("test_dataloader.dataset.pipeline", wrong, cure))
        return features.unflatten(0, (videos, num_views, -1))[:, view].flatten(0, 1)
    return type(features)(_of_view(part, videos, num_views, view) for part in features)
