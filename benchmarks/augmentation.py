"""What varying the pixels of a clip costs, beside decoding it, and what torchvision's transforms take for the same.

Clips are decoded, cropped, resized and put together as in a training, on one core; then their pixels are changed, with
draws of their own each time. The peer are torchvision's `v2.ColorJitter` and `v2.RandAugment`, which take the bytes of
a whole clip as ours do, at the same strengths. All sides alternate.

    python benchmarks/augmentation.py [--repeats 40]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from measuring import markdown, turns, write_result
from mmengine.registry import TRANSFORMS, DefaultScope
from moving_videos import KINDS, write_kind
from torchvision.transforms import v2

from autox_video.plan.rules.augmentation import ALL_OPS
from autox_video.runner import components  # noqa: F401  (registers our transforms)

# A video, the frames of a clip, their interval, their side.
CASES = (("340x256 H.264, GOP 250", 8, 4, 112), ("340x256 H.264, GOP 250", 32, 2, 224))
JITTER, MAGNITUDE = 0.4, 7
# torchvision counts magnitudes up to 30.
BINS = 31
CHANGES = ("color jitter", "RandAugment", "random erasing")


def decoding(video: Path, frames: int, interval: int, side: int) -> Callable[[], dict[str, Any]]:
    """What makes a clip of it, as far as `FormatClips`."""
    sample = {"type": "SampleFrames", "clip_len": frames, "frame_interval": interval, "num_clips": 1}
    crop = {"type": "RandomResizedCrop", "area_range": (0.08, 1.0), "lazy": True}
    resize = {"type": "Resize", "scale": (side, side), "keep_ratio": False, "lazy": True}
    steps = [{"type": "VideoOpen"}, sample, crop, resize, {"type": "VideoDecode"}]
    made = [TRANSFORMS.build(step) for step in steps]

    def decode() -> dict[str, Any]:
        results: Any = {"filename": str(video), "decoder": "pyav"}
        for step in made:
            results = step(results)
        return dict(results)

    return decode


def changes(clip: dict[str, Any]) -> dict[tuple[str, str], Callable[[], Any]]:
    """Each change of a decoded clip, ours and torchvision's."""
    erase = {"type": "RandomErasing", "erase_prob": 1.0, "fill_color": (124, 116, 104)}
    ours = [{"type": "ClipColorJitter", "strength": JITTER}, {"type": "ClipRandAugment", "magnitude": MAGNITUDE}]
    ours[1]["ops"] = ALL_OPS
    peers = [v2.ColorJitter(JITTER, JITTER, JITTER), v2.RandAugment(2, MAGNITUDE * (BINS - 1) // 10, BINS)]
    frames = torch.from_numpy(np.stack(clip["imgs"])).permute(0, 3, 1, 2).contiguous()
    sides: dict[tuple[str, str], Callable[[], Any]] = {}
    for name, step, peer in zip(CHANGES, [*ours, erase], [*peers, None], strict=True):
        transform = TRANSFORMS.build(step)
        sides[name, "ours"] = lambda transform=transform: transform(dict(clip))
        if peer is not None:
            sides[name, "torchvision"] = lambda peer=peer: peer(frames)
    return sides


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=40)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    results = []
    kinds = {kind.name: kind for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder, DefaultScope.overwrite_default_scope("mmaction"):
        for name, frames, interval, side in CASES:
            video = Path(folder) / "video.mp4"
            write_kind(video, kinds[name])
            decode = decoding(video, frames, interval, side)
            sides: dict[tuple[str, str], Callable[[], Any]] = {("decoding", "ours"): decode, **changes(decode())}
            seconds: dict[Any, list[float]] = {key: [] for key in sides}
            for number, key in turns(list(sides), arguments.repeats, warm_up=2):  # type: ignore[arg-type]
                begun = time.perf_counter()
                sides[key]()  # type: ignore[index]
                if number >= 0:
                    seconds[key].append(1000 * (time.perf_counter() - begun))
            # The means: some draws of RandAugment cost nothing and some much, and a training makes them all.
            found = {f"{what}, {whose}": sum(values) / len(values) for (what, whose), values in seconds.items()}
            results.append({"video": name, "frames": frames, "side_px": side, "milliseconds": found})
    print(table(write_result("augmentation", {"results": results}, ("torch", "torchvision", "opencv-python"))))


def table(record: dict[str, Any]) -> str:
    """Milliseconds of one core for a clip."""
    rows = []
    for one in record["results"]:
        found = one["milliseconds"]
        what = f"{one['frames']}x{one['side_px']}x{one['side_px']} of {one['video']}"
        for change in CHANGES:
            peer = found.get(f"{change}, torchvision")
            times = "" if peer is None else f"{peer:.1f} ms"
            share = found[f"{change}, ours"] / found["decoding, ours"]
            decoded = f"{found['decoding, ours']:.1f} ms"
            rows.append([what, change, f"{found[f'{change}, ours']:.2f} ms", times, decoded, f"{share:.1%}"])
    return markdown(["a clip", "change", "ours", "torchvision", "decoding it", "ours / decoding"], rows)


if __name__ == "__main__":
    main()
