from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
from autox_video.runner.compat import apply_all
from mmaction.utils import dependency
assert dependency.WITH_MULTIMODAL, "the condition under which the import fails"
apply_all()
import mmaction.models
from mmaction.registry import MODELS
try:
    MODELS.get("VindLUVQA")()
except ImportError as error:
    print(error)
"""


@pytest.fixture
def transformers(tmp_path) -> Path:
    """A folder with an installed package of that name and nothing in it."""
    (tmp_path / "transformers").mkdir()
    (tmp_path / "transformers" / "__init__.py").touch()
    info = tmp_path / "transformers-5.23.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: transformers\nVersion: 5.23.0\n")
    return tmp_path


def test_mmaction2_imports_beside_transformers(transformers):
    """In a process of its own: this one may have imported MMAction2 already."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{transformers}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "requires extra multi-modal dependencies" in done.stdout
