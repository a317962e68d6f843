"""MMAction2 breaks where the package `transformers` is installed, whoever installed it.

Symptom: `import mmaction.models` raises `No module named 'timm'`; with timm installed too, and transformers 5,
    `cannot import name ... from 'transformers...'`. Seen with transformers 5.23. MMAction2 takes its presence
    for the wish to use VindLU, its one model of text and video, whose other requirements it does not check.
Affected: MMAction2 1.2.0.
Upstream: mmaction/utils/dependency.py, `WITH_MULTIMODAL`; not reported.
Delete when: VindLU is imported only when it is built, or all that it imports is checked before.
"""

from __future__ import annotations

from autox_video.runner.compat import upstream_source


def needed() -> bool:
    """Whether VindLU is imported on the word of one package, and imports others too."""
    condition = upstream_source("mmaction", "utils/dependency.py")
    imports = upstream_source("mmaction", "models/multimodal/vindlu/temporal_model.py")
    return "['transformers>=4.28.0']" in condition and "from timm." in imports


def apply() -> None:
    """Leave VindLU to the placeholder that stands in for it where transformers is not installed."""
    from mmaction.utils import dependency

    dependency.WITH_MULTIMODAL = False
