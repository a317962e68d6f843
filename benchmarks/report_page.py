"""How large report.html becomes and how long it takes: made-up results of many videos, real films of clips that exist.

    python benchmarks/report_page.py --clips data/demo/videos --videos 1000 --classes 150

Writes the page into a temporary work dir, or into `--output`, and prints a line. The films are drawn from the clips in
turn, each with a name of its own, so that no two are the same.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from autox_video.predictions import Prediction, Predictions
from autox_video.report.html.writing import write_report
from autox_video.report.outcome import make_outcome
from autox_video.work_dir import WorkDir


def main() -> None:
    """Make one page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="a folder of videos")
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--classes", type=int, default=150)
    parser.add_argument("--accuracy", type=float, default=0.6)
    parser.add_argument("--output", type=Path, help="a new folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.output or Path(temporary)
        results = make_outcome(made_up(arguments, root / "videos"))
        began = time.perf_counter()
        file = write_report(WorkDir(root), results)
        seconds = time.perf_counter() - began
        size = file.stat().st_size / 1e6
        wrong = sum(video.correct is False for video in results.videos)
        what = f"{arguments.videos} videos, {arguments.classes} classes, {wrong} mistakes"
        print(f"{what}: {size:.1f} MB in {seconds:.1f} s")


def made_up(arguments: argparse.Namespace, folder: Path) -> Predictions:
    """Scores as a model of such an accuracy might give them, of links to the clips."""
    folder.mkdir(parents=True)
    clips = sorted(path for path in arguments.clips.rglob("*") if path.suffix in (".mp4", ".avi", ".webm", ".mkv"))
    generator = np.random.default_rng(0)
    rows = []
    for number in range(arguments.videos):
        clip = clips[number % len(clips)]
        path = folder / f"{number:04}_{clip.name}"
        path.symlink_to(clip.absolute())
        true = int(generator.integers(arguments.classes))
        logits = generator.normal(size=arguments.classes) * 2
        right = generator.random() < arguments.accuracy
        logits[true if right else (true + generator.integers(1, 4)) % arguments.classes] += 9
        scores = np.exp(logits - logits.max())
        rows.append(Prediction(path.name, true, (scores / scores.sum()).astype(np.float32)))
    classes = tuple(f"class {number:03} of many" for number in range(arguments.classes))
    return Predictions("single_label", "made_up", classes, "best.pth", "0" * 64, 7, str(folder), 1, 1, tuple(rows))


if __name__ == "__main__":
    main()
