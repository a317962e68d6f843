from __future__ import annotations

import enum
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from tiny_runner import tiny_runner

from autox_video.errors import RunError
from autox_video.runner.checkpoints import from_plain, load_checkpoint_file, to_plain
from autox_video.runner.compat import unsafe_loading


class PlainHook(Hook):
    """As `LastAndBestCheckpointHook` does it."""

    def before_save_checkpoint(self, runner, checkpoint) -> None:
        to_plain(checkpoint)

    def after_load_checkpoint(self, runner, checkpoint) -> None:
        from_plain(checkpoint)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Four epochs without an interruption; `epoch_2.pth` is one of them."""
    unsafe_loading.apply()
    work_dir = tmp_path_factory.mktemp("run")
    tiny_runner(work_dir, epochs=4, custom_hooks=[PlainHook()]).train()
    return work_dir


def test_a_checkpoint_of_mmengine_needs_no_list_of_admitted_objects(run):
    path = run / "epoch_2.pth"
    before = torch.serialization.get_safe_globals()[:]
    torch.serialization.clear_safe_globals()
    try:
        checkpoint = torch.load(path, weights_only=True)
        if hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint"):
            assert torch.serialization.get_unsafe_globals_in_checkpoint(path) == []
    finally:
        torch.serialization.add_safe_globals(before)
    # All that MMEngine saves is there.
    parts = {"meta", "state_dict", "message_hub", "optimizer", "param_schedulers", "ema_state_dict"}
    assert parts <= set(checkpoint)
    assert checkpoint["message_hub"]["log_scalars"]["train/loss"]["max_length"] == 1000000


def test_a_resumed_run_ends_like_one_without_interruption(run, tmp_path):
    runner = tiny_runner(
        tmp_path, epochs=4, custom_hooks=[PlainHook()], load_from=str(run / "epoch_2.pth"), resume=True
    )
    runner.train()
    resumed, whole = (load_checkpoint_file(folder / "epoch_4.pth") for folder in (tmp_path, run))
    for part in ("state_dict", "ema_state_dict", "optimizer", "param_schedulers"):
        assert repr(resumed[part]) == repr(whole[part]), part
    for checkpoint in (resumed, whole):
        from_plain(checkpoint)
    for name in ("train/loss", "train/lr"):
        logs = [checkpoint["message_hub"]["log_scalars"][name].data for checkpoint in (resumed, whole)]
        assert np.array_equal(logs[0], logs[1]), name


def test_the_hook_leaves_the_running_log_as_it_is(run):
    runner = tiny_runner(run, epochs=1, custom_hooks=[PlainHook()])
    runner.train()
    assert isinstance(runner.message_hub.get_scalar("train/loss"), HistoryBuffer)


def round_trip(value: Any, path: Path) -> Any:
    checkpoint = {"value": value}
    to_plain(checkpoint)
    torch.save(checkpoint, path)
    checkpoint = torch.load(path, weights_only=True)
    from_plain(checkpoint)
    return checkpoint["value"]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64", ">f8"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_arrays_come_back_with_type_and_shape(tmp_path, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    back = round_trip({"deep": [array]}, tmp_path / "a.pth")["deep"][0]
    assert (back.dtype, back.shape) == (array.dtype.newbyteorder("="), shape)
    assert np.array_equal(back, array)


def test_a_history_comes_back_whole(tmp_path):
    history = HistoryBuffer([0.5, 0.25], [1, 4], max_length=7)
    back = round_trip([history], tmp_path / "a.pth")[0]
    assert [array.tolist() for array in back.data] == [[0.5, 0.25], [1, 4]]
    assert (back.max_length, back.statistics("mean")) == (7, 0.15)
    back.update(1.0, 1)
    assert back.current() == 1.0


class Colour(enum.IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("run"), "run"),
        (Path("/run/best.pth"), "/run/best.pth"),
        (Colour.RED, 3),
        (ConfigDict(lr=ConfigDict(base=0.1)), {"lr": {"base": 0.1}}),
        ((1, [2.5, None], {"a": "b"}), (1, [2.5, None], {"a": "b"})),
        ({np.int64(3): 1}, {3: 1}),
    ],
)
def test_scalars_and_mappings_become_plain_python_and_stay_so(tmp_path, value, plain):
    back = round_trip(value, tmp_path / "a.pth")
    assert back == plain
    assert type(back) is type(plain)


def test_tensors_and_state_dicts_pass_untouched(tmp_path):
    state = torch.nn.Linear(2, 2).state_dict()
    checkpoint = {"state_dict": state, "scaler": torch.amp.GradScaler("cpu", init_scale=512.0).state_dict()}
    to_plain(checkpoint)
    assert checkpoint["state_dict"] is state
    back = round_trip(checkpoint, tmp_path / "a.pth")
    assert back["state_dict"]._metadata == state._metadata
    assert torch.equal(back["state_dict"]["weight"], state["weight"])
    assert back["scaler"] == checkpoint["scaler"]


def test_an_ordered_dictionary_stays_ordered(tmp_path):
    back = round_trip(OrderedDict(b=np.ones(1), a=2), tmp_path / "a.pth")
    assert type(back) is OrderedDict
    assert list(back) == ["b", "a"]


def test_everything_that_cannot_be_written_plainly_is_named():
    checkpoint = {"meta": {"when": np.datetime64("2024-01-01"), "names": np.array(["a"])}, "extra": [object(), {1}]}
    with pytest.raises(RunError) as caught:
        to_plain(checkpoint)
    text = "cannot be saved in a form that loads without running code (got {}). "
    text += "Remove the hook or option that puts it there; a checkpoint holds tensors and plain Python values."
    assert str(caught.value).split("\n") == [
        "checkpoint: meta.when: " + text.format("datetime.date"),
        "checkpoint: meta.names: " + text.format("numpy.ndarray"),
        "checkpoint: extra.0: " + text.format("builtins.object"),
        "checkpoint: extra.1: " + text.format("builtins.set"),
    ]


def test_a_checkpoint_that_was_never_made_plain_stays_as_it_is():
    checkpoint = {"log": HistoryBuffer([1.0], [1]), "list": [1, (2, {"a": 3})]}
    before = dict(checkpoint)
    from_plain(checkpoint)
    assert checkpoint == before
    assert checkpoint["log"] is before["log"]
