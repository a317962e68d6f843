"""One folder with everything that goes wrong with videos and lists: checked, trained on and tested."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from runs import run_cli
from torture_folder import Torture, make_torture

from autox_video.dataset.preflight import Check
from autox_video.records import read_record


@pytest.fixture(scope="module")
def torture(tmp_path_factory) -> Torture:
    return make_torture(tmp_path_factory.mktemp("torture"))


@pytest.fixture(scope="module")
def checked(torture) -> Check:
    run_cli("check", "-c", str(torture.root / "config.yaml"))
    return read_record(torture.root / "run" / "check.json", Check)


def test_check_names_every_planted_defect_with_its_row_and_no_good_file(torture, checked):
    assert checked.ready
    assert sum(len(rows) for rows in torture.rows.values()) > 140
    found = {(finding.level, finding.kind, finding.where, finding.text) for finding in checked.findings}
    leak = "relabelled.mp4 has the content of a train file under another name: walks/clip 4.mp4"
    place = next(torture.where[id(row)] for row in torture.rows["test"] if row.name == "relabelled.mp4")
    assert found == torture.findings() | {("note", "leak: same content", place, leak)}
    assert {finding.kind for finding in checked.findings if finding.repair} == {
        "unreadable",
        "no frames",
        "damaged",
    }


def test_training_and_test_complete_on_the_rest(torture, checked):
    before = snapshot(torture.root / "videos")
    run_cli("train", "-c", str(torture.root / "config.yaml"))
    run_cli("test", "-c", str(torture.root / "config.yaml"))
    results = json.loads((torture.root / "run" / "results.json").read_text())
    rows = torture.rows["test"]
    assert [row["file"] for row in results["videos"]] == [row.name for row in rows]
    assert [row["error"] for row in results["videos"]] == torture.errors("test")
    leaks = {row["file"]: row["leak"] for row in results["videos"] if row["leak"]}
    assert leaks == {
        "walks/clip 2.mp4": "same file as train: walks/clip 2.mp4",
        "renamed.mp4": "same content as train: walks/clip 3.mp4",
        "relabelled.mp4": "same content as train: walks/clip 4.mp4",
        "anew.avi": "look-alike frames as train: shown.mp4",
        "AAAAAAAAAAA_000020_000030.mp4": "same group as train: AAAAAAAAAAA_000000_000010.mp4",
    }
    assert snapshot(torture.root / "videos") == before


# What is added to a list, and how `check` refuses it.
REFUSED = {
    "missing label": (
        "train",
        "walks/clip 9.mp4",
        "has no label (got 'walks/clip 9.mp4'). Write the class after the path.",
    ),
    "number for a name": (
        "train",
        "跑步/9.mp4\t25",
        "has a number for a label where the other labels are names (got 25). Write ids everywhere, or names everywhere.",
    ),
    "unknown class": (
        "val",
        "walks/clip 9.mp4,wlak",
        "has a class that training never saw (got 'wlak'). Did you mean 'walk'.",
    ),
    "contradictory labels in one list": (
        "train",
        "walks/clip 9.mp4\t跑步",
        "has another label than in train.txt:30 (got 'walks/clip 9.mp4'). Correct one of them.",
    ),
    "contradictory labels in two lists": (
        "test",
        "walks/clip 9.mp4  跑步",
        "has another label than in train.txt:30 (got 'walks/clip 9.mp4'). Correct one of them.",
    ),
    "not UTF-8": ("train", b"\xff.mp4\twalk", "is not UTF-8 text (got byte 0xff). Save the list as UTF-8."),
    "NUL": ("train", "a\0.mp4\twalk", "holds a NUL character, so this is no UTF-8 text. Save the list as UTF-8."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trained_on_is_refused_with_its_line(torture, checked, tmp_path, case):
    split, line, said = REFUSED[case]
    job = copy_job(torture.root, tmp_path)
    file = job / f"{split}.txt"
    count = len(file.read_bytes().split(b"\n"))
    file.write_bytes(file.read_bytes() + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    output = run_cli("check", "-c", str(job / "config.yaml"), code=2)
    assert f"{split}.txt:{count}: {said}" in output.splitlines()
    check = read_record(job / "run" / "check.json", Check)
    assert not check.ready
    assert f"{split}.txt:{count}: {said}" in {finding.text for finding in check.findings if finding.level == "refused"}
    # Everything is said at once: the videos too, unless the list of most of them cannot be read.
    kinds = {kind.kind for kind in check.kinds if kind.level == "left out"}
    assert kinds >= {"empty file", "unreadable", "no video stream", "no frames", "not a file", "missing"}


def test_ids_out_of_range_are_refused_with_their_lines(torture, checked, tmp_path):
    job = copy_job(torture.root, tmp_path)
    ids = {"walk": "0", "跑步": "1", "rare": "2"}
    for split, rows in torture.rows.items():
        lines = [f"{row.name}\t{ids[row.label]}" for row in rows]
        (job / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (job / "train.txt").open("a") as file:
        file.write("walks/clip 9.mp4\t25\nwalks/clip 8.mp4\t-1\n")
    output = run_cli("check", "-c", str(job / "config.yaml"), "--set", "num_class=3", code=2)
    count = len(torture.rows["train"])
    for line, label in ((count + 1, 25), (count + 2, -1)):
        assert (
            f"train.txt:{line}: has a label outside the 3 classes (got {label}). "
            "Ids run from 0 to 2; correct the label, or num_class."
        ) in output


def test_too_many_unusable_videos_are_refused_by_name(torture, checked, tmp_path):
    job = copy_job(torture.root, tmp_path)
    bad = [row for row in torture.rows["train"] if row.level == "left out"]
    fine = [row for row in torture.rows["train"] if row.label != "walk" or row.name.startswith("walks/")]
    rows = [*fine[:30], *bad]
    (job / "train.txt").write_text("\n".join(f"{row.name}\t{row.label}" for row in rows), encoding="utf-8")
    output = run_cli("check", "-c", str(job / "config.yaml"), code=2)
    assert f"train: {len(bad)} of {len(rows)} videos ({len(bad) / len(rows):.0%}) cannot be used." in output
    for place, row in enumerate(bad, 31):
        assert f"train.txt:{place}: {row.text}. Repair it or take it out." in output.splitlines()


def copy_job(root: Path, folder: Path) -> Path:
    """Lists and config of their own over the same videos, with what has been learned of them."""
    for file in ("config.yaml", "train.txt", "val.txt", "test.txt"):
        shutil.copy(root / file, folder / file)
    (folder / "videos").symlink_to(root / "videos")
    (folder / "run").mkdir()
    shutil.copy(root / "run" / "probe_cache.json", folder / "run")
    return folder


def snapshot(folder: Path) -> list[tuple[str, int, int, int]]:
    """What is in a folder, and when it was written."""
    paths = [os.path.join(below, name) for below, folders, files in os.walk(folder) for name in [*folders, *files]]
    states = [(path, os.lstat(path)) for path in sorted(paths)]
    return [(path, state.st_mode, state.st_size, state.st_mtime_ns) for path, state in states]
