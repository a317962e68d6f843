"""A worker's own memory does not grow with the list: it is one array that the processes share."""

from __future__ import annotations

from pathlib import Path

from torch.utils.data import DataLoader

from autox_video.dataset.annotations import write_annotations
from autox_video.dataset.entries import Sample
from autox_video.runner.video_list import VideoListDataset

MIB = 1024 * 1024
# In memory, a list of so many rows takes some 50 MiB as Python objects, and 20 MiB as one array.
MANY, FEW = 100_000, 1_000


def private_bytes(batch: list) -> int:
    """Memory that this process shares with no other, once it has read some rows."""
    assert all(sample["filename"].endswith(".mp4") for sample in batch)
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def worker_memory(folder: Path, count: int) -> int:
    samples = (
        Sample(f"class_{row % 100}/a rather long name of a video {row}.mp4", row % 100, "", "") for row in range(count)
    )
    write_annotations(folder / f"{count}.txt", samples, ["pyav"] * count)
    data = VideoListDataset(str(folder / f"{count}.txt"), [], data_prefix={"video": str(folder)}, test_mode=True)
    assert len(data) == count
    loader = DataLoader(data, batch_size=FEW, num_workers=1, collate_fn=private_bytes, multiprocessing_context="fork")
    return list(loader)[-1]


def test_the_memory_of_a_worker_does_not_grow_with_the_list(tmp_path):
    few, many = worker_memory(tmp_path, FEW), worker_memory(tmp_path, MANY)
    assert many - few < 10 * MIB
