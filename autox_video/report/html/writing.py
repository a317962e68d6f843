"""`report.html` as a file."""

from __future__ import annotations

from pathlib import Path

from autox_video.report.html.page import make_page
from autox_video.report.html.reading import read_run
from autox_video.report.outcome import AnyResults
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text


def write_report(work_dir: WorkDir, results: AnyResults | None) -> Path:
    """Write the report of a run into its work dir; returns the file.

    Args:
        work_dir: Of the run.
        results: What its test found; None before it.

    Raises:
        RunError: It cannot be written.
    """
    write_text(work_dir.report, make_page(read_run(work_dir, results), work_dir.root.absolute().name))
    return work_dir.report
