"""A trained model in this process: clips in, probabilities out. What every use of a model but the test stands on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch import nn

from autox_video.decoding import Reader, piece_of
from autox_video.errors import Problem, RequestError, RunError
from autox_video.plan.hardware import detect_hardware
from autox_video.plan.make_predict_plan import make_predict_plan
from autox_video.plan.schema import Plan
from autox_video.presets import load_preset
from autox_video.render.config import render_config
from autox_video.runner import components  # noqa: F401  (registers our parts and applies the upstream fixes)
from autox_video.runner.allocation import keep_freed_memory
from autox_video.runner.batches import stack_clips
from autox_video.runner.build import check_device, quiet_mmengine
from autox_video.runner.checkpoints.trained import TrainedModel, read_trained
from autox_video.runner.plugins import import_plugins
from autox_video.runner.scoring_loops import score_batch
from autox_video.settings.lists import plugin_name
from autox_video.tasks import load_task


class Predictor:
    """A trained model, ready to score. Several threads may `score` with one; `features` are for one at a time.

    Attributes:
        trained: What its file says.
        plan: What it does here: views, device.
        classes: Class names; the position is the class id.
        task: The module of `autox_video.tasks`.
        thresholds: The probability from which on a video has a label, one a class; None where the highest one counts.
        temperature: What the logits are divided by to make confidences true; None where that was not fitted.
        model: The MMAction2 recognizer, in evaluation mode, on its device.

    Args:
        trained: The weights and their plan.
        plan: As `make_predict_plan` makes it of that.
    """

    def __init__(self, trained: TrainedModel, plan: Plan) -> None:
        check_device(plan)
        cv2.setNumThreads(0)
        if plan.device.value == "cpu":
            keep_freed_memory()
        config = render_config(plan, load_preset(plan.model.value), Path(os.devnull).parent)
        with DefaultScope.overwrite_default_scope("mmaction"), quiet_mmengine():
            self.model: Any = MODELS.build(config.model)
            self._steps: list[Any] = Compose(config.test_dataloader.dataset.pipeline).transforms
        self.model.load_state_dict(trained.state_dict)
        self.model.to(plan.device.value).eval()
        self.trained, self.plan = trained, plan
        self.classes, self.task = plan.classes, load_task(plan.task)
        self.thresholds, self.temperature = trained.thresholds, trained.temperature

    def clips_of(
        self, reader: Reader, start_seconds: float | None = None, end_seconds: float | None = None
    ) -> torch.Tensor:
        """What the network is shown of a video: all views of the test, through the test's pipeline.

        Args:
            reader: The open video.
            start_seconds: Where the piece that counts begins; None at the first frame.
            end_seconds: Where it ends; None after the last frame.

        Returns:
            uint8, shape (M, 3, T, H, W), M views of a video; (M, 3, H, W), M frames, for networks that take frames.

        Raises:
            DecodingError: A frame cannot be decoded.
        """
        first, count = 0, reader.num_frames
        if (start_seconds, end_seconds) != (None, None):
            first, count = piece_of(reader.times(), start_seconds, end_seconds)
        shape = (reader.height, reader.width)
        results: Any = {
            **{"video_reader": reader, "avg_fps": reader.fps, "total_frames": count, "start_index": first},
            **{"original_shape": shape, "img_shape": shape, "filename": "", "label": -1, "modality": "RGB"},
        }
        # The first step of the pipeline opens a file; this one is open.
        for step in self._steps[1:]:
            results = step(results)
        clips: torch.Tensor = results["inputs"]
        return clips

    def score(self, batch: Sequence[torch.Tensor]) -> np.ndarray:
        """Probabilities of videos.

        Args:
            batch: N tensors as `clips_of` returns them.

        Returns:
            float32, shape (N, num_classes): of each class, averaged over the views.

        Raises:
            RunError: The GPU has not the memory for one video.
        """
        return _in_parts(self._score, batch)

    def _score(self, batch: Sequence[torch.Tensor]) -> np.ndarray:
        outputs = score_batch(self.model, self._batch(batch), self.plan.scoring_amp.value)
        scores = [self.task.probabilities(sample.pred_score.float().cpu().numpy()) for sample in outputs]
        return np.stack(scores).astype(np.float32)

    def features(self, batch: Sequence[torch.Tensor]) -> np.ndarray:
        """What the classes are told apart by: the input of the last layer, averaged over the views.

        Args:
            batch: N tensors as `clips_of` returns them.

        Returns:
            float32, shape (N, D).

        Raises:
            RunError: The model's head ends in no layer with an output for each class, or the GPU has not the memory for
                one video.
        """
        return _in_parts(self._features, batch)

    def _features(self, batch: Sequence[torch.Tensor]) -> np.ndarray:
        with self._listening() as heard, torch.no_grad():
            self.model.test_step(self._batch(batch))
        # A row is a view, or a frame of one.
        parts = [part.float().flatten(1).unflatten(0, (len(batch), -1)).mean(1) for part in heard]
        features: np.ndarray = torch.cat(parts, 1).cpu().numpy()
        return features

    @contextmanager
    def _listening(self) -> Iterator[list[torch.Tensor]]:
        """While the block runs, the inputs of the layers that give a number for each class are collected."""
        heard: list[torch.Tensor] = []
        last = [module for module in self.model.cls_head.modules() if _width(module) == len(self.classes)]
        if not last:
            wrong = "has no linear layer with an output for each class, so there are no features"
            cure = "Use a model of `autox-video models`"
            raise RunError(Problem(f"the head of {self.plan.model.value}", wrong, cure))
        hooks = [module.register_forward_pre_hook(lambda _, given: heard.append(given[0])) for module in last]
        try:
            yield heard
        finally:
            for hook in hooks:
                hook.remove()

    def _batch(self, batch: Sequence[torch.Tensor]) -> dict[str, Any]:
        return stack_clips([{"inputs": clips, "data_samples": ActionDataSample()} for clips in batch])


def open_predictor(
    source: Path,
    device: str = "auto",
    views: tuple[int, int] | None = None,
    plugins: Sequence[str] = (),
) -> Predictor:
    """Make a trained model ready.

    Args:
        source: The work dir of a training, its `best.pth` or `best.safetensors`, or an exported folder.
        device: `auto` (a GPU where there is one), `cpu` or `cuda`.
        views: Clips of a video and crops of each clip; None as when it was trained.
        plugins: Those it was trained with, as in `plugins:` of a config.yaml: a file never has code imported.

    Raises:
        RequestError: There is no model, a plugin is not named, or CUDA is asked for without a GPU.
        RunError: The file is damaged.
    """
    trained = read_trained(source)
    named = {plugin_name(plugin) for plugin in plugins}
    if missing := [plugin for plugin in trained.plan.plugins.value if plugin not in named]:
        wrong = "was trained with plugins, and a file of weights has no code imported"
        cure = f"Add {' '.join(f'--plugin {plugin}' for plugin in missing)}, if you trust them"
        raise RequestError(Problem(str(trained.path), wrong, cure))
    import_plugins(plugins)
    return Predictor(trained, make_predict_plan(trained.plan, detect_hardware(device), device, views))


def _in_parts(compute: Callable[[Sequence[torch.Tensor]], np.ndarray], batch: Sequence[torch.Tensor]) -> np.ndarray:
    """What is computed of a batch; one that the GPU has no memory for is halved."""
    try:
        return compute(batch)
    except torch.cuda.OutOfMemoryError as error:
        if len(batch) == 1:
            wrong, cure = "has not the memory for one video", "Ask for fewer --views, or use --device cpu"
            raise RunError(Problem("the GPU", wrong, cure)) from error
        half = len(batch) // 2
    # The error held on to what had been computed.
    torch.cuda.empty_cache()
    return np.concatenate([_in_parts(compute, batch[:half]), _in_parts(compute, batch[half:])])


def _width(module: nn.Module) -> int | None:
    """Outputs of a layer that is linear in its channels."""
    if isinstance(module, nn.Linear):
        return module.out_features
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return module.out_channels
    return None
