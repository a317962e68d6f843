"""Validation and test compute on several batches at a time, in order, with the same scores."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runner import OneLayer, Rows, tiny_runner

from autox_video.runner import components  # noqa: F401  (before MMAction2, which it makes importable)
from autox_video.runner.scoring_loops import ScoringTestLoop, ScoringValLoop, scoring_threads
from autox_video.tasks.single_label import is_close

BATCHES = len(Rows())
each_loop = pytest.mark.parametrize("kind", [ScoringValLoop, ScoringTestLoop])


class Scored(tuple[torch.Tensor, torch.Tensor]):
    """Scores and label of a row, also under the name that they have in MMAction2."""

    @property
    def pred_score(self) -> torch.Tensor:
        return self[0][0].float().softmax(0)


class Watched(OneLayer):
    """Keeps what each forward pass was computed under, and may do something before it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bool, bool, int]] = []
        self.before: Any = lambda row: None

    def forward(self, row: torch.Tensor, label: torch.Tensor, mode: str = "tensor") -> Any:
        self.before(row)
        self.seen.append((torch.is_autocast_enabled("cpu"), torch.is_grad_enabled(), torch.get_num_threads()))
        row, label = (torch.stack(given) if isinstance(given, list) else given for given in (row, label))
        return [Scored(pair) for pair in super().forward(row, label, mode)]


@pytest.fixture
def runner(tmp_path: Path) -> Any:
    built = tiny_runner(tmp_path)
    torch.manual_seed(0)
    built.model = Watched()
    # Hooks of its own need a training around them.
    built.heard = []
    built.call_hook = lambda name, **given: built.heard.append((name, given.get("batch_idx")))
    return built


def loop_of(kind: Any, runner: Any, **given: Any) -> Any:
    loader = {"dataset": Rows(), "batch_size": 1, "sampler": {"type": "DefaultSampler", "shuffle": False}}
    loader = runner.build_dataloader({**loader, "collate_fn": {"type": "default_collate"}})
    return kind(
        runner, loader, runner.build_evaluator([{"type": "mmengine.DumpResults", "out_file_path": "x.pkl"}]), **given
    )


def outputs_of(loop: Any) -> list[Any]:
    """What the evaluator gets, in order."""
    got: list[Any] = []
    loop.evaluator.process = lambda data_samples, data_batch: got.extend(data_samples)
    loop.evaluator.evaluate = lambda size: {}
    loop.run()
    return got


def scores_of(loop: Any) -> torch.Tensor:
    """The scores in the order in which the evaluator got them."""
    got: list[torch.Tensor] = []
    loop.evaluator.process = lambda data_samples, data_batch: got.append(data_samples[0][0])
    loop.evaluator.evaluate = lambda size: {"videos": float(size)}
    assert loop.run() == {"videos": float(BATCHES)}
    return torch.cat(got)


@each_loop
def test_several_batches_are_computed_on_at_a_time_and_come_out_in_order(kind: Any, runner: Any) -> None:
    alone = scores_of(loop_of(kind, runner))
    # None goes on before four are there, and the first of them ends last.
    together, ended = threading.Barrier(4, timeout=20), threading.Event()

    def wait(row: torch.Tensor) -> None:
        together.wait()
        if row[0, 0] == -1:
            assert ended.wait(20)
        ended.set() if row[0, 0] > -0.5 else None

    runner.model.before = wait
    several = scores_of(loop_of(kind, runner, threads=4))
    assert torch.equal(several, alone)


@pytest.mark.parametrize("threads", [1, 3])
def test_every_batch_is_scored_without_gradients(runner: Any, threads: int) -> None:
    assert scores_of(loop_of(ScoringTestLoop, runner, threads=threads)).dtype == torch.float32
    assert [seen[:2] for seen in runner.model.seen] == [(False, False)] * BATCHES


@pytest.mark.parametrize("threads", [1, 3])
def test_what_mixed_precision_may_have_decided_is_decided_again_in_float32(runner: Any, threads: int) -> None:
    exact = [sample.pred_score for sample in outputs_of(loop_of(ScoringTestLoop, runner, threads=threads))]
    runner.model.seen.clear()
    mixed = [s.pred_score for s in outputs_of(loop_of(ScoringTestLoop, runner, threads=threads, amp="bfloat16"))]
    close = [is_close(scores.numpy()) for scores in exact]
    assert 0 < sum(close) < BATCHES
    # Close calls are those of float32 to the bit, the others rounded.
    assert [torch.equal(one, other) for one, other in zip(exact, mixed, strict=True)] == close
    assert sorted(autocast for autocast, _, _ in runner.model.seen) == [False] * sum(close) + [True] * BATCHES


def test_the_cores_are_shared_out_and_given_back(runner: Any) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(5)
        scores_of(loop_of(ScoringValLoop, runner, threads=2))
        assert {threads for _, _, threads in runner.model.seen} == {2}
        assert torch.get_num_threads() == 5
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_that_fails_ends_the_test_with_its_own_error(runner: Any, threads: int) -> None:
    def fail(row: torch.Tensor) -> None:
        raise ValueError("no such row")

    runner.model.before = fail
    with pytest.raises(ValueError, match="no such row"):
        loop_of(ScoringTestLoop, runner, threads=threads).run()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("scoring")]


def test_the_hooks_hear_of_every_batch_in_order(runner: Any) -> None:
    scores_of(loop_of(ScoringTestLoop, runner, threads=2))
    for name in ("before_test_iter", "after_test_iter"):
        assert [number for found, number in runner.heard if found == name] == list(range(BATCHES))
    assert [name for name, number in runner.heard if number is None] == [
        "before_test",
        "before_test_epoch",
        "after_test_epoch",
        "after_test",
    ]


def test_after_threads_have_shared_the_cores_others_have_them_all_again() -> None:
    def cores_of_a_new_thread() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with scoring_threads(2) as pool:
            assert pool.submit(torch.get_num_threads).result() == 2
        assert (torch.get_num_threads(), cores_of_a_new_thread()) == (4, 4)
    finally:
        torch.set_num_threads(before)
