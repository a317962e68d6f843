"""What the console shows below the figures of either kind of results."""

from __future__ import annotations

from typing import Any

from autox_video.report.calibration import calibration_lines
from autox_video.report.ensembles import ensemble_lines
from autox_video.report.folds import fold_lines
from autox_video.report.motion_probe import probe_lines


def added_lines(results: Any) -> list[str]:
    """Of results of either kind: folds, what confidences are worth, what motion means, members of an ensemble."""
    return [
        *fold_lines(results.folds),
        *calibration_lines(results.calibration),
        *probe_lines(results.probe),
        *ensemble_lines(results.ensemble),
    ]
