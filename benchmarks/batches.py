"""What a batch costs the thread that trains, between loader and network: stock's list of clips against our tensor.

The clips are ready-made, so that nothing is decoded. Time is that of the thread alone (`time.thread_time`), since the
process that makes the batches shares the cores: taking a batch over, stacking, normalising. The two alternate.

    python benchmarks/batches.py [--repeats 7] [--batches 12]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from measuring import markdown, medians, turns, write_result
from torch.utils.data import DataLoader, Dataset

from autox_video.runner.components import ClipBatchPreprocessor, stack_clips

NORMALISED = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "format_shape": "NCTHW"}
# Clips in a batch, frames, pixels.
BATCHES = ((8, 8, 112), (32, 8, 112), (8, 32, 224))


class Clips(Dataset):
    """Ready-made clips with the facts that a pipeline packs."""

    def __init__(self, count: int, frames: int, side: int) -> None:
        self.count, self.size = count, (1, 3, frames, side, side)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        from mmaction.structures import ActionDataSample

        facts = {"img_shape": self.size[-2:], "num_clips": 1, "clip_len": self.size[2], "filename": f"/v/{index}.mp4"}
        sample = ActionDataSample(metainfo=facts).set_gt_label(index % 5)
        return {"inputs": torch.full(self.size, index % 255, dtype=torch.uint8), "data_samples": sample}


def milliseconds(collate: Any, preprocessor: Any, clips: Clips, batch: int, workers: int) -> float:
    """Of the training thread for a batch."""
    loader = iter(DataLoader(clips, batch_size=batch, num_workers=workers, collate_fn=collate))
    preprocessor(next(loader), True)
    begun, count = time.thread_time(), 0
    for data in loader:
        preprocessor(data, True)
        count += 1
    return 1000 * (time.thread_time() - begun) / count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batches", type=int, default=12)
    arguments = parser.parse_args()
    from mmaction.models.data_preprocessors import ActionDataPreprocessor
    from mmengine.dataset import pseudo_collate

    torch.set_num_threads(1)
    sides = {
        "stock": (pseudo_collate, ActionDataPreprocessor(**NORMALISED)),
        "ours": (stack_clips, ClipBatchPreprocessor(**NORMALISED)),
    }
    results = []
    for batch, frames, side in BATCHES:
        clips = Clips(batch * (arguments.batches + 1), frames, side)
        for workers in (0, 1):
            times: dict[str, list[float]] = {name: [] for name in sides}
            for _, name in turns(list(sides), arguments.repeats):
                collate, preprocessor = sides[name]
                times[name].append(milliseconds(collate, preprocessor, clips, batch, workers))
            results.append({"clips": batch, "frames": frames, "side_px": side, "workers": workers} | medians(times))
    print(table(write_result("batches", {"results": results}, ("torch", "mmengine", "mmaction2"))))


def table(record: dict[str, Any]) -> str:
    """Milliseconds of the training thread for a batch."""
    rows = []
    for one in record["results"]:
        what = f"{one['clips']} clips of {one['frames']}x{one['side_px']}x{one['side_px']}, {one['workers']} worker(s)"
        cells = [f"{one[side]:.1f} ms" for side in ("ours", "stock")]
        rows.append([what, *cells, f"{one['ours'] / one['stock']:.2f}"])
    return markdown(["a batch on the training thread", "ours", "stock", "ours / stock"], rows)


if __name__ == "__main__":
    main()
