"""The folder of an export: what is there before is replaced as a whole, whenever the process is killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from autox_video.errors import RequestError, RunError
from autox_video.using.export.folder import refuse_foreign, replaced


def write_bundle(folder: Path, weights: str) -> None:
    (folder / "model.safetensors").write_text(weights)
    (folder / "bundle.json").write_text(json.dumps({"files": {"model.safetensors": {}}}))


def exported(folder: Path, weights: str, meanwhile: str = "") -> None:
    with replaced(folder) as new:
        write_bundle(new, weights)
        if meanwhile:
            (folder / "thesis.tex").write_text(meanwhile)


def exported_until(folder: Path, weights: str, renames: int) -> None:
    """Export in a process that is killed after so many renames."""
    if (child := os.fork()) == 0:
        rename, left = Path.rename, iter([True] * renames)

        def die_or_rename(path: Path, target: Path) -> Path:
            return rename(path, target) if next(left, False) else os.kill(os.getpid(), signal.SIGKILL)

        Path.rename = die_or_rename
        exported(folder, weights)
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def weights_in(folder: Path) -> str:
    return (folder / "model.safetensors").read_text()


@pytest.mark.parametrize(("renames", "kept"), [(0, "first"), (1, "first"), (2, "second")])
def test_a_killed_export_leaves_the_old_or_the_new_one_and_the_next_clears_up(renames, kept, tmp_path):
    folder = tmp_path / "bundle"
    exported(folder, "first")
    exported_until(folder, "second", renames)
    # An export that fails recovers too.
    with pytest.raises(ZeroDivisionError), replaced(folder):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert weights_in(folder) == kept
    exported(folder, "third")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert weights_in(folder) == "third"


def test_what_someone_put_in_the_place_of_a_killed_export_is_not_touched_and_the_old_one_stays(tmp_path):
    folder = tmp_path / "bundle"
    exported(folder, "first")
    exported_until(folder, "second", 1)
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(RequestError) as caught:
        exported(folder, "third")
    assert str(caught.value).startswith(f"{folder}: exists and is no exported model.")
    (folder / "thesis.tex").unlink()
    with pytest.raises(ZeroDivisionError), replaced(folder):
        raise ZeroDivisionError
    assert weights_in(folder) == "first"


def test_a_file_that_comes_while_the_export_runs_is_not_lost(tmp_path):
    folder = tmp_path / "bundle"
    exported(folder, "first")
    with pytest.raises(RequestError) as caught:
        exported(folder, "second", "years of work")
    assert str(caught.value) == (
        f"{folder}: holds other files beside an exported model (got thesis.tex). Move them away, or name another folder "
        "with -o."
    )
    assert (weights_in(folder), (folder / "thesis.tex").read_text()) == ("first", "years of work")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_place_that_is_taken_at_the_last_moment_keeps_the_old_one(tmp_path, monkeypatch):
    folder = tmp_path / "bundle"
    exported(folder, "first")
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name == ".bundle.new.autox.tmp":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(RunError) as caught:
        exported(folder, "second")
    assert str(caught.value) == (
        f"{folder}: cannot be written: No space left on device. Free space, or name another folder with -o."
    )
    assert weights_in(folder) == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_two_exports_into_one_folder_do_not_take_it_from_each_other(tmp_path):
    folder = tmp_path / "bundle"
    with replaced(folder) as new:
        with pytest.raises(RequestError) as caught:
            exported(folder, "second")
        write_bundle(new, "first")
    assert str(caught.value) == (
        f"{folder}: is being written by another export. Wait for its end, or name another folder with -o."
    )
    assert weights_in(folder) == "first"


def test_a_bundle_with_files_of_ones_own_beside_it_is_not_replaced(tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps({"files": {"model.safetensors": {}}}))
    (tmp_path / "model.safetensors").touch()
    refuse_foreign(tmp_path)
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RequestError) as caught:
        refuse_foreign(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds other files beside an exported model (got thesis.tex). Move them away, or name another folder "
        "with -o."
    )
