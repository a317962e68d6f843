"""benchmarks/measure_activation.py as a module: it builds models without memory, and measures them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

PATH = Path(__file__).parent.parent / "benchmarks" / "measure_activation.py"
spec = importlib.util.spec_from_file_location(PATH.stem, PATH)
measure_activation = importlib.util.module_from_spec(spec)
# Its dataclasses look their module up by name.
sys.modules[spec.name] = measure_activation
spec.loader.exec_module(measure_activation)
