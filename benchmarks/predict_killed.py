"""That `predict` loses nothing and repeats nothing: 500 videos, killed twice with SIGKILL, and run again.

python benchmarks/predict_killed.py --model work_dirs/demo --videos data/demo/videos

kills the process while it scores, once a fifth of the rows are kept and once three fifths are, runs the same command to
its end, and runs it once more beside, without any kill. Both results have to be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import markdown, write_result

COUNT = 500
KILLED_AT = (0.2, 0.6)


def main() -> None:
    """Kill, run again, compare; a table of what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("work_dirs/demo"))
    parser.add_argument("--videos", type=Path, default=Path("data/demo/videos"))
    arguments = parser.parse_args()
    files = sorted(arguments.videos.rglob("*.mp4"))[:COUNT]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos, output, beside = folder / "list.txt", folder / "killed" / "p.json", folder / "beside" / "p.json"
        videos.write_text("".join(f"{file.absolute()}\n" for file in files))
        runs = [run(arguments.model, videos, output, round(share * len(files))) for share in KILLED_AT]
        runs += [run(arguments.model, videos, output), run(arguments.model, videos, beside)]
        found = compare(files, json.loads(output.read_text()), json.loads(beside.read_text()))
    names = [*(f"killed at {share:.0%}" for share in KILLED_AT), "to its end", "beside, never killed"]
    print(
        table(write_result("predict_killed", {**found, "runs": dict(zip(names, runs, strict=True))}, ("torch", "av")))
    )
    if not (found["each_once"] and found["in_order"] and found["same_as_never_killed"]):
        raise SystemExit("videos were lost, or repeated, or scored otherwise")


def run(model: Path, videos: Path, output: Path, kill_at: int | None = None) -> dict[str, Any]:
    """Run the command; kill it when so many rows are kept."""
    journal = output.with_name("p.journal.jsonl")
    before, began = rows_in(journal), time.monotonic()
    given = ["predict", str(videos), "--model", str(model), "-o", str(output), "-q"]
    process = subprocess.Popen([sys.executable, "-m", "autox_video", *given], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        if kill_at is not None and rows_in(journal) >= kill_at:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(0.005)
    seconds = time.monotonic() - began
    return {"seconds": seconds, "before": before, "after": rows_in(journal), "exit": process.returncode}


def rows_in(journal: Path) -> int:
    """Whole rows in a journal; its first line is none."""
    return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0


def compare(files: list[Path], killed: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    """Whether each video stands in the results once, in order, and as if nobody had killed anything."""
    found = [str(Path(killed["data_root"]) / video["file"]) for video in killed["videos"]]
    return {
        "videos": len(files),
        "rows": len(found),
        "each_once": len(set(found)) == len(found) == len(files),
        "in_order": found == [str(file.absolute()) for file in files],
        "same_as_never_killed": killed == beside,
    }


def table(record: dict[str, Any]) -> str:
    """In Markdown."""
    rows = [
        [name, f"{one['seconds']:.1f} s", str(one["before"]), str(one["after"]), str(one["exit"])]
        for name, one in record["runs"].items()
    ]
    said = {True: "yes", False: "NO"}
    checks = "; ".join(
        f"{name.replace('_', ' ')}: {said[record[name]]}" for name in ("each_once", "in_order", "same_as_never_killed")
    )
    heading = ["run", "time", "rows before", "rows after", "exit code"]
    return f"{markdown(heading, rows)}\n\n{record['rows']} rows of {record['videos']} videos; {checks}."


if __name__ == "__main__":
    main()
