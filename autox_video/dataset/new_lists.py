"""New lists of a run's videos with what a person has decided of them. The user's own files stay as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.annotations import Row
from autox_video.dataset.label_table import Key, Verdict
from autox_video.dataset.messages import in_short, meant, plural, shorten
from autox_video.errors import Problem, RequestError
from autox_video.writing import csv_text, write_text

CLASSES = "classes.txt"
AGAIN = "Run `autox-video audit-labels` again"


@dataclass(frozen=True)
class NewLists:
    """What was written.

    Attributes:
        files: The list of each split.
        classes: The names of the classes, one a line.
        changed: Labels that are others now.
        left_out: Videos that are in no list any more.
    """

    files: dict[str, Path]
    classes: Path
    changed: int
    left_out: int


def apply_verdicts(
    lists: Mapping[str, Sequence[Row]], classes: Sequence[str], verdicts: Sequence[Verdict]
) -> dict[str, list[Row | None]]:
    """The lists with new labels, and None in the place of what is left out.

    Args:
        lists: The rows of each split.
        classes: Class names; the position is the class id.
        verdicts: What was decided.

    Raises:
        RequestError: A verdict is on a video that is in no list, or had another label; or a class would have none left.
    """
    places = {_key(split, row): (split, place) for split, rows in lists.items() for place, row in enumerate(rows)}
    changed: dict[str, list[Row | None]] = {split: list(rows) for split, rows in lists.items()}
    problems = []
    for verdict in verdicts:
        found = places.get(verdict.key)
        split, file = verdict.key[:2]
        if found is None:
            others = {key[1] for key in places if key[0] == split} - {file}
            cure = meant(file, others, AGAIN)
            problems.append(Problem(verdict.where, f"is of no video in the {split} list", cure, repr(file)))
            continue
        row = lists[found[0]][found[1]]
        label = classes[row.label] if isinstance(row.label, int) else ""
        if label != verdict.label:
            wrong = f"is of a video that has the label {label!r} now"
            problems.append(Problem(verdict.where, wrong, AGAIN, repr(verdict.label)))
        elif not verdict.keep:
            changed[found[0]][found[1]] = None
        elif verdict.new_label is not None:
            number = classes.index(verdict.new_label)
            changed[found[0]][found[1]] = Row(row.path, number, row.decoder, row.start_seconds, row.end_seconds)
    problems += _emptied(lists, changed, classes)
    if problems:
        raise RequestError(shorten(problems))
    return changed


def write_new_lists(
    folder: Path,
    old: Mapping[str, Sequence[Row]],
    new: Mapping[str, Sequence[Row | None]],
    classes: Sequence[str],
    groups: Mapping[tuple[str, str], str],
) -> NewLists:
    """Write a table for each split, and the names of the classes in the order of their ids.

    Args:
        folder: A new one, or one that holds these very lists.
        old: The rows of each split as they were.
        new: As `apply_verdicts` gives them.
        classes: Class names.
        groups: By split and path, the recording that a list has named.

    Raises:
        RequestError: The folder holds other files of these names.
        RunError: A file cannot be written.
    """
    texts = {f"{split}.csv": _table(split, rows, classes, groups) for split, rows in new.items()}
    texts[CLASSES] = "".join(f"{name}\n" for name in classes)
    for name, text in texts.items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") != text:
            cure = "Name another folder with -o: a run may have been trained on these"
            raise RequestError(Problem(str(path), "holds another list already", cure))
    for name, text in texts.items():
        write_text(folder / name, text)
    pairs = [pair for split in new for pair in zip(old[split], new[split], strict=True)]
    return NewLists(
        files={split: folder / f"{split}.csv" for split in new},
        classes=folder / CLASSES,
        changed=sum(now is not None and now.label != then.label for then, now in pairs),
        left_out=sum(now is None for _, now in pairs),
    )


def _key(split: str, row: Row) -> Key:
    return split, row.path, row.start_seconds, row.end_seconds


def _emptied(
    lists: Mapping[str, Sequence[Row]], changed: Mapping[str, Sequence[Row | None]], classes: Sequence[str]
) -> list[Problem]:
    """Classes that had training videos, and would have none."""
    then = Counter(row.label for row in lists["train"])
    now = Counter(row.label for row in changed["train"] if row is not None)
    gone = [classes[label] for label in then if isinstance(label, int) and not now[label]]
    if not gone:
        return []
    wrong = f"{plural(len(gone), 'class')} would have no training video left"
    return [Problem("train list", wrong, "Keep some, or take the class out of your own lists", in_short(gone))]


def _table(
    split: str, rows: Sequence[Row | None], classes: Sequence[str], groups: Mapping[tuple[str, str], str]
) -> str:
    kept = [row for row in rows if row is not None]
    pieces = any(value is not None for row in kept for value in (row.start_seconds, row.end_seconds))
    labelled = any(row.label is not None for row in kept)
    grouped = any((split, row.path) in groups for row in kept)
    lines = [["path", *(["label"] * labelled), *(["start", "end"] * pieces), *(["group"] * grouped)]]
    for row in kept:
        label = classes[row.label] if isinstance(row.label, int) else ""
        times = ["" if value is None else str(value) for value in (row.start_seconds, row.end_seconds)]
        group = groups.get((split, row.path), "")
        lines.append([row.path, *([label] * labelled), *(times * pieces), *([group] * grouped)])
    return csv_text(lines)
