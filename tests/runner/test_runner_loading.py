"""The processes that load: how they hand over what they have loaded."""

from __future__ import annotations

import multiprocessing
import os
import tempfile

import pytest
import torch
from torch.utils.data import DataLoader

from autox_video.errors import RunError
from autox_video.runner.loading import loaders_end


@pytest.fixture
def long_folder(tmp_path, monkeypatch):
    """A folder for temporary files of a name too long for a socket in it, which no socket was made in yet."""
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.delitem(multiprocessing.current_process()._config, "tempdir", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def loaded():
    """What a process hands over: it gives a lost batch up instead of waiting for ever."""
    with loaders_end():
        return [batch.tolist() for batch in DataLoader(torch.arange(3.0), 1, num_workers=1, timeout=30)]


def test_batches_arrive_however_long_the_name_of_the_folder_for_temporary_files_is(long_folder):
    assert loaded() == [[0.0], [1.0], [2.0]]
    assert os.listdir(long_folder) == []
    assert tempfile.gettempdir() == str(long_folder)


def test_a_folder_of_sockets_that_was_made_with_too_long_a_name_is_told_of(long_folder, monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "tempdir", str(long_folder / "pymp-12345678"))
    with pytest.raises(RunError, match=r"^TMPDIR: its name is too long for a socket in it: over 75 bytes \(got "):
        loaded()
