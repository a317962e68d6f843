"""What a clip costs before the network sees it: time of one core by stage and kind of video, ours against stock.

Stock is the pipeline that `render --stock` writes: MMAction2's own transforms, which read the whole file into memory.
Ours is that of `render`. Both go through their data sets in one process that is held to one core, in turns, with the
same random numbers: both must ask for the same frames. What counts is processor time, which other work on the machine
hardly changes. The videos are made once and kept in `data/benchmark_videos`.

    python benchmarks/data_path.py [--repeats 3] [--kinds 1080p ...] [--source VIDEO]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from measuring import ROOT, goal, markdown, turns, write_result
from moving_videos import KINDS, Kind, write_kind
from stacks import render, render_stock

VIDEOS = ROOT / "data" / "benchmark_videos"
STAGES = ("open", "decode", "geometry", "pack")
GOAL_SHARE, GOAL_CASE = 0.5, ("train, 32 frames at interval 2", "1080p H.264, GOP 250")
CASES = {
    "dense": {"clip_len": 32, "frame_interval": 2},
    "sparse": {"clip_len": 8, "frame_interval": 37},
}
# Which pipeline of which case, and what the tables call it.
PIPELINES = {
    "train, 32 frames at interval 2": ("dense", "train"),
    "train, 8 frames over the whole video": ("sparse", "train"),
    "test, 4 clips of 32 x 3 crops": ("dense", "test"),
}


@dataclass
class Timed:
    """A data set whose transforms are timed.

    Attributes:
        dataset: As MMEngine built it.
        seconds: Of each stage, of the last sample.
        asked: The frames that the last sample asked for.
    """

    dataset: Any
    seconds: dict[str, float] = field(default_factory=dict)
    asked: Any = None

    def __post_init__(self) -> None:
        transforms = self.dataset.pipeline.transforms
        stage = STAGES[0]
        for number, transform in enumerate(transforms):
            name = type(transform).__name__
            transforms[number] = self._timed(transform, stage := _stage(name, after=stage))

    def _timed(self, transform: Any, stage: str) -> Any:
        def run(results: dict[str, Any]) -> Any:
            began = time.process_time()
            found = transform(results)
            self.seconds[stage] += time.process_time() - began
            if stage == "open" and "frame_inds" in found:
                self.asked = np.array(found["frame_inds"])
            return found

        return run

    def sample(self, number: int, seed: int) -> tuple[dict[str, float], np.ndarray]:
        """Seconds of each stage and of the whole of a sample, and its clips."""
        random.seed(seed)
        np.random.seed(seed)
        self.seconds = dict.fromkeys(STAGES, 0.0)
        began = time.process_time()
        clips = self.dataset[number]["inputs"]
        return {**self.seconds, "total": time.process_time() - began}, clips.numpy()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=[""], help="only kinds whose names contain one of these")
    parser.add_argument("--source", type=Path, help="show the frames of this video instead of generated ones")
    arguments = parser.parse_args()
    kinds = [kind for kind in KINDS if any(words in kind.name for words in arguments.kinds)]
    # One core: children and threads of decoders are held to it too.
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    os.environ["OMP_NUM_THREADS"] = "1"
    files = write_videos(VIDEOS, kinds, arguments.source)
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        for title, (case, split) in PIPELINES.items():
            sides = build(Path(temporary), case, split, files)
            for number, kind in enumerate(kinds):
                found = measure(sides, number, arguments.repeats)
                results.append({"pipeline": title, "kind": kind.name, **found})
                medians = {side: statistics.median(found["seconds"][side]["total"]) for side in sides}
                print(
                    f"{title:37}  {kind.name:24}", *(f"{side} {ms(one)}" for side, one in medians.items()), flush=True
                )
    figures = {"source": str(arguments.source or "generated"), "results": results}
    print(table(write_result("data_path", figures, ("torch", "mmaction2", "decord", "av", "opencv-python"))))


def _stage(transform: str, after: str) -> str:
    """The stage of a transform by its name; what comes between decoding and packing is geometry."""
    if "Decode" in transform:
        return "decode"
    if "Format" in transform or "Pack" in transform:
        return "pack"
    return "open" if after == "open" else "geometry"


def write_videos(folder: Path, kinds: list[Kind], source: Path | None) -> list[Path]:
    """The videos of all kinds, and beside them small ones that only make splits of val and test."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for kind in [*kinds, *(Kind(f"filler {number}", 64, 64, 12, 1, "mpeg4", "avi") for number in range(4))]:
        words = f"{kind.name} {source.stem}" if source else kind.name
        path = folder / f"{words.replace(', ', '_').replace(' ', '_')}.{kind.ending}"
        if not path.is_file():
            print(f"writing {path.relative_to(ROOT)}", flush=True)
            write_kind(path.with_suffix(".part." + kind.ending), kind, source, seed=len(files))
            os.replace(path.with_suffix(".part." + kind.ending), path)
        files.append(path)
    return files


def write_settings(path: Path, files: list[Path], **more: Any) -> None:
    """A config.yaml over the videos of all kinds, and its lists; the small ones beside them only make val and test."""
    lists = {"train": files[:-4], "val": files[-4:-2], "test": files[-2:]}
    for name, paths in lists.items():
        lines = [f"{video.name} {label}\n" for label, video in zip("ab" * len(paths), paths, strict=False)]
        (path.parent / f"{name}.txt").write_text("".join(lines))
    settings = {
        "data_root": str(VIDEOS),
        **{f"ann_file_{name}": str(path.parent / f"{name}.txt") for name in lists},
        "classes": ["a", "b"],
        "model": {"name": "video_swin_tiny", "load_from": "none"},
        "epoch": 1,
    }
    path.write_text(json.dumps(settings | more))


def build(folder: Path, case: str, split: str, files: list[Path]) -> dict[str, Timed]:
    """The data sets of a case, ours and stock, over the same list of videos."""
    from mmengine.config import Config
    from mmengine.registry import DATASETS, init_default_scope

    from autox_video.runner import components  # noqa: F401  (registers our parts)

    settings = folder / f"{case}.yaml"
    clip = {**CASES[case], "input_size": 224}
    write_settings(settings, files, clip=clip, test={"num_clips": 4, "num_crops": 3}, work_dir=str(folder / case))
    sides = {}
    for side, write in (("ours", render), ("stock", render_stock)):
        path = folder / f"{case}_{side}.py"
        if not path.is_file():
            write(["-c", str(settings)], path)
        config = Config.fromfile(path)
        init_default_scope(config.default_scope)
        dataset = config[f"{split}_dataloader"]["dataset"]
        sides[side] = Timed(DATASETS.build({**dataset, "ann_file": config["train_dataloader"]["dataset"]["ann_file"]}))
    return sides


def measure(sides: dict[str, Timed], number: int, repeats: int) -> dict[str, Any]:
    """Seconds of each side by stage, and how far their clips differ.

    Raises:
        SystemExit: They asked for different frames.
    """
    seconds: dict[str, dict[str, list[float]]] = {side: {stage: [] for stage in (*STAGES, "total")} for side in sides}
    differences = []
    clips: dict[str, np.ndarray] = {}
    for turn, side in turns(list(sides), repeats, warm_up=1):
        found, clips[side] = sides[side].sample(number, seed=turn + 1)
        if len(clips) == len(sides):
            if not np.array_equal(sides["ours"].asked, sides["stock"].asked):
                raise SystemExit(f"ours asked for frames {sides['ours'].asked}, stock for {sides['stock'].asked}")
            differences.append(float(np.abs(clips["ours"].astype(np.int16) - clips["stock"]).mean()))
            clips.clear()
        if turn >= 0:
            for stage, value in found.items():
                seconds[side][stage].append(value)
    return {"seconds": seconds, "mean_absolute_difference": statistics.median(differences)}


def ms(seconds: float) -> str:
    """Milliseconds, with a digit after the point where there are few."""
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e3:.1f} ms"


def table(record: dict[str, Any]) -> str:
    """A table for each pipeline: the stages of both sides, the ratio, the goal where there is one, and what is left."""
    heads = ["video", *(f"{stage}, ours / stock" for stage in STAGES), "a clip, ours", "stock", "ours / stock", "goal"]
    parts = []
    for title in dict.fromkeys(one["pipeline"] for one in record["results"]):
        rows = []
        for one in (one for one in record["results"] if one["pipeline"] == title):
            middle = {
                side: {stage: statistics.median(found) for stage, found in stages.items()}
                for side, stages in one["seconds"].items()
            }
            ours, stock = middle["ours"], middle["stock"]
            share = ours["total"] / stock["total"]
            aim = goal(share, at_most=GOAL_SHARE) if (title, one["kind"]) == GOAL_CASE else ""
            cells = [f"{ours[stage] * 1e3:.1f} / {stock[stage] * 1e3:.1f}" for stage in STAGES]
            rows.append([one["kind"], *cells, ms(ours["total"]), ms(stock["total"]), f"{share:.2f}", aim])
        parts.append(f"{title[0].upper()}{title[1:]}:\n\n{markdown(heads, rows)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
