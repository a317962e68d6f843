"""What the proxy cache costs and gains: time of one core for a training clip, from the original and from its proxy.

Draws clips of 32 frames at interval 2 in turns: stock (the pipeline that `render --stock` writes) from the original,
ours from the original as in a first epoch, ours from the proxy as in a later one. Before that the proxies are written,
which is timed as well. What counts is processor time, as in `data_path.py`, whose videos these are.

    python benchmarks/proxy_cache.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from data_path import VIDEOS, ms, write_settings, write_videos
from measuring import goal, markdown, medians, turns, write_result
from moving_videos import KINDS
from stacks import render, render_stock

from autox_video.decoding import open_video
from autox_video.proxies.listing import Listing, Proxied, list_proxies
from autox_video.proxies.sizes import proxy_side
from autox_video.proxies.writing import write_proxy
from autox_video.work_dir import WorkDir

KIND_NAMES = ("720p H.264, GOP 250", "1080p H.264, GOP 250")
GOAL_RATIO, GOAL_KIND = 0.03, "1080p H.264, GOP 250"
SIDES = ("stock", "ours, original", "ours, proxy")
INPUT_SIZE = 224


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="clips of each side and kind of video")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    os.environ["OMP_NUM_THREADS"] = "1"
    files = write_videos(VIDEOS, [kind for kind in KINDS if kind.name in KIND_NAMES], None)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        clip = {"clip_len": 32, "frame_interval": 2, "input_size": INPUT_SIZE}
        place = str(Path(folder) / "runs" / "run")
        write_settings(config, files, data={"cache": "proxy"}, clip=clip, epoch=2, work_dir=place)
        sides, listing = build(config)
        results = []
        for number, (name, one) in enumerate(zip(KIND_NAMES, listing.proxied, strict=True)):
            written = write(one)
            results.append({"kind": name, **written, "seconds": draw(sides, number, arguments.repeats)})
    print(table(write_result("proxy_cache", {"results": results}, ("torch", "mmaction2", "decord", "av"))))


def build(config: Path) -> tuple[dict[str, Any], Listing]:
    """What draws a clip on each side, by its number and a seed; and the proxies."""
    from mmengine.config import Config
    from mmengine.registry import DATASETS, init_default_scope

    from autox_video.runner import components  # noqa: F401  (registers our parts)
    from autox_video.runner.draws import Draw

    work_dir = WorkDir(config.parent / "runs" / "run")
    data = {}
    for side, write_side in (("stock", render_stock), ("ours", render)):
        path = config.with_name(f"{side}.py")
        write_side(["-c", str(config)], path)
        if side == "ours":
            listing = list_proxies(work_dir, str(VIDEOS), proxy_side(INPUT_SIZE, 0.5))
        rendered = Config.fromfile(path)
        init_default_scope(rendered.default_scope)
        data[side] = DATASETS.build(rendered.train_dataloader.dataset)

    def stock(number: int, seed: int) -> Any:
        from autox_video.runner.randomness import seed_sample

        seed_sample(seed, 0, 0)
        return data["stock"][number]

    def ours(epoch: int) -> Any:
        return lambda number, seed: data["ours"][Draw(number, seed, epoch, 0)]

    return dict(zip(SIDES, (stock, ours(0), ours(1)), strict=True)), listing


def write(one: Proxied) -> dict[str, float]:
    """Write a proxy: what it takes, and how far its pictures are from the original's, shrunk."""
    began = time.process_time()
    write_proxy(one.file, Path(one.proxy), one.side)
    seconds = time.process_time() - began
    places = [one.frames // 3, one.frames // 2]
    large, small = (open_video(file, "pyav").frames(places) for file in (one.file, one.proxy))
    height, width = small.shape[1:3]
    shrunk = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in large]
    return {
        "writing_seconds": seconds,
        "frames": one.frames,
        "original_bytes": Path(one.file).stat().st_size,
        "proxy_bytes": Path(one.proxy).stat().st_size,
        "bits_a_pixel": 8 * Path(one.proxy).stat().st_size / one.frames / width / height,
        "mean_absolute_difference": float(np.abs(small.astype(int) - shrunk).mean()),
    }


def draw(sides: dict[str, Any], number: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of each clip of a video, by side."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for turn, side in turns(list(sides), repeats, warm_up=1):
        began = time.process_time()
        sample = sides[side](number, turn + 1)
        if turn >= 0:
            seconds[side].append(time.process_time() - began)
        if "without_proxy" in sample["data_samples"]:
            raise SystemExit(f"no proxy was read: {sample['data_samples'].without_proxy}")
    return seconds


def table(record: dict[str, Any]) -> str:
    """A row for each kind of video: clips of the three sides, their ratio, the goal, and what a proxy takes."""
    heads = ["video", *SIDES, "proxy / stock", "proxy / original", "goal", "writing a frame", "MB", "off by"]
    rows = []
    for one in record["results"]:
        middle = medians(one["seconds"])
        share = middle["ours, proxy"] / middle["stock"]
        rows.append(
            [
                one["kind"],
                *(ms(middle[side]) for side in SIDES),
                f"{share:.3f}",
                f"{middle['ours, proxy'] / middle['ours, original']:.3f}",
                goal(share, at_most=GOAL_RATIO) if one["kind"] == GOAL_KIND else "",
                ms(one["writing_seconds"] / one["frames"]),
                f"{one['proxy_bytes'] / 1e6:.1f} of {one['original_bytes'] / 1e6:.1f}",
                f"{one['mean_absolute_difference']:.1f} grey levels",
            ]
        )
    note = (
        f"The median of {statistics.median(len(one['seconds']['stock']) for one in record['results']):.0f} clips each."
    )
    return f"{note}\n\n{markdown(heads, rows)}"


if __name__ == "__main__":
    main()
