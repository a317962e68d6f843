from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import sys
from autox_video.runner.compat import apply_all
apply_all()
from mmaction.datasets.transforms import pose_transforms
before = "scipy.stats" in sys.modules
mode = pose_transforms.mode([3, 1, 3])
import scipy
print(before, mode.mode.tolist(), mode.count.tolist(), "scipy.stats" in sys.modules, scipy.stats.zscore([1.0, 3.0]).tolist())
"""


def test_it_is_imported_when_it_is_called():
    """In a process of its own: in this one it may have been imported long ago."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == "False 3 2 True [-1.0, 1.0]"
