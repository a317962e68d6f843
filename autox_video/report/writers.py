"""Results as a file; its ending decides the format."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from autox_video.errors import Problem, RequestError, RunError
from autox_video.records import build_record
from autox_video.report.multi_label import MultiLabelResults
from autox_video.report.outcome import AnyResults
from autox_video.report.results import Results, to_plain
from autox_video.writing import csv_text, write_durably

# Columns of a CSV that say of a prediction what it is worth.
JUDGED = ("correct", "confidence", "uncertain", "leak")


def write_results(results: AnyResults, path: Path, results_format: str = "full") -> None:
    """Write results; equal results give equal bytes.

    Args:
        results: What a test found.
        path: The file; `.json`, `.csv`, `.pkl`, `.yaml` or `.yml`. A CSV has a row a video, and text is
            left as it is: a spreadsheet may take a name that begins with `=` for a formula.
        results_format: `full`, or `scores`: the original tool's bare list of score vectors in the order of the
            list, None for a video that could not be read.

    Raises:
        RequestError: The ending is none of these.
        RunError: The file cannot be written.
    """
    if path.suffix not in WRITERS:
        cure = f"Choose one of {', '.join(WRITERS)}"
        raise RequestError(Problem("test_results_path", "the ending names no format", cure, repr(path.name)))
    if results_format == "scores":
        content: Any = [None if video.scores is None else list(video.scores) for video in results.videos]
        text = _csv(content_rows(content)) if path.suffix == ".csv" else WRITERS[path.suffix](content)
    elif path.suffix == ".csv":
        text = _csv(table(results))
    else:
        text = WRITERS[path.suffix](to_plain(results))
    write_durably(path, lambda file: file.write(text))


def find_results(path: Path) -> Path:
    """The JSON file of a run's results: `results.json` in its work dir, or the file itself.

    Raises:
        RequestError: There is none.
    """
    file = path / "results.json" if path.is_dir() else path
    if not file.is_file():
        cure = "Test the run first, or name the JSON file that test_results_path says"
        raise RequestError(Problem(str(path), "holds no results.json" if path.is_dir() else "does not exist", cure))
    return file


def read_results(path: Path) -> AnyResults:
    """Read what `write_results` wrote as JSON.

    Raises:
        RunError: The file is missing or holds no results.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        kind = MultiLabelResults if "thresholds" in value else Results
        results: AnyResults = build_record(value, kind)
        return results
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = Problem(str(path), f"holds no results: {error}", "Name a results.json that `test` wrote")
        raise RunError(problem) from error


def table(results: AnyResults) -> list[list[Any]]:
    """A heading and a row a video."""
    if isinstance(results, MultiLabelResults):
        return _multi_label_table(results)
    pieces = _piece_columns(results)
    head = ["file", *pieces, "status", "error", "true_label", "predicted_label", *JUDGED]
    rows: list[list[Any]] = [[*head, *(f"score:{name}" for name in results.classes)]]
    for video in results.videos:
        true = "" if video.true_label is None else video.true_label.name
        predicted = "" if video.predicted_label is None else video.predicted_label.name
        where = [video.file, *(getattr(video, name) for name in pieces)]
        facts = [*where, video.status, video.error, true, predicted, *(getattr(video, name) for name in JUDGED)]
        rows.append([*facts, *(video.scores or [""] * len(results.classes))])
    return [["" if cell is None else cell for cell in row] for row in rows]


def _multi_label_table(results: MultiLabelResults) -> list[list[Any]]:
    """Several labels stand in one cell, as in a list: `jump;run`."""
    pieces = _piece_columns(results)
    head = ["file", *pieces, "status", "error", "true_labels", "predicted_labels", *JUDGED]
    rows: list[list[Any]] = [[*head, *(f"score:{name}" for name in results.classes)]]
    for video in results.videos:
        labels = [";".join(label.name for label in some or ()) for some in (video.true_labels, video.predicted_labels)]
        piece, judged = ([getattr(video, name) for name in names] for names in (pieces, JUDGED))
        facts = [video.file, *piece, video.status, video.error, *labels, *judged]
        rows.append([*facts, *(video.scores or [""] * len(results.classes))])
    return [["" if cell is None else cell for cell in row] for row in rows]


def _piece_columns(results: AnyResults) -> list[str]:
    """The times of pieces, where there is one among the videos, and the fold, where there are folds."""
    names = ["start_seconds", "end_seconds"]
    used = any(getattr(video, name) is not None for video in results.videos for name in names)
    return [*(names if used else []), *(["fold"] if results.folds else [])]


def content_rows(scores: list[list[float] | None]) -> list[list[Any]]:
    """Score vectors as rows of a table; an unreadable video is an empty row."""
    return [vector or [] for vector in scores]


def _csv(rows: list[list[Any]]) -> bytes:
    return csv_text(rows).encode("utf-8")


def _json(value: Any) -> bytes:
    return (_indented(value) + "\n").encode("utf-8")


def _indented(value: Any, depth: int = 0) -> str:
    """JSON with an indent, but a list of numbers on one line: a thousand classes are no thousand lines."""
    nested = isinstance(value, (list, tuple)) and any(isinstance(item, (list, tuple, dict)) for item in value)
    if not value or not (nested or isinstance(value, dict)):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    outer, inner = "  " * depth, "  " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {_indented(item, depth + 1)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        items = [_indented(item, depth + 1) for item in value]
        opening, closing = "[", "]"
    return f"{opening}\n" + ",\n".join(inner + item for item in items) + f"\n{outer}{closing}"


def _yaml(value: Any) -> bytes:
    # JSON first: it turns tuples, for which YAML has no plain form, into lists.
    return yaml.safe_dump(json.loads(json.dumps(value)), sort_keys=False, allow_unicode=True).encode("utf-8")


def _pickle(value: Any) -> bytes:
    return pickle.dumps(json.loads(json.dumps(value)), protocol=4)


WRITERS: dict[str, Callable[[Any], bytes]] = {
    ".json": _json,
    ".csv": _csv,
    ".pkl": _pickle,
    ".yaml": _yaml,
    ".yml": _yaml,
}
