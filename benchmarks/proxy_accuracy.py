"""What proxies do to accuracy: the demo enlarged to 1080 pixels, trained with and without, tested on the originals.

Each seed trains twice, in turn, by the command line; the first epoch reads originals in both. As it is called below it
takes about half an hour of a quiet core, most of it for training without proxies.

    python benchmarks/proxy_accuracy.py [--seeds 2] [--epochs 20] [--share 0.5]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import cv2
from measuring import ROOT, markdown, write_result

from autox_video.demo_data import DemoData, write_demo_data

SIDE_PX = 1080


def main() -> None:
    """Train, test and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--share", type=float, default=0.5, help="of the demo's videos of train and val")
    arguments = parser.parse_args()
    top1: dict[str, list[float]] = {"off": [], "proxy": []}
    seconds: dict[str, list[float]] = {"off": [], "proxy": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = enlarge(write_demo_data(folder / "demo"), folder, arguments.share)
        for seed in range(arguments.seeds):
            for cache, figures in top1.items():
                started = time.perf_counter()
                figures.append(train(config, folder / f"{cache}{seed}" / "run", cache, seed, arguments.epochs))
                seconds[cache].append(time.perf_counter() - started)
                print(
                    f"seed {seed}, cache {cache:5}: top-1 {figures[-1]:.4f} after {seconds[cache][-1]:.0f} s",
                    flush=True,
                )
    figures = {"top1": top1, "seconds": seconds, "arguments": vars(arguments)}
    print(table(write_result("proxy_accuracy", figures, ("av", "mmaction2", "torch"))))


def table(record: dict[str, Any]) -> str:
    """Accuracy on the originals, of each seed and in the mean."""
    names = {"off": "trained on originals", "proxy": "trained on proxies"}
    rows = [
        [names[cache], ", ".join(f"{one:.4f}" for one in found), f"{statistics.mean(found):.4f}"]
        for cache, found in record["top1"].items()
    ]
    return markdown(["the demo at 1080 pixels", "top1 of each seed, on the originals", "mean"], rows)


def enlarge(demo: DemoData, folder: Path, share: float) -> Path:
    """The demo's videos with a side of 1080 pixels, and a config.yaml for them."""
    lines = {split: file.read_text().splitlines() for split, file in demo.ann_files.items()}
    # The lists go class by class.
    step = max(1, round(1 / share))
    lines |= {split: lines[split][::step] for split in ("train", "val")}
    (folder / "large").mkdir()
    for split, rows in lines.items():
        (folder / f"{split}.txt").write_text("".join(f"{row}\n" for row in rows))
        for row in rows:
            enlarge_video(demo.data_root / row.split()[0], folder / "large" / row.split()[0])
    config = folder / "config.yaml"
    config.write_text(
        "data_root: large\nann_file_train: train.txt\nann_file_val: val.txt\nann_file_test: test.txt\n"
        "model: {name: video_swin_nano, load_from: none}\nclip: {input_size: 64}\n"
    )
    return config


def enlarge_video(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as video, av.open(str(target), "w") as output:
        options = {"preset": "superfast", "crf": "20", "x264-params": "keyint=250:scenecut=0"}
        stream: Any = output.add_stream("libx264", rate=video.streams.video[0].average_rate, options=options)
        stream.width, stream.height, stream.pix_fmt = SIDE_PX, SIDE_PX, "yuv420p"
        for frame in video.decode(video=0):
            picture = cv2.resize(frame.to_ndarray(format="rgb24"), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))


def train(config: Path, work_dir: Path, cache: str, seed: int, epochs: int) -> float:
    """Train and test; top-1 on the originals of the test videos."""
    results = work_dir / "results.json"
    values = [f"data.cache={cache}", f"runtime.seed={seed}", f"epoch={epochs}", f"test_results_path={results}"]
    settings = [argument for value in values for argument in ("--set", value)]
    for command in ("train", "test"):
        arguments = [command, "-c", str(config), "--work-dir", str(work_dir), *settings]
        subprocess.run(
            [sys.executable, "-m", "autox_video", *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
        )
    return float(json.loads(results.read_text())["metrics"]["top1"])


if __name__ == "__main__":
    main()
