from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from autox_video.runner import compat

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in Path(compat.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_fix_is_documented_and_has_its_two_functions(name):
    fix = import_module(f"autox_video.runner.compat.{name}")
    for word in ("Symptom", "Affected", "Upstream", "Delete when"):
        assert re.search(rf"(?m)^{word}: \S", fix.__doc__), f"{name} says nothing of: {word}"
    assert fix.needed.__doc__
    assert fix.apply.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_every_fix_is_still_needed(name):
    fix = import_module(f"autox_video.runner.compat.{name}")
    assert fix.needed(), f"the installed versions no longer have the defect: delete compat/{name}.py"


@pytest.mark.parametrize("name", NAMES)
def test_every_fix_has_a_test_of_its_own(name):
    assert (Path(__file__).parent / f"test_runner_compat_{name}.py").is_file()


def test_all_fixes_are_found_and_can_be_applied_again():
    assert compat.apply_all() == NAMES
    assert compat.apply_all() == NAMES


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(ModuleNotFoundError, match="No module named 'mmnothing'"):
        compat.upstream_path("mmnothing", "any.py")


def test_a_file_that_is_gone_upstream_has_no_defect():
    assert compat.upstream_source("mmaction", "models/no_such_file.py") == ""


CODE = """
import sys
from autox_video.runner import compat
assert [n for n in NAMES if compat.import_module(f"autox_video.runner.compat.{n}").needed()] == NAMES
assert not [m for m in ("torch", "mmaction", "mmengine", "mmcv") if m in sys.modules], "needed() imports nothing"
compat.apply_all()
import mmaction.models
from mmaction.registry import MODELS
try:
    MODELS.build(dict(type="DRN"))
except NotImplementedError as error:
    print(error)
"""


def test_mmaction2_imports_after_all_fixes_without_a_warning_that_misleads():
    """In a process of its own: this one may have imported MMAction2 already."""
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", CODE.replace("NAMES", repr(NAMES))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "MMAction2's wheel lacks DRN: install MMAction2 from its source to use it" in done.stdout
    assert "MultiScaleDeformableAttention" not in done.stderr
