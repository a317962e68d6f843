"""`report.html` as a file."""

from __future__ import annotations

from pathlib import Path

from autox_video.errors import Problem, RequestError
from autox_video.report.html.page import make_page
from autox_video.report.html.reading import read_run
from autox_video.report.outcome import AnyResults
from autox_video.report.writers import read_results
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text


def write_report(work_dir: WorkDir, results: AnyResults | None, file: Path | None = None) -> Path:
    """Write the report of a run; returns the file.

    Args:
        work_dir: Of the run.
        results: What its test found; None before it.
        file: Where to; None for `report.html` in the work dir.

    Raises:
        RunError: It cannot be written.
    """
    file = file or work_dir.report
    write_text(file, make_page(read_run(work_dir, results), title_of(work_dir)))
    return file


def title_of(work_dir: WorkDir) -> str:
    """What a run is called on its page."""
    return work_dir.root.absolute().name


def read_results_of(path: Path) -> AnyResults | None:
    """The results of a run, from the file that `test_results_path` names; None where there is none yet.

    Raises:
        RequestError: They stand in a format that is not read back.
        RunError: The file holds no results.
    """
    if not path.is_file():
        return None
    if path.suffix != ".json":
        cure = "Give test_results_path the ending .json and test again; or open the report.html that `test` wrote"
        raise RequestError(Problem(str(path), "a report is made from results in JSON only", cure, path.suffix))
    return read_results(path)
