"""The folder of an exported model: which files are in it, and how they come there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autox_video.errors import AutoXVideoError, Problem, RunError
from autox_video.extras import check_packages
from autox_video.log_lines import log_uncalibrated
from autox_video.using.export.checking import (
    MAX_DIFFERENCE,
    Agreement,
    CheckedVideo,
    compare_network,
    compare_script,
    pick_videos,
)
from autox_video.using.export.describing import describe, readme, script, test_results
from autox_video.using.export.folder import CARD, ONNX, README, SCRIPT, TORCHSCRIPT, WEIGHTS, replaced
from autox_video.work_dir import WorkDir
from autox_video.writing import write_json, write_text

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor


@dataclass(frozen=True)
class Exported:
    """What an export made.

    Attributes:
        folder: Where.
        num_bytes: Size of its files.
        checks: How far each file that computes agrees with the trained model.
        problems: Files that are not there, or are there and not as they should be, each with the reason.
        several_labels: Whether a video may have several labels.
    """

    folder: Path
    num_bytes: int
    checks: dict[str, Agreement]
    problems: tuple[Problem, ...]
    several_labels: bool


def export(
    source: Path, folder: Path | None = None, *, onnx: bool = False, num_videos: int = 16, plugins: Sequence[str] = ()
) -> Exported:
    """Make a folder of a trained model that says the same as it, with this package and without.

    A video is seen as in the last test of the model; without one, as was planned when it was trained.

    Args:
        source: The work dir of a training, or its `best.pth` or `best.safetensors`.
        folder: Where to; `bundle` in the work dir when None. An earlier bundle there is replaced.
        onnx: Whether to write `model.onnx` too.
        num_videos: On how many videos each file is tried.
        plugins: As of `open_predictor`.

    Raises:
        RequestError: There is no model or no video to try it on, a package is missing, or the folder holds other files.
        RunError: The model cannot be exported at all, or the folder cannot be written.
    """
    if onnx:
        check_packages("--onnx", "onnx", "onnxruntime")
    from autox_video.runner.checkpoints.trained import find_model
    from autox_video.runner.predictor import open_predictor

    path = find_model(source)
    tested = test_results(path)
    views = None if tested is None else (tested["views"]["num_clips"], tested["views"]["num_crops"])
    predictor = open_predictor(path, "cpu", views, plugins)
    log_uncalibrated(path, predictor.trained.calibration)
    folder = folder or path.parent / "bundle"
    with replaced(folder) as new:
        split, videos = pick_videos(predictor, WorkDir(path.parent), num_videos)
        checks, problems = _write_files(predictor, tested, new, (split, videos), onnx)
        num_bytes = sum(file.stat().st_size for file in new.iterdir())
    return Exported(folder, num_bytes, checks, tuple(problems), predictor.thresholds is not None)


def _write_files(
    predictor: Predictor,
    tested: dict[str, Any] | None,
    folder: Path,
    checked_on: tuple[str, list[CheckedVideo]],
    onnx: bool,
) -> tuple[dict[str, Agreement], list[Problem]]:
    from autox_video.runner import exporting

    checks: dict[str, Agreement] = {}
    problems: list[Problem] = []
    split, videos = checked_on
    limits = None if predictor.thresholds is None else np.array(predictor.thresholds)
    exporting.copy_weights(predictor, folder / WEIGHTS)
    network = exporting.ExportedNetwork(predictor)
    kinds = [(TORCHSCRIPT, exporting.write_torchscript, exporting.load_torchscript)]
    if onnx:
        kinds.append((ONNX, exporting.write_onnx, exporting.load_onnx))
    for name, write, load in kinds:
        file = folder / name
        try:
            write(network, videos[0].clips[None], file)
            agreement = compare_network(load(file), split, videos, limits)
            if not agreement.is_full:
                raise RunError(_differs(name, agreement, limits is not None))
            checks[name] = agreement
        except RunError as error:
            file.unlink(missing_ok=True)
            problems += error.problems
    described = describe(predictor, folder / WEIGHTS, tested)
    if TORCHSCRIPT in checks:
        problems += _write_script(predictor, folder, described, (split, videos, limits), checks)
    described["checks"] = {name: asdict(agreement) for name, agreement in checks.items()}
    write_text(folder / README, readme(described, checks))
    described["files"] = {
        file.name: {"bytes": file.stat().st_size, "sha256": exporting.sha256_of(file)}
        for file in sorted(folder.iterdir())
        if file.name != CARD
    }
    write_json(folder / CARD, described)
    return checks, problems


def _write_script(
    predictor: Predictor,
    folder: Path,
    described: dict[str, Any],
    checked_on: tuple[str, list[CheckedVideo], np.ndarray | None],
    checks: dict[str, Agreement],
) -> list[Problem]:
    """Write `predict.py` and run it; returns what is wrong with it."""
    split, videos, limits = checked_on
    write_text(folder / SCRIPT, script(predictor.plan))
    # It reads them.
    write_json(folder / CARD, described)
    whole = [video for video in videos if video.is_whole]
    if not whole:
        wrong = "was not tried: the videos of the training are pieces of files or folders of images, and it reads files"
        return [Problem(SCRIPT, wrong, "Try it on a file that you know the label of")]
    try:
        checks[SCRIPT] = agreement = compare_script(folder / SCRIPT, split, whole, limits)
    except AutoXVideoError as error:
        (folder / SCRIPT).unlink()
        return list(error.problems)
    if agreement.num_same < agreement.num_videos:
        wrong = f"does not say what the training's own decoding leads to: {agreement.words(limits is not None)}"
        return [Problem(SCRIPT, wrong, "Use `autox-video predict --model` with this folder where that matters")]
    return []


def _differs(name: str, agreement: Agreement, several_labels: bool) -> Problem:
    wrong = f"says something else than the trained model: {agreement.words(several_labels)}"
    return Problem(name, f"{wrong} ({MAX_DIFFERENCE:g} is put up with)", "It was removed; the rest can be used")
