"""How files are written: what stands under a name is old or new, never half, and nothing of ours is left over."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autox_video import RunError, writing

ROOT = Path(__file__).parent.parent
# Writes new content over and over, slowly, and says when it is in the middle of it.
WRITER = """
import sys, time
from pathlib import Path
from autox_video.writing import write_durably
def write(file):
    for _ in range(100):
        file.write(b"new" * 1000)
        file.flush()
        print("writing", flush=True)
        time.sleep(0.01)
write_durably(Path(sys.argv[1]), write)
"""


def start_writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob(".*.autox.tmp"))


def test_a_killed_writer_leaves_the_old_content_and_a_leftover_that_is_cleared(tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes(b"old")
    with start_writer(path) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        (half,) = leftovers(tmp_path)
        writing.clear_leftovers(tmp_path)
        assert half.exists(), "what a living process writes is not taken away from it"
        process.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
    assert 0 < half.stat().st_size < 300_000
    writing.clear_leftovers(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]


def test_only_our_own_leftovers_are_cleared_and_only_in_the_folders_named(tmp_path):
    kept = [".notes.tmp", ".autox.tmp", "model.autox.tmp", ".a.autox.tmp.bak", "below/.plan.json.x.autox.tmp"]
    for name in (*kept, ".plan.json.x.autox.tmp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    writing.clear_leftovers(tmp_path, tmp_path / "nowhere")
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(kept)


def test_where_files_cannot_be_locked_a_leftover_is_cleared_once_it_is_old(tmp_path, monkeypatch):
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    fresh, old = tmp_path / ".a.1.autox.tmp", tmp_path / ".b.1.autox.tmp"
    for path in (fresh, old):
        path.write_text("")
    os.utime(old, (0, 0))
    writing.clear_leftovers(tmp_path)
    assert leftovers(tmp_path) == [fresh]
    writing.write_text(tmp_path / "plan.json", "{}")
    assert (tmp_path / "plan.json").read_text() == "{}"


def test_content_is_durable_before_the_name_and_the_name_before_the_call_returns(tmp_path, monkeypatch):
    calls = []

    def record(name: str) -> None:
        real = getattr(os, name)

        def call(*arguments):
            what = arguments[-1] if name == "replace" else os.readlink(f"/proc/self/fd/{arguments[0]}")
            calls.append((name, re.sub(r"\.\w{8}\.autox", ".X.autox", Path(what).name)))
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    record("fsync")
    record("replace")
    writing.write_text(tmp_path / "plan.json", "{}")
    assert calls == [("fsync", ".plan.json.X.autox.tmp"), ("replace", "plan.json"), ("fsync", tmp_path.name)]


def test_what_raises_in_the_middle_leaves_the_old_content_and_no_leftover(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        writing.write_durably(path, lambda file: file.write(b"n" * (1 // 0)))
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_name_as_long_as_a_file_system_takes_is_written(tmp_path):
    writing.write_text(tmp_path / ("视" * 85), "text")
    assert [path.name for path in tmp_path.iterdir()] == ["视" * 85]


def test_a_name_of_any_bytes_comes_back_from_json(tmp_path):
    name = os.fsdecode(b"caf\xe9.mp4")
    writing.write_json(tmp_path / "names.json", ["café", name])
    assert json.loads((tmp_path / "names.json").read_text(encoding="utf-8")) == ["café", name]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError) as caught:
        writing.write_text(tmp_path / "file" / "plan.json", "{}")
    assert str(caught.value) == (
        f"{tmp_path / 'file' / 'plan.json'}: cannot be written: File exists. Free space or choose another work_dir."
    )


# Calls that write or rename a file, and the functions that may make them: each goes to a temporary name first, or to a
# folder that is renamed as a whole, or (the lock) has a reason of its own.
WRITING = {"write_text", "write_bytes", "savez", "imwrite", "to_csv", "replace", "rename", "save_checkpoint"}
ALLOWED = {
    ("writing.py", "write_durably", "open"),
    ("runner/weights.py", "_download", "open"),
    ("writing.py", "publish", "replace"),
    ("archive.py", "archive_run", "rename"),
    ("cli.py", "_join_in", "open"),  # of nowhere
    ("runner/watchdog.py", "_tell", "open"),  # appended to the log
    ("demo_data.py", "write_demo_data", "replace"),
    ("runner/hooks/checkpoint.py", "_write", "save_checkpoint"),
    ("proxies/writing.py", "_encode", "open"),  # a temporary file of `replacing`
    ("using/predict/annotated.py", "write_annotated", "open"),  # likewise
    ("using/predict/inputs.py", "_add_standard_input", "write_bytes"),  # of the user's other program, read and removed
    ("using/export/folder.py", "replaced", "rename"),  # a folder
    ("using/export/folder.py", "_tidy", "rename"),  # likewise
    ("using/serve/engine.py", "_first_to_go", "write_text"),  # a wish to the kernel
    ("features.py", "write_features", "savez"),  # into what `write_durably` opens
}


def test_every_file_is_written_through_the_helpers_of_writing():
    found = set()
    for file in sorted((ROOT / "autox_video").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if name := _writes(call):
                    found.add((str(file.relative_to(ROOT / "autox_video")), function.name, name))
    assert ("writing.py", "publish", "replace") in found
    assert found - ALLOWED == set()


def _writes(call: ast.Call) -> str | None:
    """The name of a method that writes a file; `write_text` and others of `writing` are plain functions."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in WRITING:
        # Strings and dataclasses are replaced too.
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        text = function.attr == "replace" and (owner not in ("os", "shutil"))
        return None if text else function.attr
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    modes = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    modes += [k.value.value for k in call.keywords if k.arg == "mode" and isinstance(k.value, ast.Constant)]
    return "open" if name == "open" and any(re.fullmatch(r"[rb+]*[wax][wb+]*", str(mode)) for mode in modes) else None
