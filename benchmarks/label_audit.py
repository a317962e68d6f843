"""How many wrong labels `autox-video audit-labels` finds: labels of the demo are flipped at random.

For each seed the given share of the labels of train and of val is flipped to another class, the demo's model is trained
on them by the command line and audited; what counts is the share of the flipped labels in the first tenth of the list.
What is done is kept in the folder, and the same command goes on after an interruption.

    python benchmarks/label_audit.py [--seeds 1 2 3 4 5] [--flipped 0.05] [--folder work_dirs/label_audit]
        [--set KEY=VALUE ...]
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from measuring import ROOT, markdown, write_result

from autox_video.demo_data import DemoData, write_demo_data
from autox_video.report.label_audit import LOOKS_WRONG

TOP = 0.1


def main() -> None:
    """Flip, train, audit and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--flipped", type=float, default=0.05)
    parser.add_argument("--folder", type=Path, default=ROOT / "work_dirs" / "label_audit")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    data = write_demo_data(arguments.folder / "demo")
    found = []
    for seed in arguments.seeds:
        found.append(one_seed(data, arguments.folder / f"seed{seed}", seed, arguments.flipped, arguments.set))
        print(f"seed {seed}: {found[-1]['in_first_tenth']} of {found[-1]['flipped']}", flush=True)
    figures = {"seeds": found, "flipped": arguments.flipped, "settings": arguments.set}
    print(table(write_result("label_audit", figures, ("av", "torch", "scipy"))))


def one_seed(data: DemoData, folder: Path, seed: int, share: float, values: list[str]) -> dict[str, Any]:
    """Flip labels, train and audit, unless that is done; what was found."""
    done = folder / "found.json"
    if done.is_file():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    flips = flip_labels(data, folder, seed, share)
    lists = "".join(f"ann_file_{split}: {split}.txt\n" for split in data.ann_files)
    config = folder / "config.yaml"
    config.write_text(
        f"data_root: {data.data_root.resolve()}\n{lists}model: {{name: video_swin_nano, load_from: none}}\nepoch: 25\n"
        f"work_dir: run\nruntime: {{seed: {seed}}}\n"
    )
    settings = [argument for value in values for argument in ("--set", value)]
    for command in (["train"], ["audit-labels", "--share", "1"]):
        arguments = [*command, "-c", str(config), *settings]
        subprocess.run(
            [sys.executable, "-m", "autox_video", *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
        )
    with (folder / "run" / "label_audit" / "suspicious.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = {row["file"] for row in rows[: round(TOP * len(rows))]}
    wrong = [row for row in rows if float(row["score"]) >= LOOKS_WRONG]
    val = [float(row["val_top1"]) for row in _metrics(folder) if row.get("val_top1")]
    found = {
        "seed": seed,
        "videos": len(rows),
        "flipped": len(flips),
        "in_first_tenth": len(first & set(flips)),
        "suggested_right": sum(
            row["suggested_label"] == flips.get(row["file"]) for row in rows if row["file"] in first
        ),
        "look_wrong": len(wrong),
        "look_wrong_and_are": sum(row["file"] in flips for row in wrong),
        "best_val_top1": max(val, default=None),
    }
    done.write_text(json.dumps(found))
    return found


def flip_labels(data: DemoData, folder: Path, seed: int, share: float) -> dict[str, str]:
    """Write lists with flipped labels; the right one of each that was flipped, by file."""
    folder.mkdir(parents=True, exist_ok=True)
    draw, flips = random.Random(f"label_audit {seed}"), {}
    for split, path in data.ann_files.items():
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        for place in draw.sample(range(len(rows)), 0 if split == "test" else round(share * len(rows))):
            file, right = rows[place]
            flips[file] = right
            rows[place][1] = draw.choice([name for name in data.classes if name != right])
        (folder / f"{split}.txt").write_text("".join(f"{file} {label}\n" for file, label in rows), encoding="utf-8")
    return flips


def table(record: dict[str, Any]) -> str:
    """A row a seed, then the mean and the worst."""
    rows = []
    for one in record["seeds"]:
        recall = one["in_first_tenth"] / one["flipped"]
        rows.append(
            [
                str(one["seed"]),
                f"{one['flipped']} of {one['videos']}",
                f"{one['in_first_tenth']} ({recall:.0%})",
                str(one["suggested_right"]),
                f"{one['look_wrong_and_are']} of {one['look_wrong']}",
                "-" if one["best_val_top1"] is None else f"{one['best_val_top1']:.2f}",
            ]
        )
    recalls = [one["in_first_tenth"] / one["flipped"] for one in record["seeds"]]
    told = f"mean {statistics.mean(recalls):.0%}, worst {min(recalls):.0%}"
    right, all_wrong = (sum(one[name] for one in record["seeds"]) for name in ("look_wrong_and_are", "look_wrong"))
    rows.append(["all", "", told, "", f"{right} of {all_wrong} ({right / max(1, all_wrong):.0%})", ""])
    head = [
        "seed",
        "flipped labels",
        "in the first tenth",
        "with the right suggestion",
        f"flipped of those that look wrong (score of {LOOKS_WRONG:g})",
        "best val top-1",
    ]
    return markdown(head, rows)


def _metrics(folder: Path) -> list[dict[str, str]]:
    with (folder / "run" / "metrics.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
