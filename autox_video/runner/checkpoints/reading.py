"""Read a checkpoint without running what is in it.

torch's `weights_only` builds nothing but tensors and plain Python values. Checkpoints that MMEngine
itself wrote also hold its log (`HistoryBuffer`) and numpy values: a closed list admits exactly these.
Files that this package writes need no list; see `plain`.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from mmengine.logging import HistoryBuffer

from autox_video.errors import Problem, RunError
from autox_video.runner.weight_files import damage, is_safetensors

# What MMEngine stores of a HistoryBuffer's methods; see its `_set_default_statistics`.
STATISTICS = ("min", "max", "current", "mean")
# Where numpy keeps the two functions that rebuild its values: since 2.0, and before.
NUMPY_INTERNALS = ("numpy._core.multiarray", "numpy.core.multiarray")
NUMBERS = (
    "Bool",
    *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    "Float16",
    "Float32",
    "Float64",
)


def load_checkpoint_file(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Read a checkpoint.

    Args:
        path: A file in torch's format, or in that of safetensors.
        map_location: As in `torch.load`.

    Returns:
        What is in it, without `meta['config']`, which MMEngine would execute on resume.

    Raises:
        RunError: The file is missing, damaged, not a checkpoint, or would have to run code to be read.
    """
    try:
        wrong = damage(path)
    except FileNotFoundError:
        wrong = "there is no such file"
    except OSError as error:
        wrong = f"cannot be read: {error.strerror or error}"
    if wrong is not None:
        raise RunError(Problem(str(path), wrong, "Restore the file or choose another"))
    with path.open("rb") as file:
        if is_safetensors(file.read(9)):
            return {"state_dict": _safetensors(path, map_location)}
    with _only_our_globals():
        try:
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
        except Exception as error:  # a broken pickle can raise anything
            raise _unreadable(path, error) from error
    if not isinstance(checkpoint, dict):
        kind = type(checkpoint).__name__
        raise RunError(Problem(str(path), "holds no state dict", "Choose the file of a model's weights", f"a {kind}"))
    if isinstance(checkpoint.get("meta"), dict):
        checkpoint["meta"].pop("config", None)
    return checkpoint


def _safetensors(path: Path, map_location: Any) -> dict[str, torch.Tensor]:
    try:
        tensors: dict[str, torch.Tensor] = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        wrong = f"cannot be read as a checkpoint: {error}"
        raise RunError(Problem(str(path), wrong, "Restore the file or choose another")) from error
    return {name: tensor.to(map_location) for name, tensor in tensors.items()}


def _unreadable(path: Path, error: Exception) -> RunError:
    text = str(error)
    names = _unsafe_globals(path) or sorted(set(re.findall(r"GLOBAL ([\w.]+)", text)))
    if not names:
        # torch surrounds the reason by advice to load unsafely.
        reason = re.search(r"WeightsUnpickler error: (.+)", text) or re.search(r"(.+)", text)
        wrong = f"cannot be read as a checkpoint: {reason[1].rstrip('.') if reason else type(error).__name__}"
        return RunError(Problem(str(path), wrong, "Restore the file or choose another"))
    return RunError(
        Problem(
            str(path),
            "holds objects that only running its code can rebuild",
            "A file from elsewhere can do anything when its code runs. If you trust this one, load it where that does "
            "no harm and save the weights alone: torch.save({'state_dict': checkpoint['state_dict']}, 'weights.pth')",
            ", ".join(names),
        )
    )


def _unsafe_globals(path: Path) -> list[str]:
    """Everything in the file that is not admitted; nothing before torch 2.6, which names only the first."""
    list_them: Callable[..., list[str]] | None
    list_them = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    if list_them is None:
        return []
    try:
        return sorted(list_them(path))
    except (ValueError, RuntimeError):  # a file older than torch's zip format, or a broken one
        return []


@contextmanager
def _only_our_globals() -> Iterator[None]:
    """Admit our closed list and nothing else, whatever this process has admitted; restored afterwards."""
    before = list(torch.serialization.get_safe_globals())
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(_mmengine_globals())
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def _mmengine_globals() -> list[Any]:
    """What a checkpoint that MMEngine wrote names: its log and numpy's numbers."""
    admitted: list[Any] = [HistoryBuffer, np.ndarray, np.dtype]
    admitted += [getattr(np.dtypes, f"{number}DType") for number in NUMBERS]
    admitted += [_under_name("builtins", "getattr", _statistic), _under_name("_codecs", "encode", _bytes)]
    # An array and a number name the functions that rebuild them; those have moved between versions of numpy.
    reconstruct: Any = np.empty(0).__reduce__()[0]
    scalar: Any = np.float64(0).__reduce__()[0]
    for module in NUMPY_INTERNALS:
        admitted += [_under_name(module, "_reconstruct", reconstruct), _under_name(module, "scalar", scalar)]
    return admitted


def _under_name(module: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that torch finds under another name.

    Until 2.5 torch admits objects by their own name only, and the originals' names cannot be set.
    """

    def stand_in(*args: Any) -> Any:
        return function(*args)

    stand_in.__module__, stand_in.__name__, stand_in.__qualname__ = module, name, name
    return stand_in


def _statistic(owner: Any, name: Any) -> Any:
    """All that may be read with `getattr`. The real one would reach any function of any module."""
    if owner is HistoryBuffer and name in STATISTICS:
        return getattr(HistoryBuffer, name)
    raise pickle.UnpicklingError(f"GLOBAL builtins.getattr of {name!r} was not an allowed global")


def _bytes(text: Any, encoding: Any) -> bytes:
    """How pickle's second protocol writes bytes; torch admits it by itself since 2.5."""
    if isinstance(text, str) and encoding == "latin1":
        return text.encode("latin1")
    raise pickle.UnpicklingError(f"GLOBAL _codecs.encode to {encoding!r} was not an allowed global")
