"""What passes between the steps of this stage: what a format reads, and what a split is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autox_video.errors import Problem

SPLITS = ("train", "val", "test")

# The key of videos that a format found without being told which split they belong to.
UNDIVIDED = "undivided"


# A file and the piece of it: where it begins and ends.
Content = tuple[str, float | None, float | None]

# A class id, or the ids of a video with several labels, in order.
Label = int | tuple[int, ...]


def ids_of(label: Label | None) -> tuple[int, ...]:
    """The class ids of a label: one, several, or none."""
    return label if isinstance(label, tuple) else () if label is None else (label,)


@dataclass(frozen=True, slots=True)
class Entry:
    """One video as a list or a folder names it.

    Attributes:
        path: As listed: relative to the data root, or absolute.
        label: The text of its label, or None where there is none.
        where: The list and line (`train_list.txt:7`), or the folder.
        start_seconds: Where the labelled piece of the video begins; None for the whole video.
        end_seconds: Where it ends.
        group: The recording it is part of, where the data says so: one group never stands in two splits.
        num_frames: How many frames the list says that it has, or None.
    """

    path: str
    label: str | None
    where: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    group: str | None = None
    num_frames: int | None = None


@dataclass(frozen=True)
class Part:
    """The videos of one split, or those still to be divided.

    Attributes:
        entries: In the order of the list.
        source: Where they come from, for people.
        named: Whether labels are class names whatever they look like (a folder `3` is a name);
            otherwise an integer may be an id.
        classes: Class names in the order of their ids, where the data says so.
    """

    entries: tuple[Entry, ...]
    source: str
    named: bool
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What one format, or all of them together, read.

    Attributes:
        parts: By split, or under `UNDIVIDED`.
        notes: What a person should know about the reading.
        problems: What is wrong.
    """

    parts: Mapping[str, Part]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One video of a split.

    Attributes:
        path: As it is written into the canonical list.
        label: Class id, or class ids where videos have several; None where it is unlabelled or its label is wrong.
        where: The list and line, or the folder.
        file: Absolute path without symbolic links: two samples with the same one are the same video.
        start_seconds: As in `Entry`.
        end_seconds: As in `Entry`.
        group: As in `Entry`.
        num_frames: As in `Entry`.
    """

    path: str
    label: Label | None
    where: str
    file: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    group: str | None = None
    num_frames: int | None = None

    @property
    def content(self) -> Content:
        """The file and the piece of it: two samples with the same content are one sample listed twice."""
        return self.file, self.start_seconds, self.end_seconds


@dataclass(frozen=True)
class Draft:
    """A split before its videos are opened.

    Attributes:
        samples: In the order of the list.
        source: Where they come from, for people.
        labelled: Whether its videos have labels.
        swept: Whether it is simply every video of a folder, which nobody chose one by one.
        origin: The list or folder that it was divided from; empty where it was given as it is.
    """

    samples: tuple[Sample, ...]
    source: str
    labelled: bool
    swept: bool = False
    origin: str = ""
