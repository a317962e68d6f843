"""`autox-video compare`: which of several tested runs is better, on the same videos, and whether that can be told."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from autox_video.dataset.leaks import known_groups
from autox_video.errors import Problem, RequestError
from autox_video.predictions import Predictions, mark_recordings
from autox_video.report.comparison import Comparison, compare_runs
from autox_video.report.comparison_page import comparison_page
from autox_video.report.html.reading import read_run
from autox_video.report.side_by_side import aligned, predictions_of
from autox_video.report.writers import find_results, read_results
from autox_video.work_dir import WorkDir
from autox_video.writing import clear_leftovers, write_json, write_text

PAGE = "comparison.html"
WAY_OUT = "Test all of them on one list"


def compare(runs: Sequence[Path], output: Path) -> tuple[Comparison, ...]:
    """Compare tested runs with the first of them, and write `compare.json` and a page.

    Args:
        runs: For each its work dir, with `results.json` in it, or the JSON file of its results.
        output: Folder for both.

    Raises:
        RequestError: The runs do not go together: other classes, videos or labels.
    """
    if len(runs) < 2:
        raise RequestError(Problem("compare", "needs at least two runs", "Name their work dirs", str(len(runs))))
    files = [find_results(path) for path in runs]
    if len({file.resolve() for file in files}) < len(files):
        raise RequestError(Problem("compare", "names a run twice", "Name each once", ", ".join(map(str, runs))))
    groups = known_groups(WorkDir(file.parent).groups for file in files)
    # Which split a video was in when it was grouped differs from fold to fold.
    by_path = {("test", path): group for (_, path), group in groups.items()}
    results = [read_results(file) for file in files]
    found: dict[str, Predictions] = {}
    for path, one in zip(runs, results, strict=True):
        found[str(path)] = mark_recordings(predictions_of(one), by_path)
    comparisons = compare_runs(aligned(found, "test videos", WAY_OUT))
    clear_leftovers(output)
    write_json(output / "compare.json", {"version": 1, "comparisons": [*map(dataclasses.asdict, comparisons)]})
    films = read_run(WorkDir(files[0].parent), results[0]).films
    write_text(output / PAGE, comparison_page(comparisons, films))
    return comparisons
