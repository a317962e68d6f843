"""The product of an explanation: which moments and which regions of a video its prediction rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Odds that fall by less than a fifth: the network would have said the same.
LITTLE = 0.22


@dataclass(frozen=True)
class Hidden:
    """What the network says when a part of the video is hidden, for each part of a division of it.

    Attributes:
        scores: Probability of the explained class then, shape (moments,) or (rows, columns).
        weights: How much of the log-odds of the class is lost, the same shape: 0 where the part tells nothing, 2.3
            where the odds fall to a tenth, below 0 where the part speaks against the class.
        best: The class id with the highest score then, the same shape.
    """

    scores: np.ndarray
    weights: np.ndarray
    best: np.ndarray

    @property
    def strongest(self) -> tuple[int, ...]:
        """The part that weighs most, by its place."""
        return tuple(int(place) for place in np.unravel_index(self.weights.argmax(), self.weights.shape))


@dataclass(frozen=True)
class Occlusion:
    """What hiding each moment and each region does to one class.

    Attributes:
        score: Probability of the class when nothing is hidden.
        seconds: When each frame that the network sees is shown, ascending, shape (T,).
        moment: Which moment each of them belongs to, shape (T,), from 0.
        time: With the frames of one moment hidden.
        space: With one region of all frames hidden, and those around it.
    """

    score: float
    seconds: np.ndarray
    moment: np.ndarray
    time: Hidden
    space: Hidden


@dataclass(frozen=True)
class Explanation:
    """Why a video got its label.

    Attributes:
        file: As it was named.
        start_seconds: Where the piece of the video begins; None for the whole video.
        end_seconds: Where it ends.
        classes: Class names; the position is the class id.
        class_id: The class that is explained.
        true_label: Its true class, where that is known.
        occlusion: What was found.
        frames: One frame of each moment, as the network sees it: RGB, uint8, shape (moments, H, W, 3).
    """

    file: str
    start_seconds: float | None
    end_seconds: float | None
    classes: tuple[str, ...]
    class_id: int
    true_label: str | None
    occlusion: Occlusion
    frames: np.ndarray

    @property
    def label(self) -> str:
        """Name of the class that is explained."""
        return self.classes[self.class_id]

    def spans(self) -> list[tuple[float, float]]:
        """First and last second of each moment: it ends where the next one begins, the last after its last frame."""
        found = self.occlusion
        frame = float(np.median(np.diff(found.seconds))) if len(found.seconds) > 1 else 0.0
        starts = [float(found.seconds[found.moment == number][0]) for number in range(len(found.time.scores))]
        return list(zip(starts, [*starts[1:], float(found.seconds[-1]) + frame], strict=True))


def to_plain(explanation: Explanation) -> dict[str, Any]:
    """Dictionaries, lists and scalars, for JSON; without the frames."""
    found, classes = explanation.occlusion, explanation.classes
    moments = [
        {"start_seconds": _round(start), "end_seconds": _round(end), **_part(found.time, (number,), classes)}
        for number, (start, end) in enumerate(explanation.spans())
    ]
    regions = [
        [_part(found.space, (row, column), classes) for column in range(found.space.scores.shape[1])]
        for row in range(found.space.scores.shape[0])
    ]
    return {
        "file": explanation.file,
        "start_seconds": explanation.start_seconds,
        "end_seconds": explanation.end_seconds,
        "label": explanation.label,
        "true_label": explanation.true_label,
        "score": _round(found.score, 6),
        "says": {"en": sentence(explanation), "zh": sentence_zh(explanation)},
        "frames": [
            {"seconds": _round(second), "weight": _round(found.time.weights[moment])}
            for second, moment in zip(found.seconds, found.moment, strict=True)
        ],
        "moments": moments,
        "regions": regions,
    }


def sentence(explanation: Explanation) -> str:
    """The outcome in words."""
    found, label = explanation.occlusion, explanation.label
    (moment,), (row, column) = found.time.strongest, found.space.strongest
    now = f"{found.score:.0%}"
    if found.time.weights[moment] < LITTLE:
        time = f"No single moment decides: whichever is hidden, {label!r} stays near {now}."
    else:
        start, end = explanation.spans()[moment]
        told = _instead(found.time, (moment,), explanation, "; the answer is then {!r}")
        time = f"Hiding {start:.2f} to {end:.2f} s takes {label!r} from {now} to {found.time.scores[moment]:.0%}{told}."
    if found.space.weights[row, column] < LITTLE:
        return f"{time} No single region decides."
    place = f"{_PLACES[_third(row, found.space, 0)][0]} {_PLACES[_third(column, found.space, 1)][2]}"
    told = _instead(found.space, (row, column), explanation, "; the answer is then {!r}")
    left = f"{found.space.scores[row, column]:.0%}"
    return f"{time} Of the regions, the one at the {place} counts most: hidden, {left}{told}."


def sentence_zh(explanation: Explanation) -> str:
    """The same in Chinese."""
    found, label = explanation.occlusion, explanation.label
    (moment,), (row, column) = found.time.strongest, found.space.strongest
    now = f"{found.score:.0%}"
    if found.time.weights[moment] < LITTLE:
        time = f"没有哪个时刻单独起决定作用：遮住任何一段，“{label}”都保持在 {now} 左右。"
    else:
        start, end = explanation.spans()[moment]
        told = _instead(found.time, (moment,), explanation, "，答案变为“{}”")
        time = f"遮住 {start:.2f} 至 {end:.2f} 秒，“{label}”从 {now} 变为 {found.time.scores[moment]:.0%}{told}。"
    if found.space.weights[row, column] < LITTLE:
        return f"{time}没有哪个区域单独起决定作用。"
    place = f"{_PLACES[_third(column, found.space, 1)][3]}{_PLACES[_third(row, found.space, 0)][1]}".replace(
        "中中部", "正中"
    )
    told = _instead(found.space, (row, column), explanation, "，答案变为“{}”")
    return f"{time}各区域中，{place}最重要：遮住后为 {found.space.scores[row, column]:.0%}{told}。"


# For a row: English and Chinese; for a column: the same.
_PLACES = (("top", "上方", "left", "左"), ("middle", "中部", "centre", "中"), ("bottom", "下方", "right", "右"))


def _third(place: int, hidden: Hidden, axis: int) -> int:
    return (2 * place + 1) * 3 // (2 * hidden.scores.shape[axis])


def _instead(hidden: Hidden, place: tuple[int, ...], explanation: Explanation, words: str) -> str:
    other = int(hidden.best[place])
    return "" if other == explanation.class_id else words.format(explanation.classes[other])


def _part(hidden: Hidden, place: tuple[int, ...], classes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "weight": _round(hidden.weights[place]),
        "score_hidden": _round(hidden.scores[place], 6),
        "label_hidden": classes[int(hidden.best[place])],
    }


def _round(value: float, digits: int = 3) -> float:
    return round(float(value), digits)
