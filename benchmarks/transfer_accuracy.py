"""What a pretrained network makes of few videos: accuracy and time with the default settings and with the head alone.

Each seed trains both ways by the command line and is tested; what is done is kept in the folder, and the same command
goes on after an interruption. The data and the weights are named, for none are small enough to come with the package.

    python benchmarks/transfer_accuracy.py --data FOLDER --weights FILE [--seeds 0 1 2 3 4] [--ways default head_only]
        [--folder work_dirs/transfer_accuracy] [--set KEY=VALUE ...]

FOLDER has `videos` and `annotations/{train,val,test}_list.txt`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measuring import ROOT, markdown, write_result

MODEL = "tsm_mobilenetv2"
# Name: settings beside the defaults.
WAYS = {"default": [], "head_only": ["train.freeze=head_only"]}


def main() -> None:
    """Train, test and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--folder", type=Path, default=ROOT / "work_dirs" / "transfer_accuracy")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    config = write_config(arguments.folder, arguments.data, arguments.weights)
    for seed in arguments.seeds:
        for way in arguments.ways:
            found = run(config, arguments.folder / f"{way}{seed}", [*WAYS[way], f"runtime.seed={seed}", *arguments.set])
            print(f"seed {seed}, {way:9}: top-1 {found['top1']:.3f} after {found['seconds']:.0f} s", flush=True)
    # Of all seeds that this folder holds, whichever call trained them.
    ways: dict[str, list[dict[str, Any]]] = {
        way: [json.loads(file.read_text()) for file in sorted(arguments.folder.glob(f"{way}[0-9]*/found.json"))]
        for way in WAYS
    }
    figures = {"ways": {way: found for way, found in ways.items() if found}, "settings": arguments.set}
    print(table(write_result("transfer_accuracy", figures, ("av", "mmaction2", "torch"))))


def table(record: dict[str, Any]) -> str:
    """Accuracy and time of each way: each seed, mean and spread."""
    names = {"default": "default settings", "head_only": "`train.freeze: head_only`"}
    rows = []
    for way, found in record["ways"].items():
        top1 = [one["top1"] for one in found]
        spread = f"{statistics.stdev(top1):.3f}" if len(top1) > 1 else "one seed"
        seconds = statistics.median(one["seconds"] for one in found)
        each = ", ".join(f"{one:.2f}" for one in top1)
        rows.append([names[way], each, f"{statistics.mean(top1):.3f}", spread, f"{seconds / 60:.1f} min"])
    head = [f"`{MODEL}` from ImageNet", "top-1 of each seed", "mean", "standard deviation", "training and test, median"]
    return markdown(head, rows)


def write_config(folder: Path, data: Path, weights: Path) -> Path:
    """The config.yaml of all runs: no more than the data, the model and the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    lists = "".join(
        f"ann_file_{split}: {data.resolve()}/annotations/{split}_list.txt\n" for split in ("train", "val", "test")
    )
    path = folder / "config.yaml"
    model = f"model: {{name: {MODEL}, load_from: {weights.resolve()}}}\n"
    path.write_text(f"data_root: {data.resolve()}/videos\n{lists}{model}", encoding="utf-8")
    return path


def run(config: Path, work_dir: Path, values: list[str]) -> dict[str, Any]:
    """Train and test, unless that is done; the figures, also in `found.json`. Seconds are those of all its parts."""
    done, clock = work_dir / "found.json", work_dir / "seconds.txt"
    if done.is_file():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    work_dir.mkdir(parents=True, exist_ok=True)
    results = work_dir / "results.json"
    settings = [argument for value in [*values, f"test_results_path={results}"] for argument in ("--set", value)]
    for command in ("train", "test"):
        arguments = [command, "-c", str(config), "--work-dir", str(work_dir), *settings]
        started = time.perf_counter()
        try:
            subprocess.run(
                [sys.executable, "-m", "autox_video", *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
            )
        finally:
            before = float(clock.read_text()) if clock.is_file() else 0.0
            clock.write_text(str(before + time.perf_counter() - started))
    metrics = json.loads(results.read_text())["metrics"]
    kept = {name: metrics[name] for name in ("top1", "top5", "mean_class_accuracy")}
    found = {**kept, "seconds": float(clock.read_text()), "settings": values}
    done.write_text(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
