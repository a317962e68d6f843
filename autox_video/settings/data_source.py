"""One item of `more_data`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SOURCE_KEYS: Final = ("data_root", "ann_file_train", "ann_file_val", "ann_file_test")


@dataclass(frozen=True)
class DataSource:
    """One more data set: the keys of the same names, for it alone.

    Attributes beside the keys:
        origins: As in `Settings`, for these keys.
    """

    data_root: Path
    ann_file_train: Path | None = None
    ann_file_val: Path | None = None
    ann_file_test: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
