"""The two that are compared, ours and stock MMEngine, and what their trainings leave behind."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from measuring import ROOT


@dataclass(frozen=True)
class Stack:
    """What is tortured.

    Attributes:
        name: `ours` or `stock`.
        command: The script and its arguments, for a work dir and a number of loading processes; None: as planned.
        final: In a work dir, the file of the state after the last epoch.
        best_epoch: In a work dir, the epoch of the newest best checkpoint that is whole; 0 where none is.
    """

    name: str
    command: Callable[[Path, int | None], list[str]]
    final: Callable[[Path], Path]
    best_epoch: Callable[[Path], int]


def stock_tool(name: str) -> str:
    """The path of MMAction2's own `tools/<name>.py`."""
    spec = importlib.util.find_spec("mmaction")
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).parent / ".mim" / "tools" / f"{name}.py")


def render(words: list[str], output: Path, *more: str) -> None:
    """`autox-video render` with these words; writes the config to `output`."""
    command = [sys.executable, "-m", "autox_video", "render", *words, *more, "-o", str(output)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def render_stock(words: list[str], output: Path) -> None:
    """The same without this package's own modules."""
    render(words, output, "--stock")


def our_stack(config: Path, *options: str) -> Stack:
    """`python AutoTrain.py`, the same command again and again."""

    def command(work_dir: Path, workers: int | None) -> list[str]:
        words = [str(ROOT / "AutoTrain.py"), "-c", str(config), "--work-dir", str(work_dir), *options]
        return words if workers is None else [*words, "--set", f"runtime.workers={workers}"]

    return Stack("ours", command, lambda folder: folder / "last.pth", lambda folder: _best(folder, "best.pth"))


def stock_stack(rendered: Path, epochs: int) -> Stack:
    """MMAction2's own `tools/train.py --resume` on the config that `render --stock` wrote."""
    script = stock_tool("train")

    def command(work_dir: Path, workers: int | None) -> list[str]:
        words = [script, str(rendered), "--work-dir", str(work_dir), "--resume"]
        if workers is None:
            return words
        loading = [f"train_dataloader.{key}" for key in (f"num_workers={workers}", f"persistent_workers={workers > 0}")]
        return [*words, "--cfg-options", *loading]

    return Stack(
        "stock",
        command,
        lambda folder: folder / f"epoch_{epochs}.pth",
        lambda folder: _best(folder, "best_*.pth"),
    )


def _best(folder: Path, pattern: str) -> int:
    return max((read["meta"]["epoch"] for path in folder.glob(pattern) if (read := whole(path))), default=0)


def whole(path: Path) -> dict[str, Any] | None:
    """A checkpoint that a training of our own wrote; None where it is not whole."""
    try:
        read: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
        return read
    except Exception:  # a file that breaks off can raise anything
        return None


def digests(path: Path) -> dict[str, str]:
    """Weights and state of the optimizer of a checkpoint, each as the SHA-256 of all its bits."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=False)
    return {name: _digest(checkpoint[name]) for name in ("state_dict", "optimizer")}


def _digest(value: Any) -> str:
    found = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, torch.Tensor):
            found.update(f"{part.dtype}{tuple(part.shape)}".encode() + part.contiguous().numpy().tobytes())
        elif isinstance(part, Mapping):
            for key, item in part.items():
                found.update(str(key).encode())
                add(item)
        elif isinstance(part, (list, tuple)):
            for item in part:
                add(item)
        else:
            found.update(repr(part).encode())

    add(value)
    return found.hexdigest()
