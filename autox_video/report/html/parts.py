"""What a section of the report is made of, and what it is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.preflight import Check
from autox_video.plan.schema import Plan
from autox_video.report.html.films import Films
from autox_video.report.outcome import AnyResults
from autox_video.work_dir import WorkDir

__all__ = ["Course", "ReportedRun", "Section", "Text"]


@dataclass(frozen=True)
class Text:
    """A plain text in both languages of the page. Helpers of `markup` escape it."""

    en: str
    zh: str


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        id: Its anchor, lower case and hyphens; nothing else on the page is called so.
        title: Its heading.
        html: What stands below, made with the helpers of `markup`.
    """

    id: str
    title: Text
    html: str


@dataclass(frozen=True)
class Course:
    """How one training went.

    Attributes:
        name: `fold 2` of several; empty where there is one.
        rows: One an epoch, oldest first: the columns of `metrics.csv` that have a number.
    """

    name: str
    rows: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class ReportedRun:
    """All that a section may look at. What is not there yet, or was not written by this version, is None or empty.

    Attributes:
        work_dir: The files of the run; a section reads records of its own from there.
        results: What the test found; None before it.
        plan: Of the training; of the first fold where there are several.
        fingerprint: Facts on the data.
        check: What is wrong or odd with the data.
        courses: The trainings: one, or one a fold; none before the first epoch is done.
        groups: By path, the recording of a test video; absent for one that stands alone.
        films: Filmstrips of videos.
    """

    work_dir: WorkDir
    results: AnyResults | None = None
    plan: Plan | None = None
    fingerprint: Fingerprint | None = None
    check: Check | None = None
    courses: Sequence[Course] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    films: Films = field(default_factory=Films)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by id."""
        known = self.results or self.plan or self.fingerprint
        return known.classes if known else ()
