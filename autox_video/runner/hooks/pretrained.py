"""Start from pretrained weights: once, at the beginning of a run that does not resume."""

from __future__ import annotations

import logging

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

from autox_video.runner.checkpoints import load_pretrained
from autox_video.runner.weights import fetch_weights

logger = logging.getLogger(__name__)


@HOOKS.register_module()
class PretrainedWeightsHook(Hook):
    """Loads weights after MMEngine has initialised the model, and says what was loaded.

    Args:
        load_from: A path or a URL; a URL is looked up in the cache first.
        num_classes: Classes of this run; a head for another number is initialised anew.
    """

    def __init__(self, load_from: str, num_classes: int) -> None:
        self.load_from = load_from
        self.num_classes = num_classes

    def before_train(self, runner) -> None:  # type: ignore[no-untyped-def]
        """Load, unless the run has resumed from a checkpoint of its own."""
        if runner.iter > 0 or runner.epoch > 0:
            return
        path = fetch_weights(self.load_from)
        assert path is not None, "a run from scratch has no PretrainedWeightsHook"
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        report = load_pretrained(model, path, self.num_classes)
        logger.info("%s", report.summary)
        for line in report.details:
            runner.logger.info(f"{path.name}: {line}")
