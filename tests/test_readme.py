"""What README and CONTRIBUTING tell people to type exists, and their links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from autox_video.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])
SCRIPTS = {"AutoTrain.py": "train", "AutoTest.py": "test"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def typed(page: Path) -> list[list[str]]:
    """Every command of the bash blocks and of the text of a page, as words."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    parts = [part for line in lines for part in re.split(r"&&|\|", line.partition(" #")[0])]
    return [
        words
        for part in parts
        if part.count("'") % 2 == 0 and part.count('"') % 2 == 0 and (words := shlex.split(part))
    ]


def ours(page: Path) -> list[list[str]]:
    """Those that are commands of this package, as the words after `autox-video`."""
    found = []
    for words in typed(page):
        if words[0] == "autox-video" and len(words) > 1:
            found.append(words[1:])
        elif words[0].startswith("python") and len(words) > 1 and Path(words[1]).name in SCRIPTS:
            found.append([SCRIPTS[Path(words[1]).name], *words[2:]])
    return found


@each_page
def test_the_commands_exist_with_their_options(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, *rest in ours(page):
        if name.startswith("-"):
            continue
        assert name in COMMANDS, f"{page.name}: autox-video {name}"
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0
        shown = capsys.readouterr().out
        options = [word for word in rest if word.startswith("-")]
        assert [option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", shown)] == [], name


@each_page
def test_the_targets_of_make_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = [words[1] for words in typed(page) if words[0] == "make" and len(words) > 1]
    assert [name for name in named if name not in targets] == []


@each_page
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_readme_names_the_commands_that_install_train_and_test() -> None:
    commands = [shlex.join(words) for words in typed(ROOT / "README.md")]
    for command in ("make demo", "make test", "pip install -r build.txt", "python AutoTrain.py", "python AutoTest.py"):
        assert command in commands
