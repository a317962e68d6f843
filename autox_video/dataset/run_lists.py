"""The lists that a run was begun with. One that goes on learns from the same videos in the same order."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from autox_video.dataset.annotations import columns
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.messages import in_short, plural
from autox_video.errors import Problem
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text

logger = logging.getLogger(__name__)
SPLITS = ("train", "val")


def keep_lists(work_dir: WorkDir) -> None:
    """Remember the lists as they are now, at the beginning of a run."""
    for split in SPLITS:
        write_text(work_dir.list_of_run(split), work_dir.annotations(split).read_text(encoding="utf-8"))


def continue_lists(work_dir: WorkDir, fingerprint: Fingerprint, ways_out: str) -> list[Problem]:
    """Put the lists of the run back in the place of those that the data make today.

    A video that cannot be read any more stays in its line, where another takes its place; the decoders are today's.

    Args:
        work_dir: Of the run.
        fingerprint: The data as it is today.
        ways_out: What to do where the lists are others.

    Returns:
        For each list that has other videos or labels than the run's, what is different. It is then left as it is.
    """
    problems = []
    for split in SPLITS:
        kept = work_dir.list_of_run(split)
        if not kept.is_file():
            continue
        then, now = (_lines(path.read_text(encoding="utf-8")) for path in (kept, work_dir.annotations(split)))
        lost = {
            (bad.path, _text(bad.start_seconds), _text(bad.end_seconds))
            for bad in fingerprint.bad_videos
            if bad.split == split
        }
        rows_then, rows_now = (Counter(map(_row, lines)) for lines in (then, now))
        gone, came = rows_then - rows_now, rows_now - rows_then
        unreadable = {row for row in gone if (row[0], *row[2:]) in lost}
        if came or len(unreadable) < len(gone):
            problems.append(_problem(split, [row for row in gone if row not in unreadable], list(came), ways_out))
            continue
        if unreadable:
            stay = "stay in the list of this run, and others take their place"
            logger.info("note     %s that cannot be read any more %s", plural(len(unreadable), f"{split} video"), stay)
        today = {_row(line): line for line in now}
        write_text(work_dir.annotations(split), "".join(f"{today.get(_row(line), line)}\n" for line in then))
    return problems


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def _row(line: str) -> tuple[str, str, str, str]:
    """Path, label, start and end of a line, without its decoder."""
    path, label, _, start, end = columns(line)
    return path, label, start, end


def _text(seconds: float | None) -> str:
    return "" if seconds is None else str(seconds)


def _problem(split: str, gone: Sequence[tuple[str, ...]], came: Sequence[tuple[str, ...]], ways_out: str) -> Problem:
    pieces_came = {(path, start, end) for path, _, start, end in came}
    others = [path for path, _, start, end in gone if (path, start, end) in pieces_came]
    counts = ((len(came) - len(others), "came"), (len(gone) - len(others), "went"), (len(others), "got another label"))
    what = ", ".join(f"{number} {verb}" for number, verb in counts if number)
    files = in_short(list(dict.fromkeys(row[0] for row in [*came, *gone])))
    return Problem(f"{split} list", f"is another than when this run began: {what} ({files})", ways_out)
