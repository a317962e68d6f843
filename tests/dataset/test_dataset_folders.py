from __future__ import annotations

import os

import pytest

from autox_video.dataset.folders import MAX_ASKED_ALONE, Folders


@pytest.fixture(params=["seldom asked about", "read whole"])
def folders(request, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b c.mp4", "视频.mp4"):
        (tmp_path / "in" / name).write_bytes(b"x")
    (tmp_path / "in" / "folder.mp4").mkdir()
    (tmp_path / "in" / "link.mp4").symlink_to(tmp_path / "in" / "a.mp4")
    (tmp_path / "in" / "dangling.mp4").symlink_to(tmp_path / "nothing")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "in")
    found = Folders()
    for _ in range(MAX_ASKED_ALONE + 1 if request.param == "read whole" else 0):
        for folder in ("in", "elsewhere"):
            found.is_regular(str(tmp_path / folder / "asked"))
    return found


def test_files_are_told_from_folders_and_from_what_is_not_there(folders, tmp_path):
    facts = {
        "in/a.mp4": True,
        "in/b c.mp4": True,
        "in/视频.mp4": True,
        "elsewhere/a.mp4": True,
        "in/link.mp4": True,
        "in/folder.mp4": False,
        "in/dangling.mp4": False,
        "in/A.mp4": os.path.exists(tmp_path / "in" / "A.mp4"),
        "in/missing.mp4": False,
        "nowhere/a.mp4": False,
        "in": False,
    }
    assert {path: folders.is_file(str(tmp_path / path)) for path in facts} == facts


def test_what_comes_later_is_still_found(folders, tmp_path):
    assert not folders.is_file(str(tmp_path / "in" / "late.mp4"))
    (tmp_path / "in" / "late.mp4").write_bytes(b"x")
    assert folders.is_file(str(tmp_path / "in" / "late.mp4"))


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("in/a.mp4", "in/a.mp4"),
        ("in/link.mp4", "in/a.mp4"),
        ("elsewhere/link.mp4", "in/a.mp4"),
        ("elsewhere/b c.mp4", "in/b c.mp4"),
        ("in/../in/a.mp4", "in/a.mp4"),
        ("in/.", "in"),
        ("in/missing.mp4", "in/missing.mp4"),
    ],
)
def test_a_real_path_has_no_links_in_it(folders, tmp_path, path, real):
    assert folders.real(os.path.join(str(tmp_path), path)) == os.path.join(os.path.realpath(tmp_path), real)
