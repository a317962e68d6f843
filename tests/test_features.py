"""The file of features: plain arrays, whatever the labels and names are."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from autox_video.errors import RequestError, RunError
from autox_video.extras import check_packages
from autox_video.features import Features, read_features, write_features, write_parquet

FEATURES = Features(
    features=np.arange(6, dtype=np.float32).reshape(3, 2),
    files=np.array(["a.mp4", "猫/b.mp4", "c.mp4"]),
    splits=np.array(["train", "train", "val"]),
    labels=np.array([1, -1, 0]),
    start_seconds=np.array([np.nan, 1.5, np.nan]),
    end_seconds=np.array([np.nan, np.nan, 2.0]),
    classes=np.array(["run", "跳"]),
    bad_files=np.array(["d.mp4"]),
    bad_splits=np.array(["test"]),
    bad_reasons=np.array(["has no frames"]),
    bad_start_seconds=np.array([np.nan]),
    bad_end_seconds=np.array([3.0]),
    model_sha256=np.array("ab" * 32),
    views=np.array([2, 1]),
    data_root=np.array("/videos"),
)
SEVERAL = dataclasses.replace(FEATURES, labels=np.array([[True, True], [False, False], [False, True]]))


@pytest.mark.parametrize("features", [FEATURES, SEVERAL, FEATURES.rows(np.array([], dtype=int))])
def test_features_are_read_back_without_pickle_and_equal_ones_give_equal_bytes(features, tmp_path):
    for name in ("one.npz", "two.npz"):
        write_features(features, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz", allow_pickle=False) as arrays:
        assert sorted(arrays.files) == sorted(field.name for field in dataclasses.fields(Features))
        assert arrays["features"].dtype == np.float32
    back = read_features(tmp_path / "one.npz")
    for name, array in vars(features).items():
        np.testing.assert_array_equal(getattr(back, name), array)


def test_the_rows_of_a_split_stay_together():
    val = FEATURES.of("val")
    assert (len(val), val.files.tolist(), val.features.tolist()) == (1, ["c.mp4"], [[4, 5]])
    assert FEATURES.of("train", "val").files.tolist() == FEATURES.files.tolist()


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_a_file_that_holds_no_features_is_refused(content, tmp_path):
    path = tmp_path / "features.npz"
    if content is None:
        np.savez(path, features=np.zeros((2, 2)))
    else:
        path.write_bytes(content)
    with pytest.raises(
        RunError, match=r"features\.npz: holds no features: .*Run `autox-video embed` to write it anew\."
    ):
        read_features(path)


def test_pickled_objects_and_rows_that_do_not_fit_are_refused(tmp_path):
    for name, wrong in (("files", np.array(["a", {}, "c"], dtype=object)), ("labels", np.array([1]))):
        np.savez(tmp_path / "f.npz", **{**vars(FEATURES), name: wrong})
        with pytest.raises(RunError, match="holds no features"):
            read_features(tmp_path / "f.npz")


@pytest.mark.parametrize(
    ("features", "labels"), [(FEATURES, ["跳", None, "run"]), (SEVERAL, [["run", "跳"], [], ["跳"]])]
)
def test_parquet_has_a_row_a_video(features, labels, tmp_path):
    from pyarrow import parquet

    write_parquet(features, tmp_path / "f.parquet")
    table = parquet.read_table(tmp_path / "f.parquet")
    assert table["features"].to_pylist() == features.features.tolist()
    assert table["label"].to_pylist() == labels
    assert table["file"].to_pylist() == features.files.tolist()
    assert table["start_seconds"].to_pylist() == [None, 1.5, None]
    said = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert json.loads(said["classes"]) == ["run", "跳"]
    assert json.loads(said["bad"]) == [
        {"split": "test", "file": "d.mp4", "start_seconds": None, "end_seconds": 3.0, "reason": "has no frames"}
    ]
    assert said["model_sha256"] == "ab" * 32


def test_a_missing_package_is_named_with_what_installs_it():
    check_packages("--parquet", "numpy")
    with pytest.raises(RequestError) as caught:
        check_packages("--parquet", "pyarrow_of_elsewhere")
    assert str(caught.value) == (
        "--parquet: needs the package pyarrow_of_elsewhere, which is missing. Run pip install pyarrow_of_elsewhere, or leave "
        "it out."
    )
