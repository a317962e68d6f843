from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In a process of its own: in this one the fix may have been applied already.
STOCK = """
import sys
from mmengine.registry import HOOKS
for part in ({'type': 'os.mkdir', 'path': sys.argv[1]}, {'type': 'foreign.Part'}, {'type': 'foreign_module'}):
    try:
        HOOKS.build(part)
    except Exception as error:
        print(type(error).__name__)
"""
FIXED = STOCK.replace("for part", "from autox_video.runner.compat import code_by_name; code_by_name.apply()\nfor part")


@pytest.mark.parametrize(("code", "runs"), [(STOCK, True), (FIXED, False)], ids=["stock", "fixed"])
def test_a_name_that_is_not_registered_runs_and_imports_nothing(code, runs, tmp_path):
    """A part `type: os.mkdir`, a package that its scope names, and a module of its own name, both beside the data."""
    (tmp_path / "foreign").mkdir()
    for file in ("foreign/__init__.py", "foreign_module.py"):
        (tmp_path / file).write_text(f"import os; os.mkdir({str(tmp_path / f'{Path(file).parts[0]}_ran')!r})")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "mkdir_ran")],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    expected = ["foreign_module.py_ran", "foreign_ran", "mkdir_ran"] if runs else []
    assert sorted(path.name for path in tmp_path.glob("*_ran")) == expected
    if not runs:
        assert done.stdout.split() == ["KeyError"] * 3


def test_what_is_registered_is_built_as_before():
    from autox_video.runner.compat import code_by_name

    code_by_name.apply()
    from mmengine.registry import HOOKS

    assert type(HOOKS.build({"type": "mmengine.EMAHook"})).__name__ == "EMAHook"
    assert type(HOOKS.build({"type": "EMAHook"})).__name__ == "EMAHook"
