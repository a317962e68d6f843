from __future__ import annotations

import dataclasses
import logging
from types import SimpleNamespace

import pytest
import samples

from autox_video.plan.schema import Decision
from autox_video.records import write_record
from autox_video.runner.hooks.epoch_report import EpochReportHook


def test_waiting_is_told_when_it_becomes_much_and_again_only_after_it_was_little(tmp_path, caplog):
    write_record(tmp_path / "plan.json", samples.plan()[0])
    runner, hook = SimpleNamespace(work_dir=tmp_path, max_epochs=9), EpochReportHook()
    # Of each epoch: its share of waiting, its seconds, whether something is said.
    epochs = [
        (0.9, 1.0, False),
        (0.1, 60.0, False),
        (0.62, 60.0, True),
        (0.7, 60.0, False),
        (0.1, 60.0, False),
        (0.3, 60.0, True),
        (0.1, 60.0, False),
        (0.1, 60.0, False),
        (0.9, 60.0, False),
    ]
    for number, (wait, seconds, is_told) in enumerate(epochs, 1):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            hook.tell_of_waiting(runner, {"epoch": number, "data_wait": wait, "seconds": seconds})
        start = (
            f"note     waiting for data {100 * wait:.0f} % of the time: videos are decoded by 1 process on 2 cores; "
        )
        assert [message.startswith(start) for message in caplog.messages] == [True] * is_told


@pytest.mark.parametrize(("cache", "computing"), [("off", 86), ("proxy", 90)])
def test_at_the_end_epochs_count_by_their_time_and_of_those_with_proxies_only_these(cache, computing, tmp_path, caplog):
    plan = dataclasses.replace(samples.plan()[0], cache=Decision(cache, "data", ""))
    write_record(tmp_path / "plan.json", plan)
    hook = EpochReportHook()
    hook.rows = [{"epoch": 1, "data_wait": 0.5, "seconds": 10.0}, {"epoch": 2, "data_wait": 0.1, "seconds": 90.0}]
    with caplog.at_level(logging.INFO):
        hook.after_train(SimpleNamespace(work_dir=tmp_path))
    assert caplog.messages == [f"speed    computing {computing} % of the time: the network is what takes it"]
