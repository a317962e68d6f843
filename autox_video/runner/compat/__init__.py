"""Defects of the released libraries, one file each, found by scanning this folder.

MMAction2 1.2.0 and MMEngine 0.10.7 are the last releases: what is broken in them stays broken
unless it is mended here. A file says in its docstring the symptom, the versions, where it is known
upstream and when to delete it, and holds two functions: `needed()`, which looks at the installed
files without importing them, and `apply()`, which may be called any number of times.
"""

from __future__ import annotations

import importlib.util
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules


def apply_all() -> list[str]:
    """Apply every fix that the installed versions need; `import mmaction.models` works afterwards.

    Returns:
        Names of the applied fixes.
    """
    names = sorted(module.name for module in iter_modules(__path__))
    fixes = {name: import_module(f"{__name__}.{name}") for name in names}
    applied = [name for name, fix in fixes.items() if fix.needed()]
    for name in applied:
        fixes[name].apply()
    return applied


def upstream_path(package: str, path: str) -> Path:
    """A file or folder of an installed package; the package is not imported, and need not be importable."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    return Path(spec.origin).parent / path


def upstream_source(package: str, path: str) -> str:
    """Text of a file of an installed package, or nothing where there is no such file."""
    file = upstream_path(package, path)
    return file.read_text(encoding="utf-8") if file.is_file() else ""
