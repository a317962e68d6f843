"""A trained model as a network that runs without this package: bytes in, probabilities out, TorchScript or ONNX."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from autox_video.errors import Problem, RunError
from autox_video.runner.build import quiet_mmengine
from autox_video.runner.checkpoints import load_checkpoint_file, sha256_of
from autox_video.runner.checkpoints.card import write_weights_with_card, write_with_views
from autox_video.runner.predictor import Predictor

__all__ = [
    "ExportedNetwork",
    "Network",
    "copy_weights",
    "load_onnx",
    "load_torchscript",
    "sha256_of",
    "write_onnx",
    "write_torchscript",
]

# Operators of ONNX, the first set that has all that is needed here: runtimes from 2022 on know it.
OPSET = 17
# How a head of MMAction2 joins the views of a video: as probabilities, or before they are.
AVERAGES = ("prob", "score")
# Of what torch says when it cannot: some reasons are a page.
MAX_REASON = 160
# Takes clips, N times what `Predictor.clips_of` gives; returns probabilities, float32, (N, num_classes).
Network = Callable[[np.ndarray], np.ndarray]


class ExportedNetwork(nn.Module):
    """What happens to the clips of a video in a test, in one network: normalised, seen, averaged, made probabilities.

    Args:
        predictor: The trained model; it computes on the CPU.

    Raises:
        RunError: Its head does not average over the views of a video.
    """

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self.model = predictor.model
        self.average = self.model.cls_head.average_clips
        if self.average not in AVERAGES:
            wrong, cure = "does not average over the views of a video", "Set average_clips of the head to prob or score"
            raise RunError(Problem("the head of the model", wrong, cure, repr(self.average)))
        self.several_labels = predictor.plan.task == "multi_label"
        given = self.model.data_preprocessor
        self.swaps_colours = bool(given.to_rgb)
        self.register_buffer("mean", given.mean.clone() if given._enable_normalize else torch.zeros(()))
        self.register_buffer("std", given.std.clone() if given._enable_normalize else torch.ones(()))
        # It bounds memory and nothing else, and takes one video at a time.
        if self.model.test_cfg:
            self.model.test_cfg = {k: v for k, v in self.model.test_cfg.items() if k != "max_testing_views"}
        self.requires_grad_(False).eval()

    def forward(self, clips: Tensor) -> Tensor:
        """Probabilities of videos.

        Args:
            clips: uint8, (N, M, 3, T, H, W); of a network that takes frames (N, M x T, 3, H, W).

        Returns:
            float32, (N, num_classes).
        """
        if self.swaps_colours:
            clips = clips.flip(2)
        features, how = self.model.extract_feat((clips.float() - self.mean) / self.std, test_mode=True)
        scores = self.model.cls_head(features, **how)
        scores = scores.view(clips.shape[0], -1, scores.shape[-1])
        scores = (scores.softmax(2) if self.average == "prob" else scores).mean(1)
        return scores.sigmoid() if self.several_labels else scores


def copy_weights(predictor: Predictor, path: Path) -> None:
    """Write the weights of a training and their card, as in its `best.safetensors`, with the views of a predictor.

    Args:
        predictor: The trained model.
        path: The file, which ends in `.safetensors`.

    Raises:
        RunError: It cannot be written.
    """
    trained, plan = predictor.trained, predictor.plan
    weights = trained.path
    if weights.suffix != path.suffix:
        write_weights_with_card(path, load_checkpoint_file(weights))
        weights = path
    write_with_views(weights, path, plan)


def write_torchscript(network: ExportedNetwork, clips: np.ndarray, path: Path) -> None:
    """Write a network as TorchScript, with its weights.

    `torch.jit` gets no new features, and newer torch says so at every call; but what it writes today torch 2.4 reads
    as well as the newest, which cannot be said of `torch.export` (its files of 2.15 are none to 2.4).

    Args:
        network: The network.
        clips: An example of what it takes; another number of videos will do too.
        path: The file, which is not written durably.

    Raises:
        RunError: The network cannot be traced.
    """
    with _refusing(path, "traced by torch.jit"):
        traced: Any = torch.jit.trace(network, torch.from_numpy(clips), check_trace=False)
        traced.save(str(path))


def write_onnx(network: ExportedNetwork, clips: np.ndarray, path: Path) -> None:
    """Write a network as ONNX with the inputs `clips`, the outputs `probabilities` and a free number of videos.

    By the exporter of torch that traces: of every preset it makes a file with the scores of the network, in seconds.
    (The newer one takes ten times as long, and another package.)

    Args:
        network: The network.
        clips: An example of what it takes.
        path: The file, which is not written durably.

    Raises:
        RunError: The network has what ONNX has no operator for.
    """
    names = {"input_names": ["clips"], "output_names": ["probabilities"]}
    free = {"clips": {0: "videos"}, "probabilities": {0: "videos"}}
    with _refusing(path, "written as ONNX"):
        torch.onnx.export(
            network,
            (torch.from_numpy(clips),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            dynamic_axes=free,
            # What can be computed from weights is computed where it runs. In Video Swin that is the position bias of
            # pairs of tokens: the file would be three times as large.
            do_constant_folding=False,
            **names,
        )


def load_torchscript(path: Path) -> Network:
    """The network in a file of `write_torchscript`, on the CPU; it raises RunError where it takes no such clips."""
    with _quiet():
        loaded: Any = torch.jit.load(str(path), map_location="cpu").eval()

    def run(clips: np.ndarray) -> np.ndarray:
        with _refusing(path, f"run on {len(clips)} video(s) at a time"):
            found: np.ndarray = loaded(torch.from_numpy(clips)).numpy()
        return found

    return run


def load_onnx(path: Path) -> Network:
    """The network in a file of `write_onnx`, in ONNX Runtime on the CPU; otherwise as `load_torchscript`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # What it has to say is in the exception.
    options.log_severity_level = 4
    with _refusing(path, "loaded by ONNX Runtime"):
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(clips: np.ndarray) -> np.ndarray:
        with _refusing(path, f"run on {len(clips)} video(s) at a time"):
            found: np.ndarray = session.run(None, {"clips": clips})[0]
        return found

    return run


@contextmanager
def _refusing(path: Path, how: str) -> Iterator[None]:
    """While the block runs, torch is quiet, and whatever it cannot do is an error in a sentence."""
    try:
        with _quiet(), torch.no_grad():
            yield
    # Each operator that cannot be exported has an error of its own.
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        # What TorchScript was doing comes before what is wrong.
        reason = lines[-1 if "TorchScript interpreter" in lines[0] else 0][:MAX_REASON]
        cure = "The weights are in the bundle without it; see the table in docs/export.md"
        raise RunError(Problem(path.name, f"the network cannot be {how}", cure, reason)) from error


@contextmanager
def _quiet() -> Iterator[None]:
    with quiet_mmengine(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
