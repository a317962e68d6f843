"""Batches: made whole in the process that decodes, so that the one that trains only sends them to the device.

MMEngine's collate hands over a list of clips, each in shared memory of its own with a file descriptor; MMAction2
stacks them and sends every label to the device by itself, on the thread that trains. Here a batch is one tensor,
which can be pinned and copied at once, and the labels travel as plain numbers. The values are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import FUNCTIONS
from torch.utils.data import default_collate


class Samples(list[Any]):
    """The data samples of a batch, which pass from one process to another without a descriptor for each label."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _samples, ([(sample.metainfo, sample.gt_label.numpy()) for sample in self],)


def _samples(parts: Sequence[tuple[dict[str, Any], np.ndarray]]) -> Samples:
    return Samples(
        ActionDataSample(gt_label=torch.from_numpy(label.copy()), metainfo=metainfo) for metainfo, label in parts
    )


@FUNCTIONS.register_module()
def stack_clips(samples: Sequence[Mapping[str, Any] | list[Mapping[str, Any]]]) -> dict[str, Any]:
    """Make a batch of what the pipeline packed.

    Args:
        samples: Each with `inputs`, the clips of a video, shape (M, C, T, H, W), or their frames, shape (M, C, H, W),
            and `data_samples`; or a list of such, the views of one decoding.

    Returns:
        The same keys: `inputs` of shape (N, M, C, T, H, W) or (N, M, C, H, W), in one piece of shared memory where
        another process is to have it, or a list where videos differ in shape; `data_samples`, a list.
    """
    views = [view for sample in samples for view in (sample if isinstance(sample, list) else [sample])]
    inputs = [view["inputs"] for view in views]
    described = [view["data_samples"] for view in views]
    plain = all(type(sample) is ActionDataSample and sample.keys() == ["gt_label"] for sample in described)
    alike = len({clips.shape for clips in inputs}) == 1
    return {
        "inputs": default_collate(inputs) if alike else inputs,
        "data_samples": Samples(described) if plain else described,
    }


@MODELS.register_module()
class ClipBatchPreprocessor(ActionDataPreprocessor):
    """MMAction2's normalisation, for a batch that is already one tensor; of others it does what MMAction2 does.

    The copy to the device does not wait for it, and data samples stay where they are: the head sends the labels of a
    batch together.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> Any:
        """Send a batch to the device and normalise it.

        Args:
            data: As `stack_clips` gives it.
            training: Whether `blending` applies.
        """
        if self.to_rgb or not isinstance(data["inputs"], torch.Tensor):
            return super().forward({**data, "inputs": list(data["inputs"])}, training)
        batch = data["inputs"].to(self.device, non_blocking=True)
        if self._enable_normalize:
            # A new tensor, which is then changed in place: the same figures, without a third one of this size.
            batch = (batch - self.mean).div_(self.std)
        elif self.to_float32:
            batch = batch.to(torch.float32)
        described = data["data_samples"]
        if training and self.blending is not None:
            batch, described = self.blending(batch, described)
        return {**data, "inputs": batch, "data_samples": described}
