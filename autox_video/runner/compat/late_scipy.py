"""MMAction2 imports all of `scipy.stats` for one function of its pose transforms.

Symptom: `import mmaction.datasets` takes as long again as it would without: half a second and more.
Affected: MMAction2 1.2.0.
Upstream: mmaction/datasets/transforms/pose_transforms.py; not reported.
Delete when: that file no longer says `from scipy.stats import mode`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from autox_video.runner.compat import upstream_source

FILE, MODULE = "datasets/transforms/pose_transforms.py", "mmaction.datasets.transforms.pose_transforms"
STATS = "scipy.stats"


def needed() -> bool:
    """Whether the installed transforms import it at once."""
    return "from scipy.stats import mode" in upstream_source("mmaction", FILE)


def apply() -> None:
    """Import the transforms with a stand-in in its place, whose function imports the real one when it is called."""
    if MODULE in sys.modules or STATS in sys.modules:
        return
    stand_in = ModuleType(STATS, __doc__)
    stand_in.mode = _mode  # type: ignore[attr-defined]
    sys.modules[STATS] = stand_in
    try:
        import_module(MODULE)
    finally:
        del sys.modules[STATS]


def _mode(*args: Any, **kwargs: Any) -> Any:
    """`scipy.stats.mode`."""
    return import_module(STATS).mode(*args, **kwargs)
