"""A run that goes on learns from the videos it was begun with, or says what has changed."""

from __future__ import annotations

import pytest
from runs import run_cli

CURE = "Put it back, or start anew: --fresh archives this run, another work_dir keeps both."


def edit(run, name, change):
    path = run.folder / name
    path.write_text("".join(f"{line}\n" for line in change(path.read_text(encoding="utf-8").splitlines())))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda lines: lines[1:], "1 went (dark_train_0.mp4)"),
        (lambda lines: [*lines[:-1], "light_train_7.mp4 dark"], "1 got another label (light_train_7.mp4)"),
        (lambda lines: [*lines, "dark_test_0.mp4 dark"], "1 came (dark_test_0.mp4)"),
    ],
)
def test_another_list_is_refused_with_what_is_different(trained, tmp_path, change, what):
    run = trained.copy(tmp_path / "job")
    before = (run.work_dir / "last.pth").read_bytes()
    edit(run, "train_list.txt", change)
    output = run_cli("train", "-c", str(run.config), "--set", "epoch=4", code=2)
    assert f"train list: is another than when this run began: {what}. {CURE}" in output.splitlines()
    assert (run.work_dir / "last.pth").read_bytes() == before
    run_cli("train", "-c", str(run.config), "--set", "epoch=1", "--fresh")


def test_the_same_videos_in_another_order_are_the_same_list(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    lists = [run.work_dir / "annotations" / f"{split}.txt" for split in ("train", "val")]
    before = [path.read_bytes() for path in lists]
    edit(run, "train_list.txt", lambda lines: lines[::-1])
    assert "resume   after epoch 3 of 4" in run_cli("train", "-c", str(run.config), "--set", "epoch=4")
    assert [path.read_bytes() for path in lists] == before


def test_a_video_that_turned_bad_stays_in_its_line(trained, tmp_path):
    run = trained.copy(tmp_path / "job")
    train = run.work_dir / "annotations" / "train.txt"
    before = train.read_bytes()
    (run.folder / "videos" / "dark_train_3.mp4").write_bytes(b"not any more")
    output = run_cli("train", "-c", str(run.config), "--set", "epoch=4").splitlines()
    note = "that cannot be read any more stay in the list of this run, and others take their place"
    assert f"note     1 train video {note}" in output
    assert any("dark_train_3.mp4 is no video" in line and "another video of its class" in line for line in output)
    assert train.read_bytes() == before
