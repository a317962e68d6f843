from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from several import in_processes

from autox_video.errors import Problem, RequestError, RunError
from autox_video.processes import own_place
from autox_video.runner.distributed import CHUNK, decided_by_first, joined
from autox_video.runner.evaluator import ScoreMetric
from autox_video.runner.hooks.epoch_report import EpochReportHook

GLOO = Config({"env_cfg": {"dist_cfg": {"backend": "gloo", "timeout": 60}}})


@dataclass(frozen=True)
class Decided:
    numbers: tuple[int, ...]
    text: str | None


def decide_twice() -> tuple[Decided, Decided]:
    def decide() -> Decided:
        time.sleep(0.3)  # the others wait
        return Decided((os.getpid(), 2), "x" * (CHUNK + 1))

    return decided_by_first(decide, Decided), decided_by_first(lambda: Decided((), None), Decided)


def test_all_processes_get_what_the_first_decides():
    first, second = in_processes(2, decide_twice)
    assert first == second
    (pid, two), text = first[0][0].numbers, first[0][0].text
    assert (pid != os.getpid(), two, len(text)) == (True, 2, CHUNK + 1)
    assert first[0][1] == Decided((), None)


def refused(kind: type[RequestError] | type[RunError]) -> tuple[str, int]:
    def refuse() -> Decided:
        raise kind(Problem("here", "wrong", "Cure it"))

    try:
        decided_by_first(refuse, Decided)
    except (RequestError, RunError) as error:
        return str(error), error.exit_code
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(("kind", "code"), [(RequestError, 2), (RunError, 1)])
def test_what_stops_the_first_process_stops_the_others_without_a_word(kind, code):
    first, *others = in_processes(3, refused, kind)
    assert first == (("here: wrong. Cure it.", code), "")
    assert others == [(("", code), "")] * 2


def first_is_gone() -> str:
    def vanish() -> Decided:
        # Long enough for the other to be waiting. As if killed: nothing is left behind.
        time.sleep(0.5)
        os._exit(0)

    try:
        decided_by_first(vanish, Decided)
    except RunError as error:
        return str(error)
    return "went on"


def test_processes_do_not_wait_for_a_first_one_that_is_gone():
    (answer,) = in_processes(2, first_is_gone, mute=(0,))
    assert answer[0] == ("process 1: waits for the first process of the run, which is gone. Its own output says why.")


def rows_and_figures(names: list[str]) -> tuple[list[str], dict[str, float], float]:
    """Score a list that is dealt out as the samplers do, with the first names repeated to fill up."""
    place = own_place()
    share = [
        names[n % len(names)]
        for n in range(place.rank, -(-len(names) // place.world_size) * place.world_size, place.world_size)
    ]
    metric = ScoreMetric(task="single_label")
    with joined(GLOO, "cpu"):
        for name in share:
            scores = np.random.default_rng(int(name)).dirichlet(np.ones(3))
            metric.process(
                None,
                [{"filename": name, "gt_label": torch.tensor([int(name) % 3]), "pred_score": torch.tensor(scores)}],
            )
        figures = metric.evaluate(len(names))
    total = float(np.sum([scores for _, _, scores, _ in metric.rows]))
    return [name for name, *_ in metric.rows], figures, total


def test_rows_and_figures_are_the_same_with_any_number_of_processes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(number) for number in range(7)]
    alone = rows_and_figures(names)
    assert alone[0] == names
    for count in (2, 3):
        assert [answer for answer, _ in in_processes(count, rows_and_figures, names)] == [alone] * count
    # MMEngine's own way leaves `.dist_test` here.
    assert list(tmp_path.iterdir()) == []


def waits_in_vain(behave: Callable[[], None]) -> str:
    hasty = Config({"env_cfg": {"dist_cfg": {"backend": "gloo", "timeout": 2}}})
    try:
        with joined(hasty, "cpu"):
            torch.distributed.barrier()
            if not own_place().is_first:
                behave()
            torch.distributed.all_reduce(torch.ones(1))
    except RunError as error:
        return str(error)
    return "went on"


@pytest.mark.parametrize("behave", [partial(os._exit, 0), partial(time.sleep, 30)], ids=["gone", "stuck"])
def test_a_process_that_waits_in_vain_for_another_one_ends(behave):
    (answer,) = in_processes(2, waits_in_vain, behave, mute=(1,))
    assert answer[0].startswith("process 0: waits in vain for another process of the run (got ")
    assert answer[0].endswith("). Their outputs say why; run the same again.")


def row_of_an_epoch() -> dict[str, float]:
    """The row of an epoch of one batch: the second process has half as many videos, at four times the loss."""
    place = own_place()
    metric = ScoreMetric(task="single_label")
    runner = SimpleNamespace(epoch=0, max_epochs=1, val_interval=1, iter=1, world_size=place.world_size)
    runner.val_evaluator = SimpleNamespace(metrics=[metric])
    runner.model = SimpleNamespace(data_preprocessor=None)
    runner.train_loop = SimpleNamespace(validation_is_due=lambda epoch: True)
    runner.train_dataloader = [None]
    runner.message_hub = SimpleNamespace(get_scalar=lambda name: SimpleNamespace(current=lambda: 0.0))
    runner.optim_wrapper = SimpleNamespace(get_lr=lambda: {"lr": [0.1]})
    hook = EpochReportHook()
    with joined(GLOO, "cpu"):
        hook.before_train_epoch(runner)
        figures = dict.fromkeys([f"{name}_acc" for name in metric.task.TRAIN_FIGURES], 1.0 - place.rank)
        loss = {"loss": torch.tensor(1.0 + 3.0 * place.rank)}
        hook.after_train_iter(runner, 0, {"data_samples": [None] * (4 - 2 * place.rank)}, {**loss, **figures})
        hook.after_train_epoch(runner)
    return hook.rows[-1]


def test_the_figures_of_an_epoch_are_means_over_the_videos_of_all_processes():
    rows = [row for row, _ in in_processes(2, row_of_an_epoch)]
    for row in rows:
        assert (row["train_loss"], row["train_top1"]) == (2.0, 4 / 6)
        assert row["videos_per_second"] * row["seconds"] == pytest.approx(6)
