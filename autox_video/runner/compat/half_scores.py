"""MMAction2's heads cannot train in bfloat16.

Symptom: with `AmpOptimWrapper(dtype='bfloat16')` the first step raises `Got unsupported ScalarType BFloat16`,
    from `cls_scores.detach().cpu().numpy()` in `BaseHead.loss_by_feat`, where the accuracy is computed.
Affected: MMAction2 1.2.0 with every version of torch and numpy: numpy has no bfloat16.
Upstream: mmaction/models/heads/base.py; not reported.
Delete when: `loss_by_feat` casts the scores before `.numpy()`.
"""

from __future__ import annotations

import functools
from typing import Any

from autox_video.runner.compat import deformable_attention, missing_drn, transformers_installed, upstream_source


def needed() -> bool:
    """Whether the installed head hands its scores to numpy in the format they come in."""
    return "cls_scores.detach().cpu().numpy()" in upstream_source("mmaction", "models/heads/base.py")


def apply() -> None:
    """Cast the scores to float32 before accuracy and loss; float32 scores pass unchanged."""
    # The import below needs all three, and not all come before this file in the alphabet.
    for fix in (deformable_attention, missing_drn, transformers_installed):
        if fix.needed():
            fix.apply()
    from mmaction.models.heads.base import BaseHead

    loss_by_feat = BaseHead.loss_by_feat
    if hasattr(loss_by_feat, "__wrapped__"):
        return

    @functools.wraps(loss_by_feat)
    def loss_by_float_feat(self: Any, cls_scores: Any, data_samples: Any) -> dict[str, Any]:
        return loss_by_feat(self, cls_scores.float(), data_samples)

    BaseHead.loss_by_feat = loss_by_float_feat
