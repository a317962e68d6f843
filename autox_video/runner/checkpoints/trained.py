"""A trained model as its files keep it: what the uses of a model read, whichever file it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from autox_video.errors import Problem, RequestError, RunError
from autox_video.plan.schema import Plan
from autox_video.predictions import Calibration
from autox_video.records import build_record
from autox_video.runner.checkpoints.card import read_card
from autox_video.runner.checkpoints.reading import load_checkpoint_file
from autox_video.runner.checkpoints.record import RECORD_KEY
from autox_video.runner.weight_files import is_safetensors, sha256_of
from autox_video.work_dir import WorkDir

# In the folder of an exported model, its weights and their card.
BUNDLE_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class TrainedModel:
    """What a file says of a trained model.

    Attributes:
        path: The file.
        sha256: Its digest, in hex.
        plan: The plan that it was trained with.
        epoch: The epoch after which it was written.
        state_dict: Its weights.
        thresholds: The probability from which on a video has a label, one a class; None where the highest one counts.
        temperature: What the logits are divided by to make confidences true; None where that was not fitted.
        calibration: All that the validation videos said of its confidence; None likewise.
    """

    path: Path
    sha256: str
    plan: Plan
    epoch: int
    state_dict: Mapping[str, torch.Tensor]
    thresholds: tuple[float, ...] | None
    temperature: float | None
    calibration: Calibration | None = None


def find_model(source: Path) -> Path:
    """The file of weights that a user means.

    Args:
        source: A file; or a folder, the work dir of a training or an exported model.

    Raises:
        RequestError: There is none.
    """
    if not source.is_dir():
        if not source.is_file():
            cure = "Train first, or name the work_dir of a training, its best.safetensors, or an exported folder"
            raise RequestError(Problem(str(source), "there is no such model", cure))
        return source
    best = WorkDir(source).best_checkpoint
    for path in (best, best.with_suffix(".safetensors"), source / BUNDLE_WEIGHTS):
        if path.is_file():
            return path
    wrong = f"holds no trained model: neither {best.name} nor {BUNDLE_WEIGHTS}"
    raise RequestError(Problem(str(source), wrong, "Train first, or name another folder"))


def read_trained(source: Path) -> TrainedModel:
    """Read a trained model; nothing in the file is run.

    Args:
        source: As of `find_model`.

    Raises:
        RequestError: There is no model, or it is not one of ours.
        RunError: The file is damaged, or of another version of this package.
    """
    path = find_model(source)
    loaded = load_checkpoint_file(path)
    said, epoch = _said(path, loaded)
    try:
        plan = build_record(said["plan"], Plan)
    except (KeyError, TypeError, ValueError) as error:
        wrong, cure = "was written by another version of autox_video", "Use that version, or train anew"
        raise RunError(Problem(str(path), wrong, cure, f"a record that lacks {error}")) from error
    thresholds = said.get("thresholds")
    return TrainedModel(
        path=path,
        sha256=sha256_of(path),
        plan=plan,
        epoch=epoch,
        state_dict=loaded["state_dict"],
        thresholds=None if thresholds is None else tuple(thresholds),
        temperature=said.get("temperature"),
        calibration=None if said.get("calibration") is None else build_record(said["calibration"], Calibration),
    )


def _said(path: Path, loaded: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
    """What the file says of its model, and the epoch."""
    with path.open("rb") as file:
        bare = is_safetensors(file.read(9))
    if bare:
        card = read_card(path)
        return card, card["epoch"]
    record = (loaded.get("meta") or {}).get(RECORD_KEY)
    if record is None:
        cure = "Name a best.pth or best.safetensors of a run"
        raise RequestError(Problem(str(path), "was not written by autox_video", cure))
    return record, loaded["meta"]["epoch"]
