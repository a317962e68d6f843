"""Start a model from the weights of another: what fits is loaded, what does not is said."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autox_video.errors import Problem, RequestError, RunError
from autox_video.runner.checkpoints.naming import inflate, named_as
from autox_video.runner.checkpoints.reading import load_checkpoint_file
from autox_video.runner.weight_files import digest_in_name

logger = logging.getLogger(__name__)
HEAD = "cls_head."
# Below this share of the backbone's tensors, a file belongs to another model.
MIN_SHARE = 0.5
# Holes of weights_only were closed in 2.6.0 and in 2.10.0.
FIRST_SAFE_TORCH = (2, 10)
NOTHING = torch.empty(())


@dataclass(frozen=True)
class LoadReport:
    """What became of the tensors of a model and of a file, by name.

    Attributes:
        path: The file.
        loaded: Copied from the file.
        missing: Of the model, and not in the file: left as they were initialised.
        unexpected: In the file, and not of the model: not used.
        reinitialised: Of the head, which the file has for another number of classes: left as they were initialised.
        other_shape: Outside the head, of another shape in the file: left as they were initialised.
        num_classes: Classes of the model.
        file_num_classes: Classes of the file's head; None when it has none.
        inflated: Of the `loaded`, those of images that were spread over time.
    """

    path: Path
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reinitialised: tuple[str, ...]
    other_shape: tuple[str, ...]
    num_classes: int
    file_num_classes: int | None
    inflated: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """All of it in one sentence."""
        total = len(self.loaded) + len(self.missing) + len(self.reinitialised) + len(self.other_shape)
        parts = [f"loaded {len(self.loaded)} of {total} tensors from {self.path.name}"]
        if self.inflated:
            parts.append(f"{len(self.inflated)} of them, of a network for images, are spread over time")
        if self.reinitialised:
            parts.append(
                f"the head is initialised anew for {self.num_classes} classes (the file has {self.file_num_classes})"
            )
        for names, what in (
            (self.missing, "not in the file and initialised anew"),
            (self.other_shape, "of another shape in the file and initialised anew"),
            (self.unexpected, "in the file and not used"),
        ):
            if names:
                parts.append(f"{len(names)} {what}: {_first(names)}")
        return "; ".join(parts)

    @property
    def details(self) -> list[str]:
        """A line for each kind, with the name of every tensor."""
        kinds = ("loaded", "missing", "unexpected", "reinitialised", "other_shape")
        lists = {kind.replace("_", " "): getattr(self, kind) for kind in kinds}
        return [f"{kind} ({len(names)}): {', '.join(names) or 'none'}" for kind, names in lists.items()]


def load_pretrained(model: nn.Module, path: Path, num_classes: int) -> LoadReport:
    """Copy the weights of a file into a model that has been initialised.

    Args:
        model: A recognizer of MMAction2, with `backbone` and `cls_head`.
        path: A checkpoint of MMAction2 1.x, of the original Video Swin Transformer, or a bare state dict of
            either, of the whole model or of its backbone; of a backbone also one for images, of OpenMMLab or of
            torchvision.
        num_classes: Classes of the model.

    Returns:
        What was loaded and what was not.

    Raises:
        RequestError: The file cannot be read, or has less than half of the backbone's parameters.
    """
    _warn_of_old_torch(path)
    try:
        state = _state_dict(load_checkpoint_file(path))
    except RunError as error:
        # The file was asked for: the request is wrong, not the run.
        raise RequestError(error.problems) from error
    own = model.state_dict()
    state, inflated = inflate(named_as(convert_old_swin_keys(state), own), own)
    fits = {name: tensor for name, tensor in state.items() if name in own and tensor.shape == own[name].shape}
    others = [name for name in own if name in state and name not in fits]
    # A head may have several layers that tell classes apart, and a neck one of its own.
    of_classes = [name for name in others if _is_of_classes(own[name], state[name], num_classes)]
    heads = [name for name in state if name.startswith(HEAD) and own.get(name, NOTHING).shape[:1] == (num_classes,)]
    report = LoadReport(
        path=path,
        loaded=tuple(name for name in own if name in fits),
        missing=tuple(name for name in own if name not in state),
        unexpected=tuple(name for name in state if name not in own),
        reinitialised=tuple(name for name in others if name.startswith(HEAD) or name in of_classes),
        other_shape=tuple(name for name in others if not name.startswith(HEAD) and name not in of_classes),
        num_classes=num_classes,
        file_num_classes=len(state[heads[-1]]) if heads else None,
        inflated=inflated,
    )
    _refuse_another_model(model, report)
    model.load_state_dict(fits, strict=False)
    return report


def convert_old_swin_keys(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of the original Video Swin Transformer to MMAction2's names.

    The two implementations compute the same and differ in one name: the norm after the last stage is
    `norm` in the original and `norm<stage>` in MMAction2, which may have one after every stage. See
    https://github.com/SwinTransformer/Video-Swin-Transformer, mmaction/models/backbones/swin_transformer.py.

    Args:
        state_dict: Of a recognizer or of a backbone; one that has MMAction2's names is returned unchanged.
    """
    prefixes = {match[1] for name in state_dict if (match := re.fullmatch(r"(backbone\.|)norm\.(weight|bias)", name))}
    renamed: dict[str, str] = {}
    for prefix in prefixes:
        stages = [
            int(match[1]) for name in state_dict if (match := re.match(rf"{re.escape(prefix)}layers\.(\d+)\.", name))
        ]
        if stages:
            renamed |= {f"{prefix}norm.{part}": f"{prefix}norm{max(stages)}.{part}" for part in ("weight", "bias")}
    return {renamed.get(name, name): tensor for name, tensor in state_dict.items()}


def _is_of_classes(own: Tensor, other: Tensor, num_classes: int) -> bool:
    return own.ndim > 0 and len(own) == num_classes != len(other) and own.shape[1:] == other.shape[1:]


def _state_dict(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """The tensors of a checkpoint, without the prefix that a data-parallel wrapper leaves."""
    state = checkpoint.get("state_dict", checkpoint)
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    if tensors and all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors


def _refuse_another_model(model: nn.Module, report: LoadReport) -> None:
    parameters = [name for name, _ in model.named_parameters() if not name.startswith(HEAD)]
    loaded = set(report.loaded)
    absent = [name for name in parameters if name not in loaded]
    if len(absent) <= (1 - MIN_SHARE) * len(parameters):
        return
    wrong = (
        f"has {len(parameters) - len(absent)} of the {len(parameters)} tensors of this model; missing: {_first(absent)}"
    )
    cure = "Choose weights of the same architecture, or write `model.load_from: none` to train from scratch"
    raise RequestError(Problem(str(report.path), wrong, cure))


def _warn_of_old_torch(path: Path) -> None:
    """A file whose checksum was known beforehand is what its publisher made it; any other may be anything."""
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < FIRST_SAFE_TORCH and digest_in_name(path.name) is None:
        logger.warning(
            "%s: torch %s reads a file that was made to do harm less safely than torch %s: be sure where it is from",
            path,
            torch.__version__,
            ".".join(map(str, FIRST_SAFE_TORCH)),
        )


def _first(names: Iterable[str], count: int = 5) -> str:
    names = list(names)
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")
