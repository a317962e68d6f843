from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import mmengine
import numpy as np
import pytest
import yaml
from mmengine.fileio import PickleHandler, YamlHandler

from autox_video.errors import RunError
from autox_video.runner.compat import unsafe_files


@pytest.fixture(autouse=True)
def applied() -> None:
    unsafe_files.apply()


class RunsCode:
    """Runs code when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_a_pickle_runs_no_code(tmp_path):
    (tmp_path / "labels.pkl").write_bytes(pickle.dumps({"a": RunsCode(tmp_path / "ran")}))
    with pytest.raises(RunError) as caught:
        mmengine.load(str(tmp_path / "labels.pkl"))
    assert str(caught.value) == (
        "a pickle file: holds objects that only running its code can rebuild (got posix.mkdir). "
        "Convert it where that does no harm."
    )
    assert not (tmp_path / "ran").exists()
    PickleHandler().load_from_path(str(tmp_path / "labels.pkl"))
    assert (tmp_path / "ran").exists(), "the stock reader runs it"


def test_a_yaml_runs_no_code(tmp_path):
    (tmp_path / "labels.yaml").write_text(f"a: !!python/object/apply:os.mkdir [{tmp_path / 'ran'}]\n")
    with pytest.raises(yaml.constructor.ConstructorError, match="could not determine a constructor"):
        mmengine.load(str(tmp_path / "labels.yaml"))
    assert not (tmp_path / "ran").exists()
    with (tmp_path / "labels.yaml").open() as file:
        YamlHandler().load_from_fileobj(file)
    assert (tmp_path / "ran").exists(), "the stock reader runs it"


def test_plain_values_and_arrays_are_read_and_written_as_before(tmp_path):
    poses = {
        "split": {"train": ["a"]},
        "annotations": [{"keypoint": np.ones((1, 2, 3), np.float16), "n": np.float32(2)}],
    }
    for protocol in (2, 4):
        mmengine.dump(poses, str(tmp_path / "poses.pkl"), protocol=protocol)
        found = mmengine.load(str(tmp_path / "poses.pkl"))
        assert found["split"] == poses["split"]
        np.testing.assert_array_equal(found["annotations"][0]["keypoint"], np.ones((1, 2, 3)))
    plain = OrderedDict(a={1, 2}, b=(3 + 1j, b"x", bytearray(b"y"), frozenset("z")))
    for protocol in (2, 4):
        mmengine.dump(plain, str(tmp_path / "plain.pkl"), protocol=protocol)
        assert mmengine.load(str(tmp_path / "plain.pkl")) == plain
    mmengine.dump({"a": [1, "b"]}, str(tmp_path / "a.yaml"))
    assert mmengine.load(str(tmp_path / "a.yaml")) == {"a": [1, "b"]}
