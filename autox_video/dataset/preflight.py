"""What is wrong or odd with the data, by kind: the table that `check` prints, and `check.json`."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.checks import repeated
from autox_video.dataset.entries import Content, Sample
from autox_video.dataset.facts import BadVideo
from autox_video.dataset.folders import Folders
from autox_video.dataset.image_folders import with_rate
from autox_video.dataset.measures import MAX_FPS
from autox_video.dataset.messages import plural, printable
from autox_video.dataset.opened import OpenedSplit
from autox_video.dataset.pieces import named, piece_facts
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.decoding import CUT_OFF, DAMAGED
from autox_video.errors import Problem

VERSION = 1
# Below this a class is hardly learned, and none of its videos can be held out without a loss.
FEW_VIDEOS_IN_A_CLASS = 5
# A class with this many times the videos of another one decides most of the loss.
ABSURD_IMBALANCE = 20
SIZES_PX = (32, 4320)
ABSURD_SHAPE = 6
LEAST_FPS = 2.0
# Of more videos of a kind, check.json keeps the number only.
MAX_LISTED = 1000
# What re-encoding what can still be read would mend.
REPAIRABLE = ("unreadable", "crashes", "slow", "no frames")

# Reasons for leaving a video out, by how they begin, and what they are called.
KINDS = {
    "does not exist": "missing",
    "is empty": "empty file",
    "is a folder": "not a file",
    "is not a regular file": "not a file",
    "has no video stream": "no video stream",
    "has no frames": "no frames",
    "crashes the decoder": "crashes",
    "takes longer": "slow",
    "ends after": "piece outside",
    "does not say how long": "piece outside",
    "has a tab": "unlistable name",
    "has a blank": "unlistable name",
    "has a name": "unlistable name",
    "has no ending": "unlistable name",
    "holds ": "images",
}

# The same of refusals that name something of their own; the others are called by what they say.
REFUSALS = {
    "has another label than": "contradictory labels",
    "has a label outside": "label out of range",
    "has a far larger id": "label out of range",
    "has no label": "missing label",
    "has an unknown class": "unknown class",
    "has a class that training never saw": "unknown class",
}


@dataclass(frozen=True)
class Finding:
    """One thing that a person may want to know or mend.

    Attributes:
        level: `refused` (training does not start), `left out` (the video is not used) or `note`.
        kind: Findings of one kind are counted together.
        where: The list and line, or the folder; or the split.
        text: What was found.
        file: The video, or None where it is not about one.
        repair: The command that makes a readable copy in the current folder, or None where there is none.
    """

    level: str
    kind: str
    where: str
    text: str
    file: str | None = None
    repair: str | None = None


@dataclass(frozen=True)
class Kind:
    """How many findings of a kind there are: one row of the table."""

    level: str
    kind: str
    count: int
    first: str


@dataclass(frozen=True)
class Check:
    """What `check.json` holds.

    Attributes:
        version: Of its layout.
        ready: Whether training would start.
        num_videos: Usable videos of each split.
        kinds: Findings counted, the worst first.
        findings: The first 1000 of each kind.
    """

    version: int
    ready: bool
    num_videos: dict[str, int]
    kinds: tuple[Kind, ...]
    findings: tuple[Finding, ...]


def make_check(
    opened: Mapping[str, OpenedSplit],
    classes: Sequence[str],
    root: Path,
    problems: Iterable[Problem],
    more: Iterable[Finding] = (),
) -> Check:
    """Sort everything that was found by its kind.

    Args:
        opened: The splits; empty where the data could not even be found.
        classes: Class names.
        root: Folder that relative paths start from.
        problems: Why training is refused.
        more: What was found elsewhere.
    """
    problems = list(problems)
    bad = [video for videos in opened.values() for video in videos.bad]
    told = {(printable(video.where), f"{printable(video.path)} {video.reason}") for video in bad}
    findings = [
        Finding("refused", _kind_of(problem), problem.where, str(problem))
        for problem in problems
        if (problem.where, problem.wrong) not in told
    ]
    findings += [_left_out(video, str(root)) for video in bad]
    for split, videos in opened.items():
        findings += [
            Finding(
                "note", "listed twice", sample.where, f"{sample.path} is listed before, and counts twice", sample.file
            )
            for sample in repeated(videos.draft.samples)
        ]
        for sample, facts in zip(videos.good, videos.videos, strict=True):
            findings += odd_video(sample, facts) if facts else []
        findings += _odd_classes(split, videos, classes)
    findings += more
    kinds, listed = _by_kind(findings)
    return Check(
        version=VERSION,
        ready=not problems,
        num_videos={split: len(videos.good) for split, videos in opened.items()},
        kinds=kinds,
        findings=listed,
    )


def add_findings(check: Check, more: Iterable[Finding]) -> Check:
    """A check with findings of kinds that it has not yet."""
    kinds, findings = _by_kind(more)
    return dataclasses.replace(check, kinds=(*check.kinds, *kinds), findings=(*check.findings, *findings))


def short_videos(lists: Iterable[Path], root: Path, cache: Path, needed: int, image_fps: float) -> list[Finding]:
    """Videos that have fewer frames than a clip spans, so that its frames are repeated.

    Args:
        lists: Canonical lists.
        root: Folder that their relative paths start from.
        cache: What the probe has found out of them.
        needed: Frames that a clip spans.
        image_fps: The frame rate of folders of images.
    """
    folders = Folders()
    samples: dict[Content, Sample] = {}
    for path in lists:
        for number, row in enumerate(read_rows(path), 1):
            file, where = folders.real(os.path.join(root, row.path)), f"{path.parent.name}/{path.name}:{number}"
            sample = Sample(row.path, None, where, file, row.start_seconds, row.end_seconds)
            samples.setdefault(sample.content, sample)
    known = with_rate(probe_videos((sample.file for sample in samples.values()), cache, chosen=()), image_fps)
    findings = []
    for sample in samples.values():
        found = piece_facts(sample, known.get(sample.file))
        if isinstance(found, VideoFacts) and found.num_frames < needed:
            frames = plural(found.num_frames, "frame")
            text = f"{named(sample)} has {frames}, and a clip spans {needed}: frames are repeated"
            findings.append(Finding("note", "shorter than a clip", sample.where, text, sample.file))
    return findings


def table(check: Check) -> list[str]:
    """The kinds as lines of text; one line where all is well."""
    if not check.kinds:
        return ["nothing is wrong"]
    rows = [(kind.level, kind.kind, str(kind.count), kind.first) for kind in check.kinds]
    rows = [("", "kind", "count", "the first"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows]


def odd_video(sample: Sample, facts: VideoFacts) -> list[Finding]:
    """What is unusual about a video that can be used."""
    findings = []
    if facts.unfit in (CUT_OFF, DAMAGED):
        what = str(facts.unfit).removeprefix("it ")
        text = f"{sample.path} {what}: what cannot be decoded shows the frame before"
        findings.append(Finding("note", "damaged", sample.where, text, sample.file, repair_line(sample.file)))
    low, high = min(facts.width, facts.height), max(facts.width, facts.height)
    if low < SIZES_PX[0] or high > SIZES_PX[1] or high > ABSURD_SHAPE * low:
        text = f"{sample.path} has frames of {facts.width}x{facts.height}"
        findings.append(Finding("note", "odd size", sample.where, text, sample.file))
    if facts.fps is None or not LEAST_FPS <= facts.fps <= MAX_FPS:
        rate = "no frame rate" if facts.fps is None else f"{facts.fps:g} frames a second"
        findings.append(Finding("note", "odd rate", sample.where, f"{sample.path} states {rate}", sample.file))
    return findings


def repair_line(file: str) -> str:
    """The command that makes a readable copy of a damaged video, beside nothing of the user's."""
    copy = f"{Path(file).stem}_repaired.mp4"
    source = shlex.quote(file)
    return f"ffmpeg -err_detect ignore_err -i {source} -c:v libx264 -crf 18 -pix_fmt yuv420p -an {shlex.quote(copy)}"


def _by_kind(findings: Iterable[Finding]) -> tuple[tuple[Kind, ...], tuple[Finding, ...]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    seen: set[tuple[str, str, str]] = set()
    for finding in findings:
        key = (finding.level, finding.kind, finding.text)
        if key in seen:  # a video that two splits have is one video
            continue
        seen.add(key)
        groups.setdefault((finding.level, finding.kind), []).append(finding)
    kinds = (Kind(*key, len(group), _first(group[0])) for key, group in groups.items())
    return tuple(kinds), tuple(finding for group in groups.values() for finding in group[:MAX_LISTED])


def _first(finding: Finding) -> str:
    # The text of a problem says where it is.
    return finding.text if finding.level == "refused" else f"{finding.where}: {finding.text}"


def _kind_of(problem: Problem) -> str:
    return next((kind for begin, kind in REFUSALS.items() if problem.wrong.startswith(begin)), problem.wrong)


def _left_out(video: BadVideo, root: str) -> Finding:
    kind = next((kind for begin, kind in KINDS.items() if video.reason.startswith(begin)), "unreadable")
    file = os.path.join(root, video.path)
    repair = repair_line(file) if kind in REPAIRABLE else None
    return Finding("left out", kind, video.where, f"{video.path} {video.reason}", file, repair)


def _odd_classes(split: str, videos: OpenedSplit, classes: Sequence[str]) -> list[Finding]:
    """Classes with few videos, and a split in which some have many times the videos of others."""
    if not videos.draft.labelled or not videos.good:
        return []
    counts = {name: videos.counts[label] for label, name in enumerate(classes)}
    findings = [
        Finding("note", f"class absent from {split}", split, f"{split} has no video of class {name!r}")
        for name, count in counts.items()
        if not count
    ]
    if split != "train":
        return findings
    findings += [
        Finding("note", "few videos in a class", split, f"class {name!r} has {plural(count, 'training video')}")
        for name, count in counts.items()
        if 0 < count < FEW_VIDEOS_IN_A_CLASS
    ]
    present = {name: count for name, count in counts.items() if count}
    most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    if present[most] >= ABSURD_IMBALANCE * present[least]:
        text = f"class {most!r} has {present[most]} training videos, class {least!r} {present[least]}"
        findings.append(Finding("note", "imbalance", split, text))
    return findings
