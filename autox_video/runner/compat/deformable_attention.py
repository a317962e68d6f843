"""mmcv-lite advises against itself.

Symptom: every program that imports MMAction2's models warns that MultiScaleDeformableAttention cannot be
    imported and that `mmcv` should be installed in place of `mmcv-lite`. Video Swin does not use it,
    and the full mmcv has no wheel for today's torch.
Affected: mmcv-lite, all versions.
Upstream: mmcv/cnn/bricks/transformer.py; nowhere reported as a defect.
Delete when: mmcv-lite imports that operator without a warning, or is no longer a dependency.
"""

from __future__ import annotations

import warnings

from autox_video.runner.compat import upstream_source

MESSAGE = "Fail to import ``MultiScaleDeformableAttention``"


def needed() -> bool:
    """Whether the installed mmcv holds the warning."""
    return MESSAGE in upstream_source("mmcv", "cnn/bricks/transformer.py")


def apply() -> None:
    """Ignore this one warning."""
    warnings.filterwarnings("ignore", message=MESSAGE, category=UserWarning)
