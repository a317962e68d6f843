"""The paired test of `compare`: against other people's code, by counting, and on videos that are not independent."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autox_video.report.sign_flips import SignFlips, flip_signs


def singles(first: int, second: int, neither: int = 3) -> tuple[np.ndarray, range]:
    """Videos that stand alone: so many that only the first is right on, and so many that only the second is."""
    differences = np.repeat([-1, 1, 0], [first, second, neither])
    return differences, range(len(differences))


@pytest.mark.parametrize(
    ("first", "second"), [(0, 0), (0, 1), (3, 3), (4, 5), (0, 6), (13, 31), (700, 1000), (3000, 3100)]
)
def test_where_every_video_is_a_recording_it_is_the_exact_test_of_mcnemar(first, second):
    from scipy.stats import binomtest  # here: it takes a second, and every process of a suite reads this file

    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert flip_signs(*singles(first, second), 0.05).p == pytest.approx(expected, rel=1e-9)
    assert flip_signs(*singles(second, first), 0.05).p == pytest.approx(expected, rel=1e-9)


def clustered(sizes: tuple[int, ...]) -> tuple[np.ndarray, list[int]]:
    """A recording for each number, with a difference of so many videos; some that cancel each other out are added."""
    differences = [np.concatenate([np.full(abs(size), np.sign(size)), [1, -1, 0]]) for size in sizes]
    return np.concatenate(differences), np.repeat(np.arange(len(sizes)), [len(one) for one in differences]).tolist()


@pytest.mark.parametrize(
    "sizes", [(5, 0), (1, 2), (3, 3, 3, -1, 0), (1, 2, 4, 8, 16, -1), (7, 7, 5, 5, -2, 4, 1, -1), (2, -2)]
)
def test_all_choices_of_signs_are_counted_once_each(sizes):
    from scipy.stats import permutation_test

    found = flip_signs(*clustered(sizes), 0.05)
    sums = [abs(sum(signs)) for signs in itertools.product(*((size, -size) for size in sizes))]
    assert found.p == pytest.approx(np.mean([one >= abs(sum(sizes)) for one in sums]), rel=1e-12)
    assert found.num_groups == sum(size != 0 for size in sizes)
    shown = [one for one in sums if np.mean([other >= one for other in sums]) < 0.05]
    assert found.smallest == (min(shown) if shown else None)
    theirs = permutation_test((np.array(sizes, float),), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-12)


@pytest.mark.parametrize(("differing", "smallest"), [(5, None), (6, 6), (9, 7), (0, None), (8000, 178)])
def test_the_smallest_difference_is_that_of_the_least_uneven_count_that_is_no_chance(differing, smallest):
    assert flip_signs(*singles(differing // 2, differing - differing // 2), 0.05).smallest == smallest


def test_five_videos_of_a_recording_that_fall_alike_are_no_five_witnesses():
    # Twenty recordings of five videos each. Two models that are equally good: in each recording a coin says which of
    # them is right, on all its videos; on every second recording they agree.
    generator = np.random.default_rng(0)
    groups, tries = np.repeat(np.arange(20), 5), 400
    alone = together = 0
    for _ in range(tries):
        differences = np.repeat(generator.choice([-1, 0, 0, 1], size=20), 5)
        alone += flip_signs(differences, range(100), 0.05).p < 0.05
        together += flip_signs(differences, groups.tolist(), 0.05).p < 0.05
    assert together / tries < 0.06
    assert alone / tries > 0.3


def test_a_real_difference_shows_in_recordings_too():
    differences, groups = clustered((5, 5, 4, 4, 3, 2, 2, 1, -1))
    assert flip_signs(differences, groups, 0.05).p == pytest.approx(6 / 2**9)
    assert flip_signs(np.zeros(4, int), [*"abcd"], 0.05) == SignFlips(1.0, 0, None)
