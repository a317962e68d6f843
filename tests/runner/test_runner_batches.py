from __future__ import annotations

from multiprocessing.reduction import ForkingPickler

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader, Dataset

from autox_video.runner import components  # noqa: F401  (before MMAction2, which it makes importable)
from autox_video.runner.batches import ClipBatchPreprocessor, Samples, stack_clips

from mmaction.models.data_preprocessors import ActionDataPreprocessor  # isort: skip
from mmaction.structures import ActionDataSample  # isort: skip

NORMALISED = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "format_shape": "NCTHW"}
MIXUP = {"type": "MixupBlending", "num_classes": 5, "alpha": 0.8}


class Clips(Dataset):
    """Four videos of noise, of `views` clips each."""

    def __init__(self, views: int = 1, sides: tuple[int, ...] = (16, 16, 16, 16), label=lambda index: [index]) -> None:
        self.views, self.sides, self.label = views, sides, label

    def __len__(self) -> int:
        return len(self.sides)

    def __getitem__(self, index: int) -> dict:
        size = (self.views, 3, 4, self.sides[index], 16)
        clips = torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(index))
        metainfo = {"filename": f"/videos/{index}.mp4", "replaced": (("/videos/x.mp4", "is gone"),)}
        sample = ActionDataSample(metainfo=metainfo).set_gt_label(self.label(index))
        return {"inputs": clips, "data_samples": sample}


def batch_of(data: Dataset, collate, workers: int = 0, **loading) -> dict:
    return next(iter(DataLoader(data, batch_size=len(data), num_workers=workers, collate_fn=collate, **loading)))


def labels(samples: list) -> list:
    return [(type(sample), sample.gt_label.tolist(), sample.gt_label.dtype, sample.metainfo) for sample in samples]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "data",
    [
        Clips(),
        Clips(views=3),
        Clips(sides=(16, 12, 16, 8)),
        Clips(label=lambda index: torch.eye(5)[index]),
    ],
    ids=["one_view", "views", "sides_differ", "several_labels"],
)
@pytest.mark.parametrize(
    "given",
    [
        NORMALISED,
        {"format_shape": "NCTHW"},
        {"format_shape": "NCTHW", "to_float32": False},
        {**NORMALISED, "to_rgb": True},
    ],
    ids=["normalised", "float", "bytes", "to_rgb"],
)
def test_the_network_gets_what_stock_gives_it(data, given, training):
    stock = ActionDataPreprocessor(**given)(batch_of(data, pseudo_collate), training)
    ours = ClipBatchPreprocessor(**given)(batch_of(data, stack_clips), training)
    assert ours["inputs"].dtype == stock["inputs"].dtype
    assert torch.equal(ours["inputs"], stock["inputs"])
    assert labels(ours["data_samples"]) == labels(stock["data_samples"])


def test_blending_mixes_as_stock_does():
    results = []
    for collate, kind in ((pseudo_collate, ActionDataPreprocessor), (stack_clips, ClipBatchPreprocessor)):
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope("mmaction"):
            preprocessor = kind(**NORMALISED, blending=dict(MIXUP))
        results.append(preprocessor(batch_of(Clips(), collate), training=True))
    assert torch.equal(results[0]["inputs"], results[1]["inputs"])
    assert labels(results[0]["data_samples"]) == labels(results[1]["data_samples"])


def test_a_batch_comes_from_another_process_in_one_piece_of_shared_memory():
    here, there = batch_of(Clips(), stack_clips), batch_of(Clips(), stack_clips, workers=1)
    assert (there["inputs"].shape, there["inputs"].is_contiguous()) == ((4, 1, 3, 4, 16, 16), True)
    assert (there["inputs"].is_shared(), here["inputs"].is_shared()) == (True, False)
    assert torch.equal(here["inputs"], there["inputs"])
    assert labels(there["data_samples"]) == labels(here["data_samples"])
    assert type(there["data_samples"]) is Samples
    assert b"rebuild_tensor" in bytes(ForkingPickler.dumps(there["inputs"]))
    assert b"rebuild_tensor" not in bytes(ForkingPickler.dumps(there["data_samples"]))


def test_data_samples_of_other_kinds_arrive_as_they_are():
    class WithScores(Clips):
        def __getitem__(self, index: int) -> dict:
            packed = super().__getitem__(index)
            packed["data_samples"].set_field(torch.ones(2), "scores")
            return packed

    arrived = batch_of(WithScores(), stack_clips, workers=1)["data_samples"]
    assert [sample.scores.tolist() for sample in arrived] == [[1.0, 1.0]] * 4


@pytest.mark.gpu
def test_a_batch_is_pinned_and_copied_to_the_gpu_at_once():
    batch = batch_of(Clips(), stack_clips, workers=1, pin_memory=True)
    assert batch["inputs"].is_pinned()
    on_cpu, on_gpu = ClipBatchPreprocessor(**NORMALISED), ClipBatchPreprocessor(**NORMALISED).cuda()
    assert torch.allclose(on_gpu(batch)["inputs"].cpu(), on_cpu(batch)["inputs"])
