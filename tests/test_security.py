"""SECURITY.md promises what is tested, and names the versions that the code knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from autox_video import doctor
from autox_video.settings.messages import CODE_WORDS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ATTACKS = ROOT / "tests" / "integration" / "test_integration_attacks.py"


def test_each_attack_that_is_tested_has_its_line_and_each_line_its_test() -> None:
    tested = [
        node.name for node in ast.parse(ATTACKS.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    ]
    promised = {f"test_{name}" for name in re.findall(r"(?m)^\| `(\w+)` \|", TEXT)}
    assert promised == {name for name in tested if name.startswith("test_")}


def test_it_names_the_versions_that_the_code_knows() -> None:
    (decord,) = (wanted for wanted in doctor.requirements() if wanted.name == "decord")
    assert f"decord {str(decord.specifier).removeprefix('==')}" in TEXT
    source = (ROOT / "autox_video" / "runner" / "checkpoints" / "pretrained.py").read_text(encoding="utf-8")
    (version,) = re.findall(r"FIRST_SAFE_TORCH = \((\d+), (\d+)\)", source)
    assert f"**torch before {'.'.join(version)}**" in TEXT


def test_it_names_every_word_that_is_refused() -> None:
    assert [word for word in CODE_WORDS if f"`{word}`" not in TEXT] == []
