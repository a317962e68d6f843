from __future__ import annotations

import argparse
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from autox_video.errors import RunError
from autox_video.runner.checkpoints import load_checkpoint_file

LISTS_ALL_UNSAFE = hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint")


class Calls:
    """When it is unpickled, calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def saved(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def refused(path: Path) -> str:
    with pytest.raises(RunError) as caught:
        load_checkpoint_file(path)
    return str(caught.value)


def mmengine_values() -> dict[str, Any]:
    """One of each kind that MMEngine and its metrics put into a checkpoint."""
    return {
        "log": HistoryBuffer([0.5, 0.25], [4, 4]),
        "steps": HistoryBuffer([1, 2], [1, 1]),
        "accuracy": np.float64(0.75),
        "least": np.float32(0.5),
        "count": np.int64(3),
        "best": np.bool_(True),
        "matrix": np.eye(2, dtype=np.int32),
    }


def test_the_log_and_the_numbers_of_mmengine_are_read(tmp_path):
    values = load_checkpoint_file(saved(tmp_path / "epoch_1.pth", {"message_hub": mmengine_values()}))["message_hub"]
    assert values["log"].mean() == 0.09375
    assert values["log"].statistics("max") == 0.5
    assert values["steps"].data[0].tolist() == [1, 2]
    assert [values[name] for name in ("accuracy", "least", "count", "best")] == [0.75, 0.5, 3, True]
    assert type(values["least"]) is np.float32
    assert values["matrix"].tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(("there", "here"), [("numpy._core", "numpy.core"), ("numpy.core", "numpy._core")])
def test_numbers_of_another_major_version_of_numpy_are_read(tmp_path, there, here):
    with zipfile.ZipFile(saved(tmp_path / "here.pth", mmengine_values())) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(tmp_path / "there.pth", "w") as target:
        for name, content in parts.items():
            target.writestr(name, content.replace(f"c{here}.multiarray\n".encode(), f"c{there}.multiarray\n".encode()))
    values = load_checkpoint_file(tmp_path / "there.pth")
    assert (values["accuracy"], values["matrix"].tolist()) == (0.75, [[1, 0], [0, 1]])


def test_a_file_older_than_torchs_zip_format_is_read(tmp_path):
    path = saved(tmp_path / "old.pth", {"weight": torch.arange(3.0)}, _use_new_zipfile_serialization=False)
    assert load_checkpoint_file(path)["weight"].tolist() == [0, 1, 2]


def test_the_config_that_mmengine_would_execute_is_left_out(tmp_path):
    meta = {"config": "raise SystemExit", "cfg": "epochs = 3", "epoch": 3}
    assert load_checkpoint_file(saved(tmp_path / "a.pth", {"meta": meta}))["meta"] == {"cfg": "epochs = 3", "epoch": 3}


def test_an_object_is_refused_with_all_names_and_not_run(tmp_path):
    path = saved(tmp_path / "bad.pth", {"a": Calls(os.mkdir, str(tmp_path / "ran")), "b": argparse.Namespace(lr=1)})
    names = "argparse.Namespace, posix.mkdir" if LISTS_ALL_UNSAFE else "posix.mkdir"
    assert refused(path) == (
        f"{path}: holds objects that only running its code can rebuild (got {names}). A file from elsewhere can do "
        "anything when its code runs. If you trust this one, load it where that does no harm and save the weights "
        "alone: torch.save({'state_dict': checkpoint['state_dict']}, 'weights.pth')."
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        Calls(getattr, HistoryBuffer, "__init__"),
        Calls(getattr, HistoryBuffer, "update"),
        Calls(getattr, np.ndarray, "mean"),
        Calls(getattr, {"a": 1}, "mean"),
    ],
)
def test_getattr_answers_for_the_statistics_of_a_history_and_nothing_else(tmp_path, content):
    assert "running its code can rebuild (got builtins.getattr)" in refused(saved(tmp_path / "bad.pth", {"a": content}))


def test_a_legacy_file_with_an_object_is_refused_by_name(tmp_path):
    bad = {"a": Calls(os.mkdir, str(tmp_path / "ran"))}
    path = saved(tmp_path / "bad.pth", bad, _use_new_zipfile_serialization=False)
    assert "running its code can rebuild (got posix.mkdir)" in refused(path)
    assert not (tmp_path / "ran").exists()


def test_what_the_process_has_admitted_is_not_admitted_here_and_still_there_afterwards(tmp_path):
    before = torch.serialization.get_safe_globals()[:]
    torch.serialization.add_safe_globals([argparse.Namespace])
    try:
        path = saved(tmp_path / "bad.pth", {"options": argparse.Namespace(lr=1)})
        assert "running its code can rebuild (got argparse.Namespace)" in refused(path)
        load_checkpoint_file(saved(tmp_path / "good.pth", mmengine_values()))
        assert set(torch.serialization.get_safe_globals()) == {*before, argparse.Namespace}
        assert torch.load(path, weights_only=True)["options"].lr == 1
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def flip_a_bit(body: bytes) -> bytes:
    at = body.index(torch.arange(600.0).numpy().tobytes()) + 700
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


DAMAGED = {
    "is empty": lambda body: b"",
    "is a web page, not a checkpoint": lambda body: b"<!DOCTYPE html>",
    "is not a PyTorch checkpoint": lambda body: b"hello",
    "is cut off or damaged: File is not a zip file": lambda body: body[:-200],
    "is damaged: the checksum of a/data/0 does not match": flip_a_bit,
}


@pytest.mark.parametrize("wrong", DAMAGED)
def test_a_damaged_file_is_refused(tmp_path, wrong):
    path = saved(tmp_path / "a.pth", {"weight": torch.arange(600.0)})
    path.write_bytes(DAMAGED[wrong](path.read_bytes()))
    assert refused(path) == f"{path}: {wrong}. Restore the file or choose another."


@pytest.mark.parametrize(
    ("name", "wrong"), [("no.pth", "there is no such file"), (".", "cannot be read: Is a directory")]
)
def test_a_path_without_a_file_is_refused(tmp_path, name, wrong):
    assert refused(tmp_path / name) == f"{tmp_path / name}: {wrong}. Restore the file or choose another."


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (100, "unexpected EOF, expected 100 more bytes. The file might be corrupted"),
        (2500, "EOFError"),
        (2726, "unpack requires a buffer of 4 bytes"),
    ],
)
def test_a_cut_file_of_the_older_format_is_refused(tmp_path, cut, reason):
    path = saved(tmp_path / "old.pth", {"weight": torch.arange(600.0)}, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-cut])
    assert refused(path) == f"{path}: cannot be read as a checkpoint: {reason}. Restore the file or choose another."


def test_a_file_without_names_is_no_checkpoint(tmp_path):
    path = saved(tmp_path / "a.pth", torch.ones(3))
    assert refused(path) == f"{path}: holds no state dict (got a Tensor). Choose the file of a model's weights."
