"""A progress bar for work that may take more than two seconds; nothing when no person is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Bar:
    """Counts finished items. The silent form does nothing."""

    def advance(self, count: float = 1, note: str | None = None) -> None:
        """Add `count` finished items; `note` replaces the text at the end of the bar."""


class _RichBar(Bar):
    def __init__(self, progress: object, task: int) -> None:
        self._progress, self._task = progress, task

    def advance(self, count: float = 1, note: str | None = None) -> None:
        fields = {} if note is None else {"note": note}
        self._progress.update(self._task, advance=count, **fields)  # type: ignore[attr-defined]


@contextmanager
def progress_bar(total: float, label: str, *, in_bytes: bool = False) -> Iterator[Bar]:
    """Show a bar on standard error while the block runs, if standard error is a terminal.

    Args:
        total: Number of items, or of bytes.
        label: What is being done, e.g. `reading videos`.
        in_bytes: Show sizes and speed in bytes.
    """
    if not sys.stderr.isatty():
        yield Bar()
        return
    # rich takes 0.1 s to import, which commands without a bar need not pay.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    middle: list[ProgressColumn] = [DownloadColumn(), TransferSpeedColumn()] if in_bytes else [MofNCompleteColumn()]
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        *middle,
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    ]
    # What is printed meanwhile goes above the bar; but if that is read by a program, to the program.
    above = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=above) as progress:
        yield _RichBar(progress, progress.add_task(label, total=total, note=""))
