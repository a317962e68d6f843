"""The machine and the versions, as the training and the test logged them."""

from __future__ import annotations

import re
from pathlib import Path

from autox_video.report.html.markup import Html, join, paragraph, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text

ORDER = 130
TITLE = Text("Machine and versions", "机器与版本")
# A log of a long training is read from its end: it may be large.
MAX_LOG_BYTES = 20_000_000


def section(run: ReportedRun) -> Section | None:
    """The table; None before anything ran."""
    logs = {"training": run.work_dir.train_log, "test": run.work_dir.test_log}
    if not run.work_dir.train_log.is_file() and (folds := sorted(run.work_dir.folds.glob("*/train.log"))):
        logs = {"training": folds[0], "test": folds[0].with_name("test.log")}
    found = {name: facts for name, path in logs.items() if (facts := logged(path))}
    parts: list[Html] = []
    if run.plan is not None:
        machine = run.plan.hardware
        gpus = f"{machine.num_gpus} x {machine.gpu_name}, {machine.gpu_memory_gib:.0f} GiB" if machine.num_gpus else "–"
        text = f"{machine.num_cpus} CPU cores, {machine.memory_gib:.0f} GiB memory, GPUs: {gpus}"
        parts.append(paragraph(Text("Trained on: ", "训练所用机器："), text))
    if found:
        names = list(dict.fromkeys(name for facts in found.values() for name in facts))
        said = {"training": Text("training", "训练"), "test": Text("test", "测试")}
        rows = [[tag("code", name), *(facts.get(name, "–") for facts in found.values())] for name in names]
        parts.append(table(["", *(said[name] for name in found)], rows, max_rows=20))
    return Section("environment", TITLE, join(parts)) if parts else None


def logged(path: Path) -> dict[str, str]:
    """The last block `Environment:` in a log of ours: lines of four blanks, a name, a colon and a value."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MAX_LOG_BYTES))
        text = file.read().decode("utf-8", "replace")
    _, found, block = text.rpartition("Environment:\n")
    lines = re.match(r"(?:    [^\n]*\n)*", block)
    if not found or lines is None:
        return {}
    pairs = (line.strip().split(": ", 1) for line in lines[0].splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0] != "environment"}
