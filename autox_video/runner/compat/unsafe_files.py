"""MMEngine's `load()` runs the code that is in a pickle or a YAML file.

Symptom: `mmengine.load("labels.pkl")` and `mmengine.load("labels.yaml")` execute what the file says
    (`!!python/object/apply:os.system` in YAML). Data sets of MMAction2 that `cfg_options` may name read their
    annotations so, and `BaseDataset` does for every list it is given.
Affected: MMEngine 0.10.7 and earlier.
Upstream: not reported; https://github.com/open-mmlab/mmengine/issues/1655 is the same of checkpoints
Delete when: MMEngine reads YAML through the safe loader and no pickles.
"""

from __future__ import annotations

import pickle
from typing import Any

from autox_video.errors import Problem, RunError
from autox_video.runner.compat import upstream_source

# What lists of poses and features are made of; containers and texts need no name.
ADMITTED = {
    *(("collections", name) for name in ("OrderedDict", "defaultdict")),
    *(("builtins", name) for name in ("set", "frozenset", "list", "dict", "int", "complex", "bytearray")),
    *(
        (module, name)
        for module in ("numpy._core.multiarray", "numpy.core.multiarray")
        for name in ("_reconstruct", "scalar")
    ),
    *(("numpy", name) for name in ("ndarray", "dtype")),
}


def needed() -> bool:
    """Whether the installed MMEngine unpickles whatever is in a file."""
    return "return pickle.load(file" in upstream_source("mmengine", "fileio/handlers/pickle_handler.py")


def apply() -> None:
    """Register readers that build plain values, through MMEngine's public hook for it."""
    import yaml
    from mmengine.fileio import PickleHandler, YamlHandler, register_handler

    class PlainPickle(PickleHandler):
        def load_from_fileobj(self, file: Any, **kwargs: Any) -> Any:
            return _PlainUnpickler(file, **kwargs).load()

    class PlainYaml(YamlHandler):
        def load_from_fileobj(self, file: Any, **kwargs: Any) -> Any:
            return yaml.safe_load(file)

    register_handler(["pickle", "pkl"])(PlainPickle)
    register_handler(["yaml", "yml"])(PlainYaml)


class _PlainUnpickler(pickle.Unpickler):
    """Finds nothing but the names of `ADMITTED`."""

    def find_class(self, module: str, name: str) -> Any:
        # Protocol 2 has the names of Python 2.
        module = "builtins" if module == "__builtin__" else module
        if (module, name) in ADMITTED:
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):
            return _bytes
        wrong = "holds objects that only running its code can rebuild"
        raise RunError(Problem("a pickle file", wrong, "Convert it where that does no harm", f"{module}.{name}"))


def _bytes(text: str, encoding: str) -> bytes:
    """How pickle's second protocol writes bytes."""
    return text.encode("latin1")
