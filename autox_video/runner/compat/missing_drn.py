"""MMAction2's wheel forgot a sub-package.

Symptom: `import mmaction.models` raises `No module named 'mmaction.models.localizers.drn'`.
Affected: MMAction2 1.2.0 from a wheel; a source checkout is whole.
Upstream: https://github.com/open-mmlab/mmaction2/issues/2714
Delete when: a release ships `mmaction/models/localizers/drn/drn.py`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from autox_video.runner.compat import upstream_path

PACKAGE = "mmaction.models.localizers.drn"


class DRN:
    """Stands in for the temporal localizer that is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("MMAction2's wheel lacks DRN: install MMAction2 from its source to use it")


def needed() -> bool:
    """Whether the file is missing. By its path: looking the module up would import the parents, which is the crash."""
    return not upstream_path("mmaction", "models/localizers/drn/drn.py").is_file()


def apply() -> None:
    """Put a package and a module in the place of the missing ones, and register the model they should have."""
    if PACKAGE in sys.modules:
        return
    from mmaction.registry import MODELS

    MODELS.register_module(module=DRN)
    package, module = ModuleType(PACKAGE, __doc__), ModuleType(f"{PACKAGE}.drn", __doc__)
    package.__path__ = []
    module.DRN = DRN  # type: ignore[attr-defined]
    package.drn = module  # type: ignore[attr-defined]
    sys.modules |= {PACKAGE: package, f"{PACKAGE}.drn": module}
