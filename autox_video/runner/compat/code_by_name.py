"""MMEngine's registries import any module and call any function that a config names.

Symptom: `type: os.system` in a config, or `cfg_options: {custom_hooks: [{type: subprocess.call, args: [...]}]}` in a
    config.yaml, runs a program: a name that is not registered is taken for an import path. A `type` or `_scope_`
    such as `other.Thing` imports `other.registry` from wherever Python finds it, the current folder included.
Affected: MMEngine 0.10.7, and earlier ones with configs in pure Python.
Upstream: https://github.com/open-mmlab/mmengine/pull/1071, which brought those configs and wants it so
Delete when: MMEngine builds only what has been registered.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from autox_video.runner.compat import upstream_source


def needed() -> bool:
    """Whether the installed MMEngine looks names up outside its registries."""
    return "obj_cls = get_object_from_string(key)" in upstream_source("mmengine", "registry/registry.py")


def apply() -> None:
    """Leave registered names, and the registries of packages that this process has imported by itself."""
    from mmengine.registry import registry

    registry.get_object_from_string = _not_registered
    registry.import_module = _imported_already


def _not_registered(name: str) -> None:
    """MMEngine goes on to say that no registry has the name."""


def _imported_already(name: str) -> ModuleType:
    if name.partition(".")[0] not in sys.modules:
        raise ModuleNotFoundError(f"{name} is named by a config and not imported because of that", name=name)
    return importlib.import_module(name)
