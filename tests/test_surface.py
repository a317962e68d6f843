"""What users write is frozen: keys of config.yaml, names to import, commands, scripts.

A name that appears or disappears here is a change for every user: it needs a line in CHANGELOG.md,
and then the list in tests/golden is edited by hand.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import autox_video
from autox_video.cli import main
from autox_video.commands import COMMANDS
from autox_video.settings.schema import KEYS

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
# The original tool's config.yaml runs as it is.
ORIGINAL_KEYS = {
    *("data_root", "ann_file_train", "ann_file_val", "ann_file_test", "video_length"),
    *("num_class", "videos_per_gpu", "epoch", "work_dir", "test_results_path"),
}


def golden(name: str) -> list[str]:
    return (GOLDEN / name).read_text(encoding="utf-8").split()


def test_the_keys_of_config_yaml_are_the_ones_agreed_on() -> None:
    assert list(KEYS) == golden("config_keys.txt")


def test_the_keys_of_the_original_tool_are_all_there() -> None:
    assert set(KEYS) >= ORIGINAL_KEYS


def test_the_public_names_are_the_ones_agreed_on() -> None:
    assert autox_video.__all__ == golden("public_names.txt")
    assert [name for name in autox_video.__all__ if not hasattr(autox_video, name)] == []


def test_the_commands_are_the_ones_agreed_on() -> None:
    assert list(COMMANDS) == [
        "train",
        "test",
        "check",
        "plan",
        "render",
        "preview",
        "bench",
        "report",
        "watch",
        "predict",
        "timeline",
        "explain",
        "serve",
        "export",
        "embed",
        "audit-labels",
        "apply-labels",
        "ensemble",
        "compare",
        "models",
        "notify-test",
        "demo-data",
        "doctor",
    ]


@pytest.mark.parametrize(
    "command", ["train", "test", "check", "plan", "render", "preview", "bench", "embed", "audit-labels", "apply-labels"]
)
def test_every_command_on_a_config_takes_the_same_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert [option for option in ("-c", "--config", "--set", "--work-dir", "--help") if option not in shown] == []


@pytest.mark.parametrize(
    "command",
    [
        [str(ROOT / "AutoTrain.py"), "--help"],
        [str(ROOT / "AutoTest.py"), "--help"],
        ["-m", "autox_video", "train", "--help"],
    ],
    ids=["AutoTrain.py", "AutoTest.py", "-m autox_video"],
)
def test_the_scripts_run_from_any_folder(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if command[0] == "-m":
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
    else:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--set KEY=VALUE" in done.stdout


@pytest.mark.parametrize("script", ["AutoTrain.py", "AutoTest.py"])
def test_the_config_in_the_current_folder_goes_before_the_one_beside_the_script(script: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("data_root: here\nepohc: 3\n")
    done = subprocess.run([sys.executable, str(ROOT / script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("config.yaml:2: epohc: ")


@pytest.mark.parametrize("script", ["AutoTrain.py", "AutoTest.py"])
def test_without_one_the_config_beside_the_script_is_read(script: str, tmp_path: Path) -> None:
    copied = tmp_path / "checkout"
    copied.mkdir()
    (copied / script).write_text((ROOT / script).read_text())
    (copied / "autox_video").symlink_to(ROOT / "autox_video")
    (copied / "config.yaml").write_text("data_root: here\nepohc: 3\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run([sys.executable, str(copied / script)], capture_output=True, text=True, cwd=elsewhere)
    assert done.returncode == 2
    assert done.stderr.startswith("config.yaml:2: epohc: ")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert (end.value.code, capsys.readouterr().out) == (0, f"autox_video {autox_video.__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["trian"], ["train", "--epohc", "3"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: autox-video")
