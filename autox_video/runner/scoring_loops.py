"""The loops of validation and test: MMEngine's, with several batches at a time on a CPU and in a chosen number format.

Threads that share one batch wait for each other after every operation, and five times as long where a process that
decodes takes a core away. Threads with a batch each never wait: whatever decoding leaves of the cores is used, and
the scores are those of one thread, bit for bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from mmengine.model import is_model_wrapper
from mmengine.registry import LOOPS
from mmengine.runner import TestLoop, ValLoop

from autox_video.runner.frame_orders import FrameOrders
from autox_video.runner.single_view import SINGLE_VIEW_SCORE, keeping_single_view
from autox_video.tasks.single_label import is_close, probabilities

Outputs = Sequence[Any]
OutputsT = TypeVar("OutputsT")


@LOOPS.register_module()
class ScoringValLoop(ValLoop):
    """Validates.

    Args:
        threads: Batches computed on at a time.
        amp: `off`, `float16` or `bfloat16`: what that may have decided is decided again in float32. For one label a
            video.
        **given: As in `ValLoop`.
    """

    orders = None

    def __init__(self, *positional: Any, threads: int = 1, amp: str = "off", **given: Any) -> None:
        super().__init__(*positional, **given)
        self.threads, self.amp = threads, amp

    def run(self) -> dict[str, float]:
        """Score the split; returns its figures."""
        return _run(self, "val")


@LOOPS.register_module()
class ScoringTestLoop(TestLoop):
    """Tests.

    Args:
        threads: As of `ScoringValLoop`.
        amp: As of `ScoringValLoop`.
        num_views: Views of a video. Of several, the scores of a single one are kept too.
        single_view: Which one.
        orders: How frames lie in a batch, where they are to be scored in other orders too; see `FrameOrders`.
        **given: As in `TestLoop`.
    """

    def __init__(
        self,
        *positional: Any,
        threads: int = 1,
        amp: str = "off",
        num_views: int = 1,
        single_view: int = 0,
        orders: dict[str, Any] | None = None,
        **given: Any,
    ) -> None:
        super().__init__(*positional, **given)
        self.orders = None if orders is None else FrameOrders(**orders)
        self.threads, self.amp = threads, amp
        self.num_views, self.single_view = num_views, single_view

    def run(self) -> dict[str, float]:
        """Score the split; returns its figures."""
        if self.num_views == 1:
            return _run(self, "test")
        model = self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model
        with keeping_single_view(model.cls_head, self.num_views, self.single_view):
            return _run(self, "test")


def _run(loop: Any, stage: str) -> dict[str, float]:
    runner = loop.runner
    runner.call_hook(f"before_{stage}")
    runner.call_hook(f"before_{stage}_epoch")
    runner.model.eval()
    with _computing(loop) as submit:

        def begin(number: int, batch: Any) -> Future[Outputs]:
            runner.call_hook(f"before_{stage}_iter", batch_idx=number, data_batch=batch)
            return submit(batch)

        for number, batch, outputs in in_order(loop.dataloader, begin, loop.threads if loop.threads > 1 else 0):
            loop.evaluator.process(data_samples=outputs, data_batch=batch)
            runner.call_hook(f"after_{stage}_iter", batch_idx=number, data_batch=batch, outputs=outputs)
    metrics: dict[str, float] = loop.evaluator.evaluate(len(loop.dataloader.dataset))
    runner.call_hook(f"after_{stage}_epoch", metrics=metrics)
    runner.call_hook(f"after_{stage}")
    return metrics


def in_order(
    batches: Any, begin: Callable[[int, Any], Future[OutputsT]], ahead: int
) -> Iterator[tuple[int, Any, OutputsT]]:
    """Batches and what the network says of them, in their order, while at most so many more have been begun."""
    waiting: deque[tuple[int, Any, Future[OutputsT]]] = deque()
    for number, batch in enumerate(batches):
        waiting.append((number, batch, begin(number, batch)))
        if len(waiting) > ahead:
            first, done, outputs = waiting.popleft()
            yield first, done, outputs.result()
    for first, done, outputs in waiting:
        yield first, done, outputs.result()


@contextmanager
def _computing(loop: Any) -> Iterator[Callable[[Any], Future[Outputs]]]:
    """What takes a batch and computes on it: at once, or in one of several threads that share out the cores."""
    model, threads = loop.runner.model, loop.threads

    def score_once(batch: Any) -> Outputs:
        return score_batch(model, batch, loop.amp, fp16=loop.fp16)

    def score(batch: Any) -> Outputs:
        outputs = score_once(batch)
        return loop.orders.score_too(score_once, batch, outputs) if loop.orders else outputs

    if threads == 1:
        yield lambda batch: _finished(score(batch))
        return
    with scoring_threads(threads) as pool:
        yield lambda batch: pool.submit(score, batch)


@contextmanager
def scoring_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that share out the cores while the block runs; after it, torch computes as before.

    Args:
        count: How many.
    """
    cores = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, "scoring", torch.set_num_threads, (max(1, cores // count),))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        # What a thread sets for itself, MKL and threads that begin later take for theirs.
        torch.set_num_threads(cores)


# The mode is one of a thread. (What is made in inference mode could not be kept for a later training step.)
@torch.no_grad()
def score_batch(model: Any, batch: Any, amp: str = "off", *, fp16: bool = False) -> Outputs:
    """What a model in evaluation mode says of a batch.

    Args:
        model: An MMAction2 recognizer.
        batch: As `stack_clips` gives it.
        amp: As of `ScoringValLoop`.
        fp16: MMEngine's word for mixed precision, which does what MMEngine does.
    """
    device = next(model.parameters()).device.type
    with torch.autocast(device, getattr(torch, amp, None), fp16 or amp != "off"):
        outputs: Outputs = model.test_step(batch)
    if amp == "off":
        return outputs
    with torch.autocast(device, enabled=False):
        return _decided_again(model, batch, outputs)


def _decided_again(model: Any, batch: Any, outputs: Outputs) -> Outputs:
    """The outputs of a batch, of which close calls are computed once more, in the number format that is set."""
    close = [number for number, sample in enumerate(outputs) if any(map(is_close, _scores(sample)))]
    if not close:
        return outputs
    again = model.test_step({key: [values[number] for number in close] for key, values in batch.items()})
    outputs = list(outputs)
    for number, sample in zip(close, again, strict=True):
        outputs[number] = sample
    return outputs


def _scores(sample: Any) -> list[np.ndarray]:
    """The probabilities of a video: of all its views, and of the single one where that is kept."""
    kept = (sample.pred_score, getattr(sample, SINGLE_VIEW_SCORE, None))
    return [probabilities(score.float().cpu().numpy()) for score in kept if score is not None]


def _finished(outputs: Outputs) -> Future[Outputs]:
    future: Future[Outputs] = Future()
    future.set_result(outputs)
    return future
