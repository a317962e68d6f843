"""What long lists cost: seconds and peak memory of `plan` for 1e3, 1e4, 1e5 and 1e6 listed videos.

The lists are read, every line is checked, videos are opened (above a size a sample of them), splits are audited, lists
are written and the plan is made. The first run opens videos; the second one finds them in the probe's cache. Each runs
in a process of its own. The videos are hard links to ten small ones a class.

    python benchmarks/list_scale.py [--rows 1000 10000 100000 1000000] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measuring import ROOT, markdown, read_result, write_result

NUM_CLASSES, VIDEOS_OF_CLASS = 100, 10
GOAL_SECONDS, GOAL_MIB = 30, 1024
# Of ten rows of a class, the last two are for val and test.
SPLITS = {8: "val", 9: "test"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--profile", action="store_true", help="print where the time of each second run goes")
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure, profile=arguments.profile)
        return
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        for rows in arguments.rows:
            for form, settings in write_data(Path(temporary) / str(rows), rows).items():
                config = Path(temporary) / str(rows) / f"{form.replace(' ', '_')}.json"
                config.write_text(json.dumps({**settings, "work_dir": str(config.with_suffix(""))}), encoding="utf-8")
                for run in ("first", "again"):
                    found: dict[str, Any] = {"rows": rows, "list": form, "run": run, "date": time.strftime("%Y-%m-%d")}
                    found |= spawn(config, arguments.profile)
                    results.append(found)
                    print(
                        f"{rows:9,} rows  {form:13}  {run:5}  {found['seconds']:6.1f} s  "
                        f"{found['cpu_seconds']:6.1f} s of CPU  {found['peak_mib']:6.0f} MiB  "
                        f"{found['seconds_of_probe']:6.1f} s of CPU in processes that open videos",
                        flush=True,
                    )
    # What was not measured now stays: a million rows take an hour.
    earlier = (read_result("list_scale") or {"results": []})["results"]
    results = [one for one in earlier if one["rows"] not in arguments.rows] + results
    print(table(write_result("list_scale", {"results": results}, ("numpy", "av", "decord"))))


def table(record: dict[str, Any]) -> str:
    """CPU seconds and peak memory of `plan` on videos that were opened before, and what opening them first takes."""
    found = {(one["rows"], one["list"], one["run"]): one for one in record["results"]}
    heads = {
        "three lists": "a list a split",
        "table": "table with a column of splits",
        "two to divide": "val divided off",
    }
    rows = []
    for number in sorted({one["rows"] for one in record["results"]}):
        again = [found[number, form, "again"] for form in heads]
        opened = [found[number, form, "first"]["seconds_of_probe"] for form in heads]
        cells = [f"{one['cpu_seconds']:.1f} s, {one['peak_mib']:.0f} MiB" for one in again]
        rows.append([f"{number:,}", *cells, f"{min(opened):.0f} to {max(opened):.0f} s"])
    limits = f"{GOAL_SECONDS} s, {GOAL_MIB} MiB"
    rows.append(["goal for 1,000,000", *([limits] * len(heads)), ""])
    return markdown(["rows", *heads.values(), "opening videos, first run only"], rows)


def spawn(config: Path, profile: bool) -> dict[str, float]:
    """Run `measure` in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--measure", str(config), str(config.with_suffix(".result"))]
    subprocess.run([*command, *(["--profile"] if profile else [])], check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(config.with_suffix(".result").read_text(encoding="utf-8"))
    return found


def measure(config: Path, output: Path, *, profile: bool) -> None:
    """Plan once, and write what it cost."""
    sys.path.insert(0, str(ROOT))
    from autox_video.settings.load import load_settings
    from autox_video.workflow import plan

    profiler = cProfile.Profile()
    started = time.perf_counter()
    settings = load_settings(None, values=json.loads(config.read_text(encoding="utf-8")))
    if profile:
        profiler.runcall(plan, settings, num_gpus=1, gpu_memory_gib=24)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    else:
        plan(settings, num_gpus=1, gpu_memory_gib=24)
    times = os.times()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    found = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": times.user + times.system,
        "seconds_of_probe": times.children_user + times.children_system,
        "peak_mib": peak / 1024,
    }
    output.write_text(json.dumps(found), encoding="utf-8")


def write_data(folder: Path, rows: int) -> dict[str, dict[str, str]]:
    """Videos, and lists of them: of each split, of train and test (val is then divided off by group), and a table."""
    lines: dict[str, list[str]] = {name: [] for name in ("train", "val", "test", "train_val")}
    lines["table"] = ["path,label,split"]
    for number in range(rows):
        turn, label = divmod(number, NUM_CLASSES)
        name = f"class_{label:02}"
        path = f"{name}/clip_{number:07}.mp4"
        first = folder / "videos" / name / f"clip_{label + NUM_CLASSES * (turn % VIDEOS_OF_CLASS):07}.mp4"
        if turn < VIDEOS_OF_CLASS:
            write_video(first, seed=number)
        else:
            os.link(first, folder / "videos" / path)
        split = SPLITS.get(turn % 10, "train")
        lines[split].append(f"{path} {name}")
        if split != "test":
            lines["train_val"].append(f"{path} {name}")
        lines["table"].append(f"{path},{name},{split}")
    for stem, text in lines.items():
        (folder / f"{stem}.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
    root = {"data_root": str(folder / "videos")}
    lists = {f"ann_file_{split}": str(folder / f"{split}.txt") for split in ("train", "val", "test")}
    return {
        "three lists": root | lists,
        "two to divide": root
        | {"ann_file_train": str(folder / "train_val.txt"), "ann_file_test": lists["ann_file_test"]},
        "table": root | {"ann_file_train": str(folder / "table.txt")},
    }


def write_video(path: Path, seed: int) -> None:
    """A second of coloured noise."""
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (64, 64))
    coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    for _ in range(25):
        writer.write(cv2.resize(coarse, (64, 64)) // 2 + random.integers(0, 60, (64, 64, 3), dtype=np.uint8))
    writer.release()


if __name__ == "__main__":
    main()
