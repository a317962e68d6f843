"""What the proxy cache costs and gains at 1080p: milliseconds of one core for a training clip, stock and ours.

Makes videos of moving texture in 1080p with key frames far apart, renders one run twice (ours and `--stock`), writes
the proxies, and draws clips of 32 frames at interval 2 in turn: stock from the original, ours from the original, ours
from the proxy. The figures are medians; all run in one process on one core. It takes one to two minutes.

    python benchmarks/proxy_cache.py [--repeats 12]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from measuring import goal, markdown, write_result
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from autox_video import workflow
from autox_video.dataset.stock_lists import write_stock_list
from autox_video.decoding import open_video
from autox_video.plan.rules.cache import side_for
from autox_video.presets import load_preset
from autox_video.proxies.listing import Listing, list_proxies
from autox_video.proxies.writing import write_proxy
from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401  (registers our parts)
from autox_video.runner.draws import Draw
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir

GOAL = 0.03
WIDTH, HEIGHT, FPS, FRAMES, GOP, NUM_VIDEOS = 1920, 1080, 25, 200, 250, 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=12, help="clips of each kind")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        record = measure(Path(folder), arguments.repeats)
    print(table(write_result("proxy_cache", record, ("av", "decord", "mmaction2", "torch"))))


def table(record: dict[str, Any]) -> str:
    """A clip of training from a proxy and from the original, beside stock, and what the proxy costs."""
    stock, writing = record["median"]["stock"], record["writing"]
    rows = []
    for name, milliseconds in record["median"].items():
        share = milliseconds / stock
        aim = goal(share, at_most=GOAL) if name == "ours, proxy" else ""
        rows.append([name, f"{milliseconds:.1f} ms", f"{share:.3f}", aim])
    cost = "{seconds_per_video:.1f} s and {megabytes:.2f} MB for {frames} frames".format(**writing)
    rows.append(["writing a proxy", cost, "", ""])
    for what, levels in record["difference"].items():
        rows.append([f"{what} of a proxy differ by", f"{levels:.2f} grey levels on average", "", ""])
    return markdown(["a clip of 32 frames at interval 2, 1080p", "measured", "share of stock", "goal"], rows)


def measure(folder: Path, repeats: int) -> dict[str, Any]:
    """All figures, as they go into the results."""
    for number in range(NUM_VIDEOS):
        write_video(folder / "videos" / ("ab"[number % 2]) / f"{number}.mp4", seed=number)
    ours, stock, listing = render(folder)
    seconds, sizes = [], []
    for one in listing.proxied:
        started = time.process_time()
        write_proxy(one.file, Path(one.proxy), one.side)
        seconds.append(time.process_time() - started)
        sizes.append(Path(one.proxy).stat().st_size / 1e6)
    times = draw(ours, stock, repeats)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "milliseconds": times,
        "median": medians,
        "ratio": medians["ours, proxy"] / medians["stock"],
        "of_ours": medians["ours, proxy"] / medians["ours, original"],
        "goal": GOAL,
        "writing": {
            "seconds_per_video": statistics.median(seconds),
            "megabytes": statistics.median(sizes),
            "bits_per_pixel": 8e6 * sum(sizes) / sum(pixels(one.proxy) for one in listing.proxied),
            "frames": FRAMES,
        },
        "difference": {"pictures": of_pictures(listing), "clips": of_clips(ours)},
    }


def write_video(path: Path, seed: int) -> None:
    """Texture that moves under a little grain, as a camera sees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    texture = np.full((HEIGHT + 400, WIDTH + 400, 3), 128.0, np.float32)
    # The fine parts are grey: so is most of what a camera sees, and a proxy has a colour for four pixels.
    for cells, height, colours in ((12, 60, 3), (60, 30, 1), (300, 15, 1)):
        noise = rng.normal(0, height, (cells, cells, colours)).astype(np.float32)
        layer = cv2.resize(noise, (WIDTH + 400, HEIGHT + 400), interpolation=cv2.INTER_CUBIC)
        texture += layer.reshape(*layer.shape[:2], colours)
    grain = rng.normal(0, 3, (8, HEIGHT, WIDTH, 1)).astype(np.float32)
    options = {"preset": "veryfast", "crf": "23", "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0"}
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(FRAMES):
            x, y = 2 * index % 400, index % 400
            picture = texture[y : y + HEIGHT, x : x + WIDTH] + grain[index % len(grain)]
            frame = av.VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def render(folder: Path) -> tuple[Config, Config, Listing]:
    """The configs of ours and of stock for one run, and its proxies."""
    config = folder / "config.yaml"
    config.write_text(
        "data_root: videos\nwork_dir: run\non_bad_video: stop\nmodel: {name: video_swin_tiny, load_from: none}\n"
        "clip: {clip_len: 32, frame_interval: 2, input_size: 224}\ndata: {cache: proxy, group_pattern: none}\n"
        "runtime: {device: cpu, workers: 0}\nann_file_train: list.txt\nann_file_val: list.txt\n"
    )
    files = sorted((folder / "videos").rglob("*.mp4"))
    lines = [f"{file.relative_to(folder / 'videos')} {file.parent.name}\n" for file in files]
    (folder / "list.txt").write_text("".join(lines))
    settings = load_settings(config)
    plan, work_dir = workflow.plan(settings), WorkDir(settings.work_dir)
    preset = load_preset(plan.model.value)
    for file in plan.ann_files.values():
        write_stock_list(Path(file), plan.data_root, work_dir.probe_cache)
    ours, stock = (render_config(plan, preset, work_dir.root, stock=is_stock) for is_stock in (False, True))
    return ours, stock, list_proxies(work_dir, plan.data_root, side_for(plan))


def build(config: Config, split: str) -> Any:
    with DefaultScope.overwrite_default_scope("mmaction"):
        return DATASETS.build(config[f"{split}_dataloader"].dataset)


def draw(ours: Config, stock: Config, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each clip, drawn in turn; the first of each kind only warms the caches."""
    data, of_stock = build(ours, "train"), build(stock, "train")
    kinds = {
        "stock": lambda number: of_stock[number % NUM_VIDEOS],
        # The first epoch reads originals.
        "ours, original": lambda number: data[Draw(number % NUM_VIDEOS, 0, 0, number)],
        "ours, proxy": lambda number: data[Draw(number % NUM_VIDEOS, 0, 1, number)],
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(repeats + 1):
        for name, read in kinds.items():
            started = time.perf_counter()
            sample = read(number)
            if number:
                times[name].append(1e3 * (time.perf_counter() - started))
            assert "without_proxy" not in sample["data_samples"]
    return times


def of_pictures(listing: Listing) -> float:
    """Mean absolute difference in grey levels of a proxy's pictures and the original's, shrunk by areas."""
    found = []
    for one in listing.proxied:
        large, small = (open_video(file, "pyav").frames([FRAMES // 3, FRAMES // 2]) for file in (one.file, one.proxy))
        height, width = small.shape[1:3]
        shrunk = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in large]
        found.append(float(np.abs(small.astype(int) - shrunk).mean()))
    return statistics.mean(found)


def of_clips(ours: Config) -> float:
    """The same of what the network sees in a validation; the original is resized as the pipeline does it."""
    from_proxy = build(ours, "val")
    ours = ours.copy()
    del ours.val_dataloader.dataset["proxies"]
    from_original = build(ours, "val")
    pairs = [(from_proxy[number]["inputs"], from_original[number]["inputs"]) for number in range(NUM_VIDEOS)]
    return statistics.mean(float((one.float() - other.float()).abs().mean()) for one, other in pairs)


def pixels(file: str) -> int:
    video = open_video(file, "pyav")
    return video.num_frames * int(np.prod(video.frames([0]).shape[1:3]))


if __name__ == "__main__":
    main()
