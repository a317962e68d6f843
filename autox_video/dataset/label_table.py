"""`suspicious.csv`: labels that look wrong, worst first, and what a person has decided of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.list_lines import read_text
from autox_video.dataset.messages import in_short, meant, plural, shorten
from autox_video.dataset.table_rows import Row as Cells
from autox_video.dataset.table_rows import columns_of, read_rows
from autox_video.errors import Problem, RequestError
from autox_video.writing import csv_text

# Where a piece of a video is meant, and not all of it.
PIECE = ("start_seconds", "end_seconds")
COLUMNS = ("rank", "file", *PIECE, "split", "label", "suggested_label", "score", "reason", "new_label", "keep")
# Without these nobody can tell what is meant.
NEEDED = ("file", "split", "label", "new_label", "keep")
YES, NO = ("yes", "y", "true", "1", ""), ("no", "n", "false", "0")
AGAIN = "Run `autox-video audit-labels` again for a whole one"

# Split, path, beginning and end: what a row of a list is known by.
Key = tuple[str, str, float | None, float | None]


@dataclass(frozen=True)
class Suspect:
    """A video whose label looks wrong.

    Attributes:
        rank: From 1, the most suspicious first.
        file: As listed.
        start_seconds: Where the labelled piece of the video begins; None for its beginning.
        end_seconds: Where it ends.
        split: `train` or `val`.
        label: Its class, by name.
        suggested_label: The class it looks like.
        score: How much rather it looks like that one, from -1 to 1.
        chances: What a classifier that has not seen it gives for the suggested class and for its own.
        near: Of the most alike videos, how many have the suggested class, how many its own, and how many there are.
        margin: By how much its label was more probable than any other class while it was learned; None where nobody
            knows, as of a validation video.
    """

    rank: int
    file: str
    start_seconds: float | None
    end_seconds: float | None
    split: str
    label: str
    suggested_label: str
    score: float
    chances: tuple[float, float]
    near: tuple[int, int, int]
    margin: float | None = None

    @property
    def reason(self) -> str:
        """What speaks against the label, in a sentence."""
        learned = "" if self.margin is None else f"; in training its label had a margin of {self.margin:.2f}"
        return (
            f"by the other videos it is {self.suggested_label!r} ({self.chances[0]:.2f}) rather than {self.label!r} "
            f"({self.chances[1]:.2f}); of the {self.near[2]} most alike, {self.near[0]} are {self.suggested_label!r} "
            f"and {self.near[1]} {self.label!r}{learned}"
        )


@dataclass(frozen=True)
class Verdict:
    """What a person decided of a video.

    Attributes:
        where: File and line of the table.
        key: The video.
        label: The class that it had then.
        new_label: The class it is to have; None where its label stays.
        keep: Whether it stays in its list.
    """

    where: str
    key: Key
    label: str
    new_label: str | None
    keep: bool


def label_table(suspects: Sequence[Suspect]) -> str:
    """The table as text. `new_label` is left for a person to fill, `keep` says yes; times only where there are any."""
    pieces = any(value is not None for one in suspects for value in (one.start_seconds, one.end_seconds))
    columns = [column for column in COLUMNS if pieces or column not in PIECE]
    rows = [columns]
    for one in suspects:
        cells = {**vars(one), "reason": one.reason, "score": f"{one.score:.4f}", "new_label": "", "keep": "yes"}
        rows.append([cells[column] for column in columns])
    return csv_text(rows)


def is_edited(path: Path) -> bool:
    """Whether somebody has written into a table; one that cannot be read is taken for edited."""
    text = read_text(path, str(path))
    if isinstance(text, Problem) or not {"new_label", "keep"} <= set(columns_of(text)):
        return True
    rows = list(read_rows(text, str(path)))
    return any(isinstance(row, Problem) or row.cells["new_label"] or row.cells["keep"] != "yes" for row in rows)


def read_verdicts(path: Path, classes: Sequence[str]) -> list[Verdict]:
    """Read the table back, from whatever program it was saved with.

    Args:
        path: The table.
        classes: Class names that exist.

    Raises:
        RequestError: It cannot be read, or a row asks for something that cannot be; all that is wrong is told together.
    """
    name = str(path)
    text = read_text(path, name)
    if isinstance(text, Problem):
        raise RequestError(text)
    columns = columns_of(text)
    if missing := [column for column in NEEDED if column not in columns]:
        wrong = f"lacks the {'column' if len(missing) == 1 else 'columns'} {in_short(missing)}"
        raise RequestError(Problem(name, wrong, AGAIN, in_short(columns) or "nothing"))
    verdicts: list[Verdict] = []
    problems: list[Problem] = []
    for row in read_rows(text, name):
        verdict = row if isinstance(row, Problem) else _verdict(row, name, classes)
        if isinstance(verdict, Problem):
            problems.append(verdict)
        else:
            verdicts.append(verdict)
    problems += _contradictions(verdicts)
    if problems:
        raise RequestError(shorten(problems))
    return verdicts


def _verdict(row: Cells, name: str, classes: Collection[str]) -> Verdict | Problem:
    where = f"{name}:{row.number}"
    cell = {column: text.strip() for column, text in row.cells.items()}
    times: list[float | None] = []
    for column in PIECE:
        try:
            times.append(float(cell[column]) if cell.get(column) else None)
        except ValueError:
            return Problem(where, f"has a {column} that is no number", AGAIN, repr(cell[column]))
    word = cell["keep"].casefold()
    if word not in (*YES, *NO):
        return Problem(where, "has a keep that is neither yes nor no", "Write yes or no", repr(cell["keep"]))
    new, keep = cell["new_label"] or None, word in YES
    if new is not None and new not in classes:
        cure = meant(new, classes, f"The classes are {in_short(list(classes))}")
        return Problem(where, "has a new_label that is no class", cure, repr(new))
    if new is not None and not keep:
        cure = "Write keep: yes to correct it, or clear new_label to leave the video out"
        return Problem(where, "has a new_label, and keep says that the video is left out", cure, repr(new))
    key = (cell["split"], row.cells["file"], times[0], times[1])
    return Verdict(where, key, cell["label"], new, keep)


def _contradictions(verdicts: Sequence[Verdict]) -> list[Problem]:
    seen: dict[Key, Verdict] = {}
    problems = []
    for verdict in verdicts:
        first = seen.setdefault(verdict.key, verdict)
        if (first.new_label, first.keep) != (verdict.new_label, verdict.keep):
            wrong = f"says otherwise of a video than {first.where}"
            problems.append(Problem(verdict.where, wrong, "Keep one of the two rows", repr(verdict.key[1])))
    return problems


def changes_in_words(changed: int, left_out: int) -> str:
    """`2 labels changed, 1 video left out`."""
    parts = [f"{plural(changed, 'label')} changed"] if changed or not left_out else []
    return ", ".join([*parts, *([f"{plural(left_out, 'video')} left out"] if left_out else [])])
