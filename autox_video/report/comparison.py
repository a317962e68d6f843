"""Which of two models is better, and whether their test can tell: the same videos, judged in pairs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.dataset.messages import plural
from autox_video.errors import Problem, RequestError
from autox_video.predictions import Prediction, Predictions, recordings_of
from autox_video.report.bootstrap import Gain, mean_interval, paired_gain, steady_interval
from autox_video.report.common import thresholds_of, true_labels
from autox_video.report.side_by_side import in_common
from autox_video.report.sign_flips import flip_signs
from autox_video.tasks import load_task

SIGNIFICANCE = 0.05
MAX_SHOWN = 10
# What can be said of the second run; where it is `alike`, no video is right in one and wrong in the other.
BETTER, WORSE, ALIKE, UNCLEAR = "better", "worse", "alike", "unclear"


@dataclass(frozen=True)
class ClassDifference:
    """A class in both runs.

    Attributes:
        label: Its name.
        num_videos: Its videos that both have scored.
        first: Share of them that the first run is right on; of several labels, that have it and were given it.
        second: Likewise.
        difference: What the second has more.
        low: Lower end of its 95 % interval; videos of one recording are drawn together.
        high: Its upper end.
    """

    label: str
    num_videos: int
    first: float
    second: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class ChangedVideo:
    """A video of which the two say different things.

    Attributes:
        file: As listed.
        start_seconds: Where its piece begins; None for a whole video.
        end_seconds: Where it ends.
        true: The names of its labels.
        first: What the first run says.
        second: What the second says.
        right: `first`, `second` or `neither`.
    """

    file: str
    start_seconds: float | None
    end_seconds: float | None
    true: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    right: str


@dataclass(frozen=True)
class Comparison:
    """A run against the first one.

    Attributes:
        first: The run that all others are compared with.
        second: This one.
        gain: What the second has more of the first figure of the task.
        first_right: Share of the videos that the first is right on; with several labels, on all of them.
        second_right: Likewise.
        only_first_right: Videos that only the first is right on.
        only_second_right: Videos that only the second is right on.
        p: How likely chance alone would divide these as unevenly, by `test`. Of several comparisons
            corrected for their number (S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979).
        test: What was tested, in a few words: see `sign_flips`.
        recordings_differing: Recordings in which one of the two is right on more videos than the other.
        smallest_difference: In the share that is right, the smallest which these videos could show, where the two
            differ on as many as they do; None where nothing could.
        verdict: Of the second run: `better`, `worse`, `unclear`, or `alike` where nothing speaks for either.
        told: In a sentence, whether they can be told apart.
        per_class: One entry a class that has videos.
        changed: The videos that the two say different things of.
    """

    first: str
    second: str
    gain: Gain
    first_right: float
    second_right: float
    only_first_right: int
    only_second_right: int
    p: float
    test: str
    recordings_differing: int
    smallest_difference: float | None
    verdict: str
    told: str
    per_class: tuple[ClassDifference, ...]
    changed: tuple[ChangedVideo, ...]


def compare_runs(runs: Mapping[str, Predictions]) -> tuple[Comparison, ...]:
    """Compare each run with the first.

    Args:
        runs: Aligned predictions of the test videos, by run.

    Raises:
        RequestError: No labelled video is scored by all.
    """
    places = in_common(list(runs.values()))
    if not places:
        cure = "Test the runs on a list with labels"
        raise RequestError(Problem("compare", "no labelled video is scored by every run", cure))
    (name, first), *others = runs.items()
    found = [_compare(name, first, other, second, places) for other, second in others]
    corrected = holm([one.p for one in found])
    judged = [dataclasses.replace(one, p=p, verdict=_verdict(one, p)) for one, p in zip(found, corrected, strict=True)]
    return tuple(dataclasses.replace(one, told=_told(one)) for one in judged)


def holm(chances: Sequence[float]) -> list[float]:
    """Probabilities of chance, corrected for how many were looked at."""
    corrected, least = list(chances), 0.0
    for rank, number in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(1.0, (len(chances) - rank) * chances[number]))
        corrected[number] = least
    return corrected


def comparison_lines(comparisons: Sequence[Comparison]) -> list[str]:
    """The outcome for the console."""
    lines = []
    for one in comparisons:
        gain, changed = one.gain, one.changed
        figure = gain.figure.replace("mean_average_precision", "mAP")
        lines += [
            f"{one.first} -> {one.second}",
            f"  {figure} {gain.value:+.3f}, {_span(gain)}; right on "
            f"{one.first_right:.3f} -> {one.second_right:.3f} of {gain.num_videos} videos",
            f"  only the first is right on {one.only_first_right}, only the second on {one.only_second_right}; "
            f"p = {one.p:.3g} ({one.test})",
            f"  {one.told}",
        ]
        differing = sorted((each for each in one.per_class if each.difference), key=lambda each: each.difference)
        if differing:
            width = max(len("class"), *(len(each.label) for each in differing))
            lines.append(f"  {'class':{width}}  videos  first  second  difference (95 % interval)")
            lines += [
                f"  {each.label:{width}}  {each.num_videos:6d}  {each.first:5.3f}  {each.second:6.3f}  "
                f"{each.difference:+.3f} ({each.low:+.3f} to {each.high:+.3f})"
                for each in differing
            ]
        if changed:
            lines.append(f"  {len(changed)} videos changed:")
            lines += [
                f"    {each.file}: {'; '.join(each.first) or 'nothing'} -> {'; '.join(each.second) or 'nothing'}"
                f" (it is {'; '.join(each.true) or 'nothing'})"
                for each in changed[:MAX_SHOWN]
            ]
            if len(changed) > MAX_SHOWN:
                lines.append(f"    and {len(changed) - MAX_SHOWN} more, in compare.json")
    return lines


def _compare(name: str, first: Predictions, other: str, second: Predictions, places: Sequence[int]) -> Comparison:
    task, rows = load_task(first.task), [first.rows[place] for place in places]
    true, recordings = true_labels(first, rows), recordings_of(rows)
    scores = [np.stack([_scores(run.rows[place]) for place in places]) for run in (first, second)]
    levels = [thresholds_of(run, [run.rows[place] for place in places]) for run in (first, second)]
    right = [task.are_right(some, true, level) for some, level in zip(scores, levels, strict=True)]
    taken = [task.taken_for(some, level) for some, level in zip(scores, levels, strict=True)]
    only = [int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())]
    flips = flip_signs(right[1].astype(np.int64) - right[0], recordings, SIGNIFICANCE)
    changed = []
    for number in np.flatnonzero((taken[0] != taken[1]).any(axis=1)).tolist():
        winner = "first" if right[0][number] else "second" if right[1][number] else "neither"
        before, after = (_names(first.classes, some[number]) for some in taken)
        row, own = rows[number], _names(first.classes, _has(true, first.classes)[number])
        changed.append(ChangedVideo(row.path, row.start_seconds, row.end_seconds, own, before, after, winner))
    return Comparison(
        first=name,
        second=other,
        gain=paired_gain(first.task, true, scores[1], scores[0], recordings),
        first_right=float(right[0].mean()),
        second_right=float(right[1].mean()),
        only_first_right=only[0],
        only_second_right=only[1],
        p=flips.p,
        test=_test(len(places), len(set(recordings))),
        recordings_differing=flips.num_groups,
        smallest_difference=None if flips.smallest is None else flips.smallest / len(places),
        verdict="",
        told="",
        per_class=_per_class(first.classes, _has(true, first.classes), taken, recordings),
        changed=tuple(changed),
    )


def _per_class(
    classes: Sequence[str], has: np.ndarray, taken: Sequence[np.ndarray], recordings: Sequence[str]
) -> tuple[ClassDifference, ...]:
    found = []
    for number, label in enumerate(classes):
        own = np.flatnonzero(has[:, number])
        if not len(own):
            continue
        first, second = (some[own, number].astype(np.float64) for some in taken)
        groups = [recordings[place] for place in own.tolist()]
        means, difference = (float(first.mean()), float(second.mean())), float((second - first).mean())
        span = mean_interval(second - first, groups)
        if span[0] == span[1]:
            span = steady_interval(difference, len(set(groups)))
        found.append(ClassDifference(label, len(own), *means, difference, *span))
    return tuple(found)


def _has(true: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    return true if true.ndim == 2 else true[:, None] == np.arange(len(classes))


def _names(classes: Sequence[str], has: np.ndarray) -> tuple[str, ...]:
    return tuple(classes[number] for number in np.flatnonzero(has).tolist())


def _scores(row: Prediction) -> np.ndarray:
    assert row.scores is not None, "both have scored it"
    return row.scores


def _span(gain: Gain) -> str:
    if gain.low == gain.high:
        return "no interval: every draw of the videos gives the same"
    return f"95 % interval {gain.low:+.3f} to {gain.high:+.3f}"


def _test(num_videos: int, num_groups: int) -> str:
    if num_groups == num_videos:
        return "McNemar's exact test"
    return f"exact sign-flip test, each of {plural(num_groups, 'recording')} as a whole"


def _verdict(one: Comparison, p: float) -> str:
    gain = one.gain
    if (gain.low > 0 or gain.high < 0) and (p < SIGNIFICANCE or gain.figure != "top1"):
        return BETTER if gain.value > 0 else WORSE
    return UNCLEAR if one.only_first_right + one.only_second_right else ALIKE


def _told(one: Comparison) -> str:
    gain, differing = one.gain, one.only_first_right + one.only_second_right
    of = f" of {gain.num_groups} recordings" if gain.num_groups < gain.num_videos else ""
    videos = f"{gain.num_videos} videos{of}"
    if one.verdict in (BETTER, WORSE):
        return f"{one.second} is {one.verdict}, and more than the chance of which {videos} were tested"
    if one.verdict == ALIKE:
        return f"none of the {videos} is right in one and wrong in the other: this test cannot tell them apart"
    told = f"too few to tell: the {videos} do not show which is better"
    where = f" (on balance in {plural(one.recordings_differing, 'recording')})" if of else ""
    if one.smallest_difference is None:
        return f"{told}; the two are unlike on {differing}{where} only, which can show nothing (six to none could)"
    return (
        f"{told}; as they are unlike on {differing}{where}, a difference of {one.smallest_difference:.3f} "
        "is the smallest that could have shown"
    )
