"""What all measuring shares: turns that alternate, ratios of medians, the record of the machine, tables in Markdown.

A script measures seconds of several sides (`ours`, `stock`, ...) in rounds of one go. `turns` says whose turn it is,
`ratio` compares medians, `write_result` keeps the figures with the machine and the versions, and the script's own
`table(record)` shows them; `tables.py` puts those tables into `benchmarks/README.md`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
STACK = ("torch", "mmengine", "mmaction2", "numpy")
# Of a script: this module is imported when it begins, before it may hold itself to fewer cores.
_LOAD_BEFORE, _CORES = os.getloadavg()[0], len(os.sched_getaffinity(0))


def turns(sides: Sequence[str], repeats: int, warm_up: int = 0) -> Iterator[tuple[int, str]]:
    """Whose turn it is, in rounds; who goes first alternates.

    Args:
        sides: Names of what is compared.
        repeats: Rounds that count.
        warm_up: Rounds before them that only warm the caches.

    Yields:
        The number of the round, below 0 while it warms up, and the side.
    """
    for number in range(-warm_up, repeats):
        for side in sides[:: -1 if number % 2 else 1]:
            yield number, side


def medians(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each side."""
    return {side: statistics.median(found) for side, found in values.items()}


def ratio(values: Mapping[str, Sequence[float]], of: str, to: str) -> float:
    """The median of one side as a multiple of another's."""
    return statistics.median(values[of]) / statistics.median(values[to])


def machine(packages: Sequence[str] = STACK) -> dict[str, Any]:
    """Date, machine, load and versions; without them a figure says little."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": _CORES,
        "cpu": _cpu_name(),
        "load_before_and_after": [round(_LOAD_BEFORE, 2), round(os.getloadavg()[0], 2)],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


def write_result(name: str, figures: Mapping[str, Any], packages: Sequence[str] = STACK) -> dict[str, Any]:
    """Keep what was measured, with the machine; returns what was written.

    Args:
        name: Of the script.
        figures: Everything it measured: `json` must take them.
        packages: Whose versions matter.
    """
    record = {**figures, **machine(packages)}
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def read_result(name: str) -> dict[str, Any] | None:
    """What a script measured last; None where it has not run."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def goal(value: float, *, at_least: float | None = None, at_most: float | None = None) -> str:
    """A goal in words, and whether a figure reaches it."""
    reached = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    words = f"at least {at_least:g}" if at_most is None else f"at most {at_most:g}"
    return f"{words}: {'reached' if reached else 'missed'}"


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" if line[0] != "---" else "|" + "---|" * len(line) for line in lines)


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
