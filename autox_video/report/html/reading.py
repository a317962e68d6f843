"""A run as the report sees it: what lies in its work dir, as far as it is there."""

from __future__ import annotations

import csv
import logging
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from autox_video.dataset.annotations import read_rows
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.leaks import read_groups
from autox_video.dataset.preflight import Check
from autox_video.errors import RunError
from autox_video.plan.schema import Plan
from autox_video.records import read_record
from autox_video.report.html.films import Films
from autox_video.report.html.parts import Course, ReportedRun
from autox_video.report.outcome import AnyResults
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)
RecordT = TypeVar("RecordT")
# No section reads weights, which a training writes over and over.
WEIGHTS = (".pth", ".safetensors")


def read_run(work_dir: WorkDir, results: AnyResults | None, films: Films | None = None) -> ReportedRun:
    """Look at a work dir.

    Args:
        work_dir: Of a run that may still be going on, or may not have begun.
        results: What its test found; None before it.
        films: Filmstrips of an earlier look, which are not drawn again.
    """
    runs = [work_dir.fold(number) for number in _folds(work_dir)] or [work_dir]
    plan, fingerprint = _record(runs[0].plan, Plan), _record(work_dir.fingerprint, Fingerprint)
    known = results or plan or fingerprint
    decoders: dict[str, str] = {}
    groups: dict[str, str] = {}
    for run in runs:
        with suppress(OSError, ValueError, IndexError):
            decoders |= {row.path: row.decoder for row in read_rows(run.annotations("test"))}
        with suppress(OSError, ValueError, IndexError):
            groups |= {path: group for (split, path), group in read_groups(run.groups).items() if split == "test"}
    courses = [Course("" if run is work_dir else f"fold {run.root.name}", read_metrics(run.metrics)) for run in runs]
    return ReportedRun(
        work_dir=work_dir,
        results=results,
        plan=plan,
        fingerprint=fingerprint,
        check=_record(work_dir.check, Check),
        courses=[course for course in courses if course.rows],
        groups=groups,
        films=films or Films(known.data_root if known else "", decoders),
    )


def files_of(work_dir: WorkDir) -> list[Path]:
    """The files that a page may be made of: whatever lies where a section may look, so that none is forgotten here.

    Args:
        work_dir: Of a run that may not have begun.
    """
    runs = [work_dir, *map(work_dir.fold, _folds(work_dir))]
    folders = (folder for run in runs for folder in (run.root, run.groups.parent, run.explanations))
    return sorted(path for folder in folders for path in folder.glob("[!.]*") if path.suffix not in WEIGHTS)


def read_metrics(path: Path) -> tuple[Mapping[str, float], ...]:
    """The rows of a `metrics.csv`, each with the columns that have a number; none where there is no such file."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        # A loss that overflowed has no place in a curve, nor in JSON.
        return tuple(
            {name: number for name, value in row.items() if name and value and math.isfinite(number := float(value))}
            for row in rows
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, csv.Error) as error:
        logger.warning("warning  the report has no curves: %s is not readable: %s", path, error)
        return ()


def _folds(work_dir: WorkDir) -> list[int]:
    names = [path.name for path in work_dir.folds.glob("*") if path.name.isdecimal() and path.is_dir()]
    return sorted(map(int, names))


def _record(path: Path, kind: type[RecordT]) -> RecordT | None:
    """A record that may be missing; one that is not readable is said so and left out."""
    if not path.is_file():
        return None
    try:
        return read_record(path, kind)
    except RunError as error:
        logger.warning("warning  the report does without a file: %s", error)
        return None
