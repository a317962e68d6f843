"""What is installed is what is in the repository: every package, preset and resource, and it works away from it."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from autox_video import __version__, doctor
from autox_video.presets import preset_names

ROOT = Path(__file__).parent.parent
# What is installed, and where it lies in the repository.
FOLDERS = {"autox_video": "autox_video", "autox_video/configs": "configs", "autox_video/resources": "resources"}
LEFT_BEHIND = ("__pycache__", "*.pyc", "*.egg-info", "build")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built without a network, from a copy: building leaves files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in FOLDERS.values():
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    for name in ("pyproject.toml", "setup.py", "build.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "dist").glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)
    return folder


def read(wheel: zipfile.ZipFile, name: str) -> str:
    return wheel.read(f"autox_video-{__version__}.dist-info/{name}").decode("utf-8")


def run(folder: Path, *arguments: str) -> str:
    """Run Python with nothing but the unpacked wheel, from a folder that is not the repository."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    expected = set()
    for target, source in FOLDERS.items():
        for path in (ROOT / source).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                expected.add(f"{target}/{path.relative_to(ROOT / source)}")
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == expected
    assert {f"autox_video/configs/models/{name}.py" for name in preset_names()} <= held
    assert "autox_video/resources/config.schema.json" in held


def test_the_wheel_says_what_it_needs_and_who_may_use_it(wheel: zipfile.ZipFile) -> None:
    metadata = Parser().parsestr(read(wheel, "METADATA"))
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    assert [wanted for wanted in needed if wanted.marker is None] == doctor.requirements()
    assert {wanted.name for wanted in needed if wanted.marker} >= {"pytest", "ruff", "mypy", "import-linter"}
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in read(wheel, "licenses/LICENSE")


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    entries = configparser.ConfigParser()
    entries.read_string(read(wheel, "entry_points.txt"))
    assert dict(entries["console_scripts"]) == {"autox-video": "autox_video.cli:main"}


def test_an_installed_package_finds_its_presets_and_resources(installed: Path) -> None:
    code = "from autox_video import presets as p; print(p.__file__, *p.preset_names(), p.shared_folder('resources'))"
    package = installed / "autox_video"
    expected = [str(package / "presets" / "__init__.py"), *preset_names(), str(package / "resources")]
    assert run(installed, "-c", code).split() == expected


def test_an_installed_package_runs(installed: Path) -> None:
    assert run(installed, "-m", "autox_video", "--help").startswith("usage: autox-video")
    assert (
        run(installed, "-c", "from autox_video.presets import load_preset; print(load_preset('video_swin_nano').name)")
        == "video_swin_nano\n"
    )


def test_every_dependency_has_its_reason_above_it() -> None:
    lines = (ROOT / "build.txt").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            above = lines[number - 1]
            # Two builds of one library share their reason.
            assert above.startswith(("#", line[:6])), f"build.txt:{number + 1}: {line} stands there without a reason"


def test_the_settings_of_the_tools_stand_in_one_file() -> None:
    strays = ("setup.cfg", "tox.ini", "pytest.ini", "mypy.ini", ".mypy.ini", "ruff.toml", ".ruff.toml", ".importlinter")
    assert [name for name in strays if (ROOT / name).exists()] == []
