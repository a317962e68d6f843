"""The product of `embed`: a vector of features for each video, and the file that keeps them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autox_video.errors import Problem, RunError
from autox_video.writing import write_durably


@dataclass(frozen=True)
class Features:
    """Features of N videos, in the order in which they were named. The names are those of the arrays in the file.

    Attributes:
        features: What the model's last layer is given, averaged over the views: float32, shape (N, D).
        files: As listed: relative to the data root, or absolute. Shape (N,).
        splits: `train`, `val` or `test`; empty where the video stands in no list. Shape (N,).
        labels: Class ids, int64, shape (N,), -1 where there is none; where videos have several labels, bool,
            shape (N, num_classes).
        start_seconds: Where the labelled piece of a video begins, float64, shape (N,); NaN for its beginning.
        end_seconds: Where it ends; NaN for its end.
        classes: Class names, shape (num_classes,); the position is the class id.
        bad_files: Videos that could not be read, and so have no row.
        bad_splits: Their splits.
        bad_reasons: Why not.
        bad_start_seconds: Where the pieces of them begin that could not be read, as in `start_seconds`.
        bad_end_seconds: Where they end.
        model_sha256: Digest of the file of weights, in hex; shape ().
        views: Clips of a video and crops of a clip, shape (2,).
        data_root: Folder that relative files start from; shape ().
    """

    features: np.ndarray
    files: np.ndarray
    splits: np.ndarray
    labels: np.ndarray
    start_seconds: np.ndarray
    end_seconds: np.ndarray
    classes: np.ndarray
    bad_files: np.ndarray
    bad_splits: np.ndarray
    bad_reasons: np.ndarray
    bad_start_seconds: np.ndarray
    bad_end_seconds: np.ndarray
    model_sha256: np.ndarray
    views: np.ndarray
    data_root: np.ndarray

    def __len__(self) -> int:
        return len(self.files)

    def of(self, *splits: str) -> Features:
        """The rows of some splits."""
        return self.rows(np.isin(self.splits, splits))

    def key(self, place: int) -> tuple[str, float | None, float | None]:
        """What a row is known by in its split: file, and where the piece begins and ends, None for the whole."""
        start, end = (float(times[place]) for times in (self.start_seconds, self.end_seconds))
        return str(self.files[place]), None if np.isnan(start) else start, None if np.isnan(end) else end

    def bad_keys(self) -> list[tuple[str, str, float | None, float | None]]:
        """What each that could not be read is known by: split, file, and where the piece begins and ends."""
        start, end = (
            [None if np.isnan(one) else one for one in seconds.tolist()]
            for seconds in (self.bad_start_seconds, self.bad_end_seconds)
        )
        return list(zip(self.bad_splits.tolist(), self.bad_files.tolist(), start, end, strict=True))

    def rows(self, which: np.ndarray) -> Features:
        """Some of the rows.

        Args:
            which: A mask, or indices.
        """
        names = ("features", "files", "splits", "labels", "start_seconds", "end_seconds")
        return dataclasses.replace(self, **{name: getattr(self, name)[which] for name in names})


def write_features(features: Features, path: Path) -> None:
    """Write an .npz that `numpy.load` reads without pickled objects; equal features give equal bytes.

    Raises:
        RunError: The file cannot be written.
    """
    write_durably(path, lambda file: np.savez(file, **vars(features)))


def write_parquet(features: Features, path: Path) -> None:
    """Write the same as a table, a row a video, with the labels as names; what is of all videos is in its metadata.

    Raises:
        RunError: The file cannot be written.
    """
    import pyarrow
    from pyarrow import parquet

    several = features.labels.ndim == 2
    names = features.classes.tolist()
    labels = [
        [names[number] for number in np.flatnonzero(row)] if several else (names[row] if row >= 0 else None)
        for row in features.labels
    ]
    flat = pyarrow.array(features.features.reshape(-1))
    columns = {
        "file": pyarrow.array(features.files.tolist()),
        "split": pyarrow.array(features.splits.tolist()),
        "label": pyarrow.array(labels, pyarrow.list_(pyarrow.string()) if several else pyarrow.string()),
        "start_seconds": pyarrow.array(features.start_seconds, from_pandas=True),
        "end_seconds": pyarrow.array(features.end_seconds, from_pandas=True),
        "features": pyarrow.FixedSizeListArray.from_arrays(flat, features.features.shape[1]),
    }
    said = {
        "classes": json.dumps(names, ensure_ascii=False),
        "model_sha256": str(features.model_sha256),
        "views": json.dumps(features.views.tolist()),
        "data_root": str(features.data_root),
        "bad": json.dumps(
            [
                {"split": split, "file": file, "start_seconds": start, "end_seconds": end, "reason": reason}
                for (split, file, start, end), reason in zip(
                    features.bad_keys(), features.bad_reasons.tolist(), strict=True
                )
            ]
        ),
    }
    table = pyarrow.table(columns).replace_schema_metadata(said)
    write_durably(path, lambda file: parquet.write_table(table, file))


def read_features(path: Path) -> Features:
    """Read what `write_features` wrote; nothing in the file is run.

    Raises:
        RunError: The file is missing, or does not hold features.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = Features(**{field.name: arrays[field.name] for field in dataclasses.fields(Features)})
        rows = {len(array) for array in (found.features, found.files, found.splits, found.labels, found.start_seconds)}
        if found.features.ndim != 2 or rows != {len(found.end_seconds)}:
            raise ValueError("its arrays are of different lengths")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        problem = Problem(str(path), f"holds no features: {error}", "Run `autox-video embed` to write it anew")
        raise RunError(problem) from error
    return found
