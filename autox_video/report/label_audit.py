"""The product of `audit-labels`: the videos whose labels look wrong, with what speaks against each."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autox_video.dataset.annotations import Row
from autox_video.dataset.label_table import Suspect
from autox_video.features import Features
from autox_video.report.suspicion import Suspicion, ranking, suspect, worsened

VERSION = 1
# Of the neighbours, those that a person is shown.
SHOWN_NEIGHBOURS = 5
# From here on, four of five were flipped labels on the demo: see docs/labels.md.
LOOKS_WRONG = 0.5


@dataclass(frozen=True)
class Alike:
    """One of the nearest videos to another one: where it stands, its label, and the cosine between the two."""

    file: str
    start_seconds: float | None
    end_seconds: float | None
    split: str
    label: str
    cosine: float


@dataclass(frozen=True)
class LabelAudit:
    """What an audit found.

    Attributes:
        version: Of this layout.
        model: Name of the preset.
        checkpoint_sha256: Digest of the weights whose features were compared.
        data_root: Folder that relative files start from.
        classes: Class names.
        lists: Of each split that was audited, the digest of its list, see `digest_of_rows`.
        num_videos: Labels that were judged.
        not_judged: Classes all of whose videos come from one recording: there is nothing to judge them by.
        num_look_wrong: Labels with a score of at least `LOOKS_WRONG`.
        suspects: The most suspicious first.
        alike: Of each of them, the most alike videos of other recordings.
    """

    version: int
    model: str
    checkpoint_sha256: str
    data_root: str
    classes: tuple[str, ...]
    lists: dict[str, str]
    num_videos: int
    not_judged: tuple[str, ...]
    num_look_wrong: int
    suspects: tuple[Suspect, ...]
    alike: tuple[tuple[Alike, ...], ...]


def digest_of_rows(rows: Iterable[Row], classes: Sequence[str]) -> str:
    """The digest of a list: of its paths, class names and times, in any order."""
    lines = sorted(
        repr((row.path, classes[row.label] if isinstance(row.label, int) else "", row.start_seconds, row.end_seconds))
        for row in rows
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()


def find_suspects(
    features: Features, groups: Mapping[tuple[str, str], str], share: float, margins: np.ndarray | None = None
) -> tuple[list[Suspect], list[tuple[Alike, ...]], Suspicion]:
    """Judge all labels, and tell of the most suspicious.

    Args:
        features: Of the labelled videos.
        groups: By split and file, the recording, of those that are in one with others.
        share: How many of the labels are told of.
        margins: How sure the network was of the labels while it learned them: see `suspicion.worsened`.

    Returns:
        The suspects, the most suspicious first; the most alike videos of each; and what was found of all.
    """
    numbers: dict[str, int] = {}
    of_video = np.array(
        [
            # A file of no group is a recording by itself, with all its pieces.
            numbers.setdefault(groups.get((split, file), f"file: {file}"), len(numbers))
            for split, file in zip(features.splits.tolist(), features.files.tolist(), strict=True)
        ]
    )
    found = suspect(features.features, features.labels, of_video, len(features.classes))
    if margins is not None:
        found = worsened(found, margins)
    order = ranking(found.score)
    chosen = order[: max(1, round(share * len(order)))]
    learned = np.full(len(features), np.nan) if margins is None else margins
    suspects = [
        dataclasses.replace(
            _suspect(rank, place, features, found),
            margin=None if np.isnan(learned[place]) else round(float(learned[place]), 4),
        )
        for rank, place in enumerate(chosen.tolist(), start=1)
    ]
    return suspects, [_alike(place, features, found) for place in chosen.tolist()], found


def unjudged_classes(features: Features, found: Suspicion) -> tuple[str, ...]:
    """Names of the classes that could not be judged."""
    return tuple(features.classes[np.unique(features.labels[np.isnan(found.score)])].tolist())


def _suspect(rank: int, place: int, features: Features, found: Suspicion) -> Suspect:
    own, other = int(features.labels[place]), int(found.suggested[place])
    label, suggested = str(features.classes[own]), str(features.classes[other])
    chances = found.by_classifier[place]
    near = features.labels[found.neighbours[place][found.neighbours[place] >= 0]]
    return Suspect(
        rank,
        *features.key(place),
        str(features.splits[place]),
        label,
        suggested,
        float(found.score[place]),
        (float(chances[other]), float(chances[own])),
        (int((near == other).sum()), int((near == own).sum()), len(near)),
    )


def _alike(place: int, features: Features, found: Suspicion) -> tuple[Alike, ...]:
    near = [
        (int(other), float(cosine))
        for other, cosine in zip(found.neighbours[place], found.cosines[place], strict=True)
        if other >= 0
    ]
    return tuple(
        Alike(
            *features.key(other),
            str(features.splits[other]),
            str(features.classes[features.labels[other]]),
            round(cosine, 4),
        )
        for other, cosine in near[:SHOWN_NEIGHBOURS]
    )


def audit_lines(audit: LabelAudit, shown: int = 5) -> Sequence[str]:
    """The outcome in a few lines for the console."""
    lines = [
        f"labels   {audit.num_videos} judged, {audit.num_look_wrong} look wrong (score of at least {LOOKS_WRONG:g}); "
        f"the {len(audit.suspects)} most suspicious are listed"
    ]
    for one in audit.suspects[:shown]:
        lines.append(f"{one.score:7.2f}  {one.split}: {one.file}: {one.reason}")
    if audit.not_judged:
        names = ", ".join(audit.not_judged)
        lines.append(f"note     not judged, for all videos of the class are of one recording: {names}")
    return lines
