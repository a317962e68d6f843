"""The rules of docs/architecture.md, held for every file there is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "autox_video"
MODULES = sorted(PACKAGE.rglob("*.py"))
OUTSIDE_RUNNER = [path for path in MODULES if path.parts[len(PACKAGE.parts)] not in ("runner", "__main__.py")]
SOURCES = sorted(
    path
    for folder in ("autox_video", "benchmarks", "configs", "tests", "*.py")
    for path in (ROOT.glob(folder) if "*" in folder else (ROOT / folder).rglob("*.py"))
)
HEAVY = ("torch", "torchvision", "mmaction", "mmcv")
MAX_LINES = 300
# Tables of facts may be longer than code.
MAX_TEST_LINES = 400
# Without its docstring. About 40 is the aim; the longest lists every value of a plan.
MAX_FUNCTION_LINES = 65

each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_modules_import_only_from_the_layers_below() -> None:
    # In a process of its own: the linter switches off every logger of the one it runs in.
    run = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", run, "--no-cache"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@each_source
def test_no_file_is_too_long_to_read_at_once(path: Path) -> None:
    limit = MAX_TEST_LINES if (ROOT / "tests") in path.parents else MAX_LINES
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


@each_module
def test_no_function_is_too_long_to_see_at_once(path: Path) -> None:
    too_long = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            length = (node.body[-1].end_lineno or 0) - first.lineno + 1
            if length > MAX_FUNCTION_LINES:
                too_long.append(f"{node.name}: {length} lines")
    assert too_long == []


@each_module
def test_modules_and_what_they_offer_say_what_they_are(path: Path) -> None:
    tree = tree_of(path)
    offered = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"]
    assert ast.get_docstring(tree), "the module has no docstring"
    assert [node.name for node in offered if not ast.get_docstring(node)] == []


@each_module
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [
        node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    # Writing into a pipe or a file by `print(..., file=)` shows nothing to a person.
    targets = {call.lineno: [ast.unparse(word.value) for word in call.keywords if word.arg == "file"] for call in calls}
    shown = [line for line, target in targets.items() if not target or target[0].startswith("sys.")]
    assert path.name == "cli.py" or path.parent.name == "commands" or shown == []


@each_source
def test_what_is_to_be_done_later_says_when(path: Path) -> None:
    with path.open("rb") as file:
        comments = [token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    marked = [comment for comment in comments if re.search(r"\b(TODO|FIXME|XXX)\b", comment)]
    assert [comment for comment in marked if not re.search(r"TODO\((when|until) [^)]+\)", comment)] == []


@pytest.mark.parametrize("path", OUTSIDE_RUNNER, ids=lambda path: str(path.relative_to(ROOT)))
def test_of_mmengine_only_its_configs_are_known_outside_the_runner(path: Path) -> None:
    names: list[str] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    foreign = [name for name in names if name.split(".")[0] == "mmengine"]
    assert [name for name in foreign if name != "mmengine.config" and not name.startswith("mmengine.config.")] == []


def loaded_by(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after running `code`."""
    ask = f"import sys\n{code}\nsys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_the_measure_sees_torch() -> None:
    assert loaded_by("import torch") == {"torch"}


@pytest.mark.parametrize(
    "command", ["", "train", "test", "check", "plan", "render", "preview", "bench", "predict", "demo-data", "doctor"]
)
def test_help_does_not_import_torch(command: str) -> None:
    arguments = [*command.split(), "--help"]
    code = f"from autox_video.cli import main\ntry: main({arguments})\nexcept SystemExit as end: assert not end.code"
    assert loaded_by(code) == set()


def test_nothing_outside_the_runner_imports_torch() -> None:
    names = [module_name(path) for path in OUTSIDE_RUNNER]
    assert {"autox_video.workflow", "autox_video.render.config", "autox_video.doctor"} <= set(names)
    assert loaded_by("\n".join(f"import {name}" for name in names)) == set()


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.parent.name == "compat" and path.name != "__init__.py"],
    ids=lambda path: path.stem,
)
def test_a_fix_for_a_defect_upstream_says_whether_it_is_needed_and_can_be_applied(path: Path) -> None:
    functions = {node.name: node for node in tree_of(path).body if isinstance(node, ast.FunctionDef)}
    assert {"needed", "apply"} <= set(functions)
    for name in ("needed", "apply"):
        arguments = functions[name].args
        required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
        assert required == 0, f"{name}() takes no arguments"
