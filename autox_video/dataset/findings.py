"""What is remarked on across videos: leaks, copies within a split, pieces that go on after their video ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from autox_video.dataset.entries import Sample
from autox_video.dataset.facts import Leak
from autox_video.dataset.leaks import CONTENT, FILE, GROUP, LOOK
from autox_video.dataset.messages import in_short, plural
from autox_video.dataset.opened import OpenedSplit
from autox_video.dataset.pieces import named, named_piece
from autox_video.dataset.preflight import Finding
from autox_video.dataset.probe import VideoFacts

SAID = {
    FILE: "is also in {other}",
    CONTENT: "has the content of a {other} file under another name: {path}",
    LOOK: "looks like a {other} file (near-duplicate frames): {path}",
    GROUP: "comes from the recording of a {other} file: {path}",
}
# Times in lists are often rounded to a tenth of a second.
ROUNDING_SECONDS = 0.1


def leak_findings(leaks: Sequence[Leak], opened: Mapping[str, OpenedSplit]) -> list[Finding]:
    """Each leak, in the place where the list names the video."""
    samples = {
        (split, sample.path, sample.start_seconds, sample.end_seconds): sample
        for split, videos in opened.items()
        for sample in videos.good
    }
    findings = []
    for leak in leaks:
        sample = samples.get((leak.split, leak.path, leak.start_seconds, leak.end_seconds))
        if sample is None:  # of a split that is not looked at now
            continue
        other = named_piece(leak.other_path, leak.other_start_seconds, leak.other_end_seconds)
        said = SAID[leak.kind].format(other=leak.other_split, path=other)
        text = f"{named(sample)} {said}"
        findings.append(Finding("note", f"leak: {leak.kind}", sample.where, text, sample.file))
    return findings


def copies(opened: Mapping[str, OpenedSplit]) -> list[Finding]:
    """Videos that have the very bytes of another one of their split, or of any split and have another label."""
    findings = []
    first: dict[tuple[str, float | None, float | None], tuple[str, Sample]] = {}
    for split, videos in opened.items():
        if videos.draft.swept:  # nobody chose its videos
            continue
        for sample, facts in zip(videos.good, videos.videos, strict=True):
            if facts is None or not facts.digest:
                continue
            piece = (sample.start_seconds, sample.end_seconds)
            other_split, other = first.setdefault((facts.digest, *piece), (split, sample))
            if sample.file == other.file:
                continue
            text = f"{named(sample)} has the content of {other.path} ({other.where})"
            if sample.label != other.label and None not in (sample.label, other.label):
                text = f"{text}, which has another label"
                findings.append(Finding("note", "copy with another label", sample.where, text, sample.file))
            elif split == other_split:
                findings.append(Finding("note", "copy", sample.where, text, sample.file))
    return findings


def cut_short(opened: Mapping[str, OpenedSplit]) -> list[Finding]:
    """Pieces that would go on after the end of their video."""
    return [
        Finding(
            "note",
            "piece past the end",
            sample.where,
            f"{named(sample)} is cut short: the video ends after {end:.2f} s",
            sample.file,
        )
        for _, sample, end in _past_the_end(opened)
    ]


def cut_short_notes(opened: Mapping[str, OpenedSplit]) -> list[str]:
    """The same in a sentence a split."""
    places: dict[str, list[str]] = {}
    for split, sample, _ in _past_the_end(opened):
        places.setdefault(split, []).append(sample.where)
    return [
        f"{plural(len(where), f'{split} piece')} would go on after the video ends, and end with it: {in_short(where)}"
        for split, where in places.items()
    ]


def _past_the_end(opened: Mapping[str, OpenedSplit]) -> Iterator[tuple[str, Sample, float]]:
    """Split and sample, and when the video ends."""
    for split, videos in opened.items():
        for sample, facts in zip(videos.good, videos.videos, strict=True):
            if facts is not None and sample.end_seconds is not None and facts.duration_seconds is not None:
                end = (sample.start_seconds or 0.0) + facts.duration_seconds
                if end < sample.end_seconds - max(ROUNDING_SECONDS, _frame_seconds(facts)):
                    yield split, sample, end


def _frame_seconds(facts: VideoFacts) -> float:
    return 1 / facts.fps if facts.fps else 0.0
