"""Which moments and regions of a video decide: what is left of a prediction when each is hidden.

Needs nothing but the forward pass, so it works for every network. Hiding a part and looking at what the network says
then is from Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2014
(https://arxiv.org/abs/1311.2901). The difference is taken in log-odds, so that a part also counts where the network is
all but certain, as in Robnik-Sikonja and Kononenko, Explaining Classifications for Individual Instances, 2008.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from autox_video.explanations import Hidden, Occlusion

# Of a probability of nothing or of all but nothing: log-odds stay finite.
SMALLEST = 1e-9
# With a region its neighbours this far away are hidden: what moves comes out again behind a single one.
REACH = 1

Score = Callable[[Sequence[torch.Tensor]], np.ndarray]


def occlude(
    score: Score,
    views: torch.Tensor,
    seconds: np.ndarray,
    class_id: int,
    *,
    one_label: bool = True,
    num_moments: int = 8,
    grid: tuple[int, int] = (7, 7),
    batch: int = 8,
) -> Occlusion:
    """Hide each moment and each region in turn.

    Args:
        score: Gives probabilities, shape (N, classes), of N such tensors as `views`.
        views: Of one video, uint8, shape (M, 3, T, H, W), all of the same part of the frames.
        seconds: When each frame of each view is shown, shape (M, T).
        class_id: The class that is explained.
        one_label: Whether the probabilities of the classes sum to one.
        num_moments: Parts of equal numbers of frames that the time is divided into, where there are as many frames.
        grid: Rows and columns that a frame is divided into.
        batch: Videos that are scored at a time.
    """
    times, frame_of = np.unique(seconds, return_inverse=True)
    moment = np.arange(len(times)) * min(num_moments, len(times)) // len(times)
    moments = moment[frame_of.reshape(seconds.shape)]
    rows, columns = min(grid[0], views.shape[-2]), min(grid[1], views.shape[-1])

    def versions() -> Iterator[torch.Tensor]:
        yield views
        for number in range(moment[-1] + 1):
            yield without_moment(views, torch.from_numpy(moments == number))
        for row in range(rows):
            for column in range(columns):
                yield without_region(
                    views, _around(row, rows, views.shape[-2]), _around(column, columns, views.shape[-1])
                )

    scores = np.concatenate([score(some) for some in _batches(versions(), batch)])
    odds = log_odds(scores, class_id, one_label=one_label)

    def hidden(first: int, shape: tuple[int, ...]) -> Hidden:
        part = slice(first, first + int(np.prod(shape)))
        values = (scores[part, class_id].astype(np.float64), odds[0] - odds[part], scores[part].argmax(axis=1))
        return Hidden(*(one.reshape(shape) for one in values))

    count = int(moment[-1]) + 1
    return Occlusion(
        score=float(scores[0, class_id]),
        seconds=times,
        moment=moment,
        time=hidden(1, (count,)),
        space=hidden(1 + count, (rows, columns)),
    )


def without_moment(views: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Views with the mean of all other frames in place of the hidden ones, so that neither they nor motion are seen.

    Args:
        views: uint8, shape (M, 3, T, H, W).
        hidden: bool, shape (M, T). Where it is all frames, they become grey.
    """
    changed = views.movedim(2, 1).clone()
    rest = changed[~hidden]
    changed[hidden] = rest.float().mean(0).round().to(torch.uint8) if len(rest) else 128
    return changed.movedim(1, 2)


def without_region(views: torch.Tensor, down: slice, across: slice) -> torch.Tensor:
    """Views with a part of each frame in the mean colour of the rest of that frame; where there is no rest, grey."""
    changed = views.clone()
    whole, part = views.float().sum((-2, -1)), views[..., down, across].float().sum((-2, -1))
    rest = views.shape[-2] * views.shape[-1] - views[0, 0, 0, down, across].numel()
    colour = (whole - part) / rest if rest else torch.full_like(whole, 128)
    changed[..., down, across] = colour.round().to(torch.uint8)[..., None, None]
    return changed


def log_odds(scores: np.ndarray, class_id: int, *, one_label: bool) -> np.ndarray:
    """Logarithm of the probability of a class over that of anything else.

    Args:
        scores: Shape (N, classes).
        class_id: The class.
        one_label: Whether the others' probabilities say what is left, more exactly than 1 - p does near 1.
    """
    exact = scores.astype(np.float64)
    mine = exact[:, class_id]
    others = np.delete(exact, class_id, axis=1).sum(axis=1) if one_label else 1 - mine
    odds: np.ndarray = np.log(np.maximum(mine, SMALLEST)) - np.log(np.maximum(others, SMALLEST))
    return odds


def _around(number: int, count: int, length: int) -> slice:
    """A part of so many pixels and its neighbours; of few parts it alone, or nothing would be left to see."""
    reach = REACH if count > 2 * REACH + 1 else 0
    return slice(max(0, number - reach) * length // count, min(count, number + 1 + reach) * length // count)


def _batches(versions: Iterator[torch.Tensor], size: int) -> Iterator[list[torch.Tensor]]:
    """So that no more than a batch of changed copies is in memory."""
    batch: list[torch.Tensor] = []
    for version in versions:
        batch.append(version)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
