"""MMAction2's `PoseCompact` uses a name that numpy 2 removed.

Symptom: `PoseCompact` raises `np.Inf was removed in the NumPy 2.0 release`.
Affected: MMAction2 1.2.0 with numpy 2.0 and later.
Upstream: mmaction/datasets/transforms/pose_transforms.py; not reported.
Delete when: that file no longer says `np.Inf`, or numpy 1 is the only one supported.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from autox_video.runner.compat import upstream_source

FILE = "datasets/transforms/pose_transforms.py"


def needed() -> bool:
    """Whether the installed transforms want the name and the installed numpy lacks it."""
    return not hasattr(np, "Inf") and "np.Inf" in upstream_source("mmaction", FILE)


def apply() -> None:
    """Give that one module a numpy with the old name; numpy itself stays as it is."""
    from mmaction.datasets.transforms import pose_transforms

    numpy_with_inf = ModuleType("numpy", np.__doc__)
    numpy_with_inf.__dict__.update(vars(np), Inf=np.inf)
    pose_transforms.np = numpy_with_inf
