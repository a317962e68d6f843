"""How sure the network was of each training label while it learned it, for `autox-video audit-labels`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

from autox_video.runner.checkpoints.reading import load_checkpoint_file
from autox_video.runner.checkpoints.record import RECORD_KEY

# Of a training sample's metainfo: its place in the list.
PLACE = "place"


@HOOKS.register_module()
class MarginsHook(Hook):
    """Adds up the margin of each training video: the probability of its label less that of the likeliest other class.

    A network that has learned a wrong label by heart was unsure of it on the way there (G. Pleiss and others,
    Identifying Mislabeled Data using the Area Under the Margin Ranking, 2020). The sums stand in every checkpoint and
    are those of its last step: a run that goes on has those of an uninterrupted one.
    """

    def __init__(self) -> None:
        self._sums = self._counts = torch.zeros(0)
        self._pending: list[tuple[int, float]] = []
        self._most = 0
        self._logits: Any = None
        self._listening: Any = None

    def state_dict(self) -> dict[str, Any]:
        """Sums and how many margins they are of, one a video of the list."""
        return {"sums": self._sums, "counts": self._counts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._sums, self._counts = state["sums"].clone(), state["counts"].clone()

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Listen to the head."""
        loader = runner.train_dataloader
        number = len(loader.dataset)
        if len(self._sums) != number:
            self._sums, self._counts = torch.zeros(number, dtype=torch.float64), torch.zeros(number, dtype=torch.int32)
        # A draw may be several views, each with a margin of its own.
        drawn = loader.batch_size * getattr(loader.dataset, "num_repeats", 1)
        self._most = drawn * runner.optim_wrapper._accumulative_counts
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._listening = model.cls_head.register_forward_hook(self._hear)

    def after_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Listen no more."""
        self._listening.remove()

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:  # type: ignore[no-untyped-def]
        """Note the margins of a batch."""
        self._pending += self._margins(data_batch["data_samples"])
        self._logits = None

    def between_steps(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Add up what each process noted in a step.

        What is saved belongs to the last step, not to batches that are being added up for the next. It cannot wait for
        the saving: of several processes one alone may be out of memory, and saves the state of the last step.
        """
        # Of one size in every process, so that they need not tell each other how many they have: the rest is empty.
        own = torch.full((self._most, 2), -1.0, dtype=torch.float64)
        if self._pending:
            own[: len(self._pending)] = torch.tensor(self._pending, dtype=torch.float64)
        noted = torch.cat(all_gather(own))
        noted = noted[noted[:, 0] >= 0]
        places = noted[:, 0].long()
        self._sums.index_add_(0, places, noted[:, 1])
        self._counts.index_add_(0, places, torch.ones_like(places, dtype=torch.int32))
        self._pending.clear()

    def out_of_memory(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Batches since the last step are drawn again."""
        self._pending.clear()

    def _hear(self, head: Any, given: Any, logits: Any) -> None:
        if head.training:
            self._logits = logits

    def _margins(self, samples: Any) -> list[tuple[int, float]]:
        logits = self._logits
        # A head of the user's own may give something else.
        if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != len(samples):
            return []
        labels = torch.stack([sample.gt_label.reshape(-1)[0] for sample in samples]).to(logits.device)
        chances = logits.detach().float().softmax(1)
        own = chances.gather(1, labels[:, None])[:, 0]
        others = chances.scatter(1, labels[:, None], -1.0).amax(1)
        return list(zip((sample.metainfo[PLACE] for sample in samples), (own - others).tolist(), strict=True))


def read_margins(checkpoint: Path) -> np.ndarray | None:
    """The mean margin of each training video of a run, in the order of its list.

    Args:
        checkpoint: `last.pth` of the run.

    Returns:
        float64, shape (N,), from -1 to 1; NaN where a video was never drawn. None where the run has kept none.

    Raises:
        RunError: The file is damaged.
    """
    hooks = (load_checkpoint_file(checkpoint).get("meta") or {}).get(RECORD_KEY, {}).get("hooks", {})
    if MarginsHook.__name__ not in hooks:
        return None
    state = hooks[MarginsHook.__name__]
    sums, counts = (np.asarray(state[name], dtype=np.float64) for name in ("sums", "counts"))
    means: np.ndarray = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means
