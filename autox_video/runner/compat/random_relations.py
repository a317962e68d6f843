"""TRN scores a video differently each time.

Symptom: two tests of one checkpoint of a TRN give different scores: of the relations between some of the frames, of
    which there are too many to compute all, its head draws three of each kind anew for each batch, in training and in
    testing alike, from numpy's global generator.
Affected: MMAction2 1.2.0.
Upstream: mmaction/models/heads/trn_head.py, `RelationModuleMultiScale`; not reported.
Delete when: a TRN in `eval()` computes the same relations each time.
"""

from __future__ import annotations

import functools
from typing import Any

from autox_video.runner.compat import deformable_attention, missing_drn, transformers_installed, upstream_source


def needed() -> bool:
    """Whether the installed head draws relations, whatever it is used for."""
    source = upstream_source("mmaction", "models/heads/trn_head.py")
    return "np.random.choice(" in source and "self.training" not in source


def apply() -> None:
    """Outside of training take as many relations as ever, spread evenly over all of their kind."""
    # The import below needs all three.
    for fix in (deformable_attention, missing_drn, transformers_installed):
        if fix.needed():
            fix.apply()
    from mmaction.models.heads.trn_head import RelationModuleMultiScale

    forward = RelationModuleMultiScale.forward
    if hasattr(forward, "__wrapped__"):
        return

    @functools.wraps(forward)
    def steady_outside_of_training(self: Any, x: Any) -> Any:
        return forward(self, x) if self.training else _relate(self, x)

    RelationModuleMultiScale.forward = steady_outside_of_training


def _relate(module: Any, x: Any) -> Any:
    """(N, num_segments, hidden_dim) features to (N, num_classes) scores."""
    scores = 0
    kinds = zip(module.relations_scales, module.subsample_scales, module.fc_fusion_scales, strict=True)
    for relations, count, fuse in kinds:
        for number in range(count):
            frames = relations[(2 * number + 1) * len(relations) // (2 * count)]
            scores = scores + fuse(x[:, list(frames)].flatten(1))
    return scores
