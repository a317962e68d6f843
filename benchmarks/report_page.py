"""How large report.html becomes, and how long it takes: made-up results, films of videos that exist.

    python benchmarks/report_page.py --clips data/demo/videos

Each video has a name of its own, so that no two films are the same. `--output` keeps the pages.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from measuring import write_result

from autox_video.predictions import Prediction, Predictions
from autox_video.report.html.writing import write_report
from autox_video.report.outcome import make_outcome
from autox_video.work_dir import WorkDir

# Test videos and classes.
SIZES = ((100, 10), (1000, 150), (5000, 150))
ACCURACY = 0.6


def main() -> None:
    """Make the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="a folder of videos")
    parser.add_argument("--output", type=Path, help="a new folder")
    arguments = parser.parse_args()
    pages = []
    with tempfile.TemporaryDirectory() as temporary:
        for videos, classes in SIZES:
            root = (arguments.output or Path(temporary)) / f"{videos}_{classes}"
            results = make_outcome(made_up(arguments.clips, root / "videos", videos, classes))
            began = time.perf_counter()
            file = write_report(WorkDir(root), results)
            seconds = time.perf_counter() - began
            wrong = sum(video.correct is False for video in results.videos)
            figures = {"mistakes": wrong, "megabytes": file.stat().st_size / 1e6, "seconds": seconds}
            pages.append({"videos": videos, "classes": classes, **figures})
    print(table(write_result("report_page", {"pages": pages}, ("numpy", "av", "plotly"))))


def table(record: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| test videos | classes | mistakes | page | takes |", "|---|---|---|---|---|"]
    for page in record["pages"]:
        counts = f"{page['videos']} | {page['classes']} | {page['mistakes']}"
        lines.append(f"| {counts} | {page['megabytes']:.1f} MB | {page['seconds']:.1f} s |")
    return "\n".join([*lines, "| goal for 1000 |  |  | 20 MB |  |"])


def made_up(source: Path, folder: Path, num_videos: int, num_classes: int) -> Predictions:
    """Scores as a model of such an accuracy might give them, of links to the clips."""
    folder.mkdir(parents=True)
    clips = sorted(path for path in source.rglob("*") if path.suffix in (".mp4", ".avi", ".webm", ".mkv"))
    generator = np.random.default_rng(0)
    rows = []
    for number in range(num_videos):
        clip = clips[number % len(clips)]
        path = folder / f"{number:04}_{clip.name}"
        path.symlink_to(clip.absolute())
        true = int(generator.integers(num_classes))
        logits = generator.normal(size=num_classes) * 2
        right = generator.random() < ACCURACY
        logits[true if right else (true + generator.integers(1, 4)) % num_classes] += 9
        scores = np.exp(logits - logits.max())
        rows.append(Prediction(path.name, true, (scores / scores.sum()).astype(np.float32)))
    classes = tuple(f"class {number:03} of many" for number in range(num_classes))
    return Predictions("single_label", "made_up", classes, "best.pth", "0" * 64, 7, str(folder), 1, 1, tuple(rows))


if __name__ == "__main__":
    main()
