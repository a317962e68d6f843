"""Write checkpoints of tensors and plain Python values only: they load without unpickling objects.

MMEngine puts its log (`HistoryBuffer`) and numpy values into a checkpoint. `to_plain` turns them into
dictionaries of tensors before the file is written; `from_plain` turns them back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from autox_video.errors import Problem, RunError

# The key by which a dictionary is known to stand for something else.
KIND = "__autox_video_kind__"
# Types that every torch since 2.4 loads without being told to; sets and bytes came later.
PLAIN = (str, int, float, bool, type(None), torch.dtype, torch.device, torch.Size)


def to_plain(checkpoint: dict[str, Any]) -> None:
    """Replace, in place, what is neither a tensor nor plain Python.

    numpy's scalars become Python's numbers and stay so; mappings become dictionaries.

    Args:
        checkpoint: As MMEngine hands it to `before_save_checkpoint`. The objects it refers to are
            left alone; the dictionary gets new values.

    Raises:
        RunError: A value cannot be written plainly; all of them are named.
    """
    problems: list[Problem] = []
    plain = {key: _plain(value, str(key), problems) for key, value in checkpoint.items()}
    if problems:
        raise RunError(problems)
    checkpoint.update(plain)


def from_plain(checkpoint: dict[str, Any]) -> None:
    """Undo `to_plain`, in place. A checkpoint that was not made plain stays as it is."""
    checkpoint.update({key: _rebuilt(value) for key, value in checkpoint.items()})


def _plain(value: Any, where: str, problems: list[Problem]) -> Any:
    if isinstance(value, HistoryBuffer):
        logged, counts = value.data
        parts = {"log": _plain(logged, where, problems), "count": _plain(counts, where, problems)}
        return {KIND: "HistoryBuffer", **parts, "max_length": value.max_length}
    if isinstance(value, np.generic):
        item = value.item()
        return _cannot(value, where, problems) if isinstance(item, np.generic) else _plain(item, where, problems)
    if isinstance(value, np.ndarray):
        return _plain_array(value, where, problems)
    # Not by isinstance: torch finds its own classes by their exact names, and a subclass is a global again.
    if type(value) in PLAIN or isinstance(value, torch.Tensor):
        return value
    if isinstance(value, Mapping):
        if type(value) is OrderedDict and all(isinstance(item, torch.Tensor) for item in value.values()):
            return value  # a state dict, which carries its `_metadata`
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        return kind((_plain_key(key), _plain(item, f"{where}.{key}", problems)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        items = [_plain(item, f"{where}.{position}", problems) for position, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (str, PurePath)):
        return str(value)
    if isinstance(value, (int, float)):  # an IntEnum, say
        return int(value) if isinstance(value, int) else float(value)
    return _cannot(value, where, problems)


def _plain_key(key: Any) -> Any:
    return key.item() if isinstance(key, np.generic) else key


def _plain_array(value: np.ndarray, where: str, problems: list[Problem]) -> Any:
    try:
        # A copy in the byte order of this machine: tensors know no other.
        return {KIND: "ndarray", "values": torch.tensor(value.astype(value.dtype.newbyteorder("=")))}
    except TypeError:  # texts, objects, and numbers of a format that torch does not have
        return _cannot(value, where, problems)


def _cannot(value: Any, where: str, problems: list[Problem]) -> None:
    kind = type(value)
    cure = "Remove the hook or option that puts it there; a checkpoint holds tensors and plain Python values"
    got = f"{kind.__module__}.{kind.__qualname__}"
    problems.append(
        Problem(f"checkpoint: {where}", "cannot be saved in a form that loads without running code", cure, got)
    )


def _rebuilt(value: Any) -> Any:
    if isinstance(value, dict):
        if KIND in value:
            return REBUILD[value[KIND]](value)
        if type(value) is OrderedDict and all(isinstance(item, torch.Tensor) for item in value.values()):
            return value
        return type(value)((key, _rebuilt(item)) for key, item in value.items())
    if type(value) in (list, tuple):
        return type(value)(_rebuilt(item) for item in value)
    return value


def _history(parts: dict[str, Any]) -> HistoryBuffer:
    logged, counts = _rebuilt(parts["log"]), _rebuilt(parts["count"])
    return HistoryBuffer(logged, counts, max_length=parts["max_length"])


def _array(parts: dict[str, Any]) -> np.ndarray:
    # The file may have been loaded to a GPU.
    return parts["values"].cpu().numpy()


REBUILD: dict[str, Callable[[dict[str, Any]], Any]] = {"HistoryBuffer": _history, "ndarray": _array}
