"""What decides is found by hiding it: clips of which only one moment or one corner says what they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from autox_video.explanations import LITTLE, Explanation, sentence, sentence_zh, to_plain
from autox_video.runner.occlusion import log_odds, occlude, without_moment, without_region

FPS = 8.0
SIDE = 56


def clip(moments: Sequence[int] = (), cells: Sequence[tuple[int, int]] = (), frames: int = 16, views: int = 1):
    """Dark noise with a bright spot in cells of a 7x7 grid, at moments of eight; where none are named, at all."""
    made = torch.from_numpy(np.random.default_rng(0).integers(0, 60, (views, 3, frames, SIDE, SIDE)).astype(np.uint8))
    for frame in range(frames) if moments or cells else ():
        for row, column in cells or [(3, 3)]:
            if not moments or frame * 8 // frames in moments:
                made[:, :, frame, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] = 255
    return made


def seconds_of(views: torch.Tensor) -> np.ndarray:
    """Views one after the other."""
    return np.arange(views.shape[0] * views.shape[2]).reshape(views.shape[0], -1) / FPS


def sees_brightness(batch: Sequence[torch.Tensor]) -> np.ndarray:
    """A network that knows nothing of where or when: it has seen something where pixels are bright."""
    shares = np.array([float((one > 200).float().mean()) for one in batch])
    bright = np.tanh(shares * 5000)
    return np.stack([1 - bright, bright], axis=1).astype(np.float32) * 0.98 + 0.01


def sees_change(batch: Sequence[torch.Tensor]) -> np.ndarray:
    """A network for which only the jump from one frame to the next counts."""
    jumps = np.array([float((one[:, :, 1:].float() - one[:, :, :-1].float()).abs().max()) for one in batch])
    moved = (jumps > 150).astype(np.float32) * 0.98 + 0.01
    return np.stack([1 - moved, moved], axis=1)


@pytest.mark.parametrize("moment", [0, 3, 7])
@pytest.mark.parametrize("views", [1, 2])
def test_the_one_moment_that_decides_is_found(moment: int, views: int) -> None:
    if views == 1:
        made = clip(moments=[moment])
    else:
        # The second half of the video is another clip; its moments are 4 to 7.
        made = torch.cat([clip(frames=8), clip(frames=8)])
        made[moment // 4, :, moment % 4 * 2 : moment % 4 * 2 + 2, 24:32, 24:32] = 255
    found = occlude(sees_brightness, made, seconds_of(made), 1)
    assert found.moment.tolist() == [number for number in range(8) for _ in range(2)]
    assert found.time.strongest == (moment,)
    assert (found.time.weights > LITTLE).tolist() == [number == moment for number in range(8)]
    assert found.time.scores[moment] < 0.02 < 0.98 < found.score
    assert found.time.best[moment] == 0


@pytest.mark.parametrize("cell", [(0, 0), (0, 6), (6, 0), (6, 6), (3, 3), (2, 5)])
def test_the_one_region_that_decides_is_found(cell: tuple[int, int]) -> None:
    made = clip(cells=[cell])
    found = occlude(sees_brightness, made, seconds_of(made), 1)
    # Hidden with its neighbours, so that they count as much; what is further away does not count at all.
    near = [[max(abs(row - cell[0]), abs(column - cell[1])) <= 1 for column in range(7)] for row in range(7)]
    assert (found.space.weights > LITTLE).tolist() == near
    assert np.abs(found.space.weights[~np.array(near)]).max() < LITTLE
    # No moment decides: the spot is there all the time.
    assert np.abs(found.time.weights).max() < LITTLE


def test_what_is_said_twice_is_found_nowhere_and_that_is_said() -> None:
    made = clip(cells=[(0, 0), (6, 6)])
    found = occlude(sees_brightness, made, seconds_of(made), 1)
    assert np.abs(found.space.weights).max() < LITTLE
    told = Explanation("a.mp4", None, None, ("no", "yes"), 1, None, found, made[0].permute(1, 2, 3, 0).numpy())
    expected = "No single moment decides: whichever is hidden, 'yes' stays near 99%. No single region decides."
    assert sentence(told) == expected


def test_a_jump_between_frames_is_found_at_the_moments_on_both_sides() -> None:
    made = clip(moments=[5, 6, 7])
    found = occlude(sees_change, made, seconds_of(made), 1)
    # Hiding a moment leaves a jump where it is not the one that makes the jump; the mean of the others is a soft one.
    assert found.score > 0.98
    assert found.time.scores.shape == (8,)
    assert found.time.strongest in ((4,), (5,))


def test_the_outcome_is_said_in_a_sentence_and_in_plain_values() -> None:
    made = clip(moments=[2], cells=[(0, 6)])
    found = occlude(sees_brightness, made, seconds_of(made), 1)
    told = Explanation(
        "a.mp4", None, None, ("nothing", 'a "spot"'), 1, None, found, made[0].permute(1, 2, 3, 0).numpy()
    )
    assert sentence(told) == (
        "Hiding 0.50 to 0.75 s takes 'a \"spot\"' from 99% to 1%; the answer is then 'nothing'. "
        "Of the regions, the one at the top right counts most: hidden, 1%; the answer is then 'nothing'."
    )
    assert sentence_zh(told) == (
        '遮住 0.50 至 0.75 秒，“a "spot"”从 99% 变为 1%，答案变为“nothing”。'
        "各区域中，右上方最重要：遮住后为 1%，答案变为“nothing”。"
    )
    plain = to_plain(told)
    assert plain["moments"][2] == {
        "start_seconds": 0.5,
        "end_seconds": 0.75,
        "weight": 9.19,
        "score_hidden": 0.01,
        "label_hidden": "nothing",
    }
    assert [len(plain["frames"]), len(plain["regions"]), len(plain["regions"][0])] == [16, 7, 7]


def test_a_class_that_is_all_but_certain_still_shows_what_it_rests_on() -> None:
    """Probabilities of 0.9999 and 0.9998 look alike; the odds are halved."""
    scores = np.array([[1e-4, 0.9999], [2e-4, 0.9998], [0.0, 1.0]], np.float32)
    odds = log_odds(scores, 1, one_label=True)
    assert odds[0] - odds[1] == pytest.approx(np.log(2), abs=1e-3)
    assert np.isfinite(odds).all()
    assert log_odds(np.array([[0.5, 0.9]], np.float32), 1, one_label=False) == pytest.approx(np.log(9), abs=1e-5)


def test_what_is_hidden_leaves_no_trace_of_itself() -> None:
    made = clip(moments=[0], cells=[(0, 0)])
    hidden = torch.zeros(1, 16, dtype=torch.bool)
    hidden[:, :2] = True
    assert int(without_moment(made, hidden).max()) < 60
    assert int(without_region(made, slice(0, 8), slice(0, 8)).max()) < 60
    # The rest is as it was.
    assert torch.equal(without_moment(made, hidden)[:, :, 2:], made[:, :, 2:])
    assert torch.equal(without_region(made, slice(0, 8), slice(0, 8))[..., 8:, :], made[..., 8:, :])


@pytest.mark.parametrize(
    ("frames", "moments", "grid"), [(1, 1, (7, 7)), (3, 3, (1, 1)), (16, 8, (2, 3)), (5, 5, (7, 7))]
)
def test_short_clips_have_fewer_moments(frames: int, moments: int, grid: tuple[int, int]) -> None:
    made = clip(frames=frames)
    found = occlude(sees_brightness, made, seconds_of(made), 1, grid=grid)
    assert found.time.scores.shape == (moments,)
    assert found.space.scores.shape == grid
    assert np.isfinite(found.time.weights).all()
    assert np.isfinite(found.space.weights).all()
