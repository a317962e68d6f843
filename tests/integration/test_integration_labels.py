"""Features, suspicious labels and new lists of a trained run, by the command line."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from runs import run_cli

from autox_video.dataset.annotations import Row
from autox_video.dataset.new_lists import NewLists
from autox_video.decoding import FILES
from autox_video.features import read_features
from autox_video.runner.predictor import open_predictor
from autox_video.using.embed import _is_of, _table


@pytest.fixture(scope="module")
def audited(trained, tmp_path_factory):
    """A trained run whose labels are audited, with the label of one dark video changed to light beforehand."""
    run = trained.copy(tmp_path_factory.mktemp("audited") / "job")
    for path in (run.folder / "train_list.txt", run.work_dir / "annotations" / "of_run" / "train.txt"):
        text = path.read_text()
        wrong = re.sub(
            r"(dark_train_3\.mp4\s)(dark|0)", lambda found: found[1] + {"dark": "light", "0": "1"}[found[2]], text
        )
        assert wrong != text
        path.write_text(wrong)
    output = run_cli("audit-labels", "-c", str(run.config), "--workers", "0")
    return run, output


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_embed_gives_what_the_predictor_sees_and_names_what_cannot_be_read(trained, tmp_path):
    npz, parquet = tmp_path / "f.npz", tmp_path / "f.parquet"
    output = run_cli(
        *("embed", "-c", str(trained.config), "--split", "all", "-o", str(npz), "--parquet", str(parquet)),
        *("--workers", "2"),
    )
    found = read_features(npz)
    assert f"features {npz}: {len(found)} videos" in output
    assert [int((found.splits == split).sum()) for split in ("train", "val", "test")] == [16, 6, 6]
    assert (found.bad_files.tolist(), found.bad_splits.tolist()) == (["broken.mp4"], ["test"])
    assert "1 video cannot be read, and named as bad_files: broken.mp4 (" in output
    predictor = open_predictor(trained.work_dir, device="cpu")
    from autox_video.decoding import open_file

    for place in (0, len(found) - 1):
        clips = predictor.clips_of(open_file(str(trained.folder / "videos" / str(found.files[place]))))
        np.testing.assert_allclose(predictor.features([clips])[0], found.features[place], atol=1e-5)
    assert parquet.is_file()
    assert str(found.model_sha256) == predictor.trained.sha256


def test_embed_takes_videos_and_folders_and_a_model_file_alone(trained, tmp_path):
    given = [str(trained.folder / "videos"), str(trained.folder / "videos" / "dark_val_0.mp4")]
    run_cli("embed", *given, "--model", str(trained.work_dir / "best.safetensors"), "-o", str(tmp_path / "f.npz"))
    found = read_features(tmp_path / "f.npz")
    # One video was named twice, and one is broken.
    assert len(found) == len(set(found.files)) == 28
    assert found.bad_files.tolist() == [str(trained.folder / "videos" / "broken.mp4")]
    assert set(found.labels) == {-1}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["{}/none.mp4"],
            "INPUT: does not exist (got {}/none.mp4). Name a video, a folder, a list, a quoted pattern or an http(s) URL.",
        ),
        (
            ["none.mp4", "--split", "val"],
            "embed: is given videos and a split (got --split val). Name videos, or a split of the run.",
        ),
        (["{}"], "INPUT: is a folder without a video (got {}). Name a folder with videos in it or below it."),
        (
            ["--model", "{}"],
            "{}: holds no trained model: neither best.pth nor model.safetensors. Train first, or name another folder.",
        ),
    ],
)
def test_what_cannot_be_embedded_is_refused(arguments, told, trained, tmp_path):
    empty = str(tmp_path)
    model = [] if "--model" in arguments else ["-c", str(trained.config)]
    output = run_cli("embed", *model, *(one.replace("{}", empty) for one in arguments), code=2)
    assert output.strip().splitlines()[-1] == told.replace("{}", empty)


def test_the_wrong_label_comes_first_with_the_right_suggestion(audited):
    run, output = audited
    folder = run.work_dir / "label_audit"
    rows = rows_of(folder / "suspicious.csv")
    assert (rows[0]["file"], rows[0]["label"], rows[0]["suggested_label"]) == ("dark_train_3.mp4", "light", "dark")
    assert f"table    {folder / 'suspicious.csv'}" in output
    assert re.search(
        r"labels   22 judged, \d+ look wrong \(score of at least 0\.5\); the 2 most suspicious are listed", output
    )
    record = json.loads((folder / "audit.json").read_text())
    assert len(record["suspects"]) == len(record["alike"]) == 2
    # They are computed once.
    before = (run.work_dir / "features.npz").stat().st_mtime_ns
    run_cli("audit-labels", "-c", str(run.config), "--share", "1")
    assert (run.work_dir / "features.npz").stat().st_mtime_ns == before
    assert len(rows_of(folder / "suspicious.csv")) == 22


def test_the_page_shows_the_films_and_filters_them(audited, page):
    run, _ = audited
    page.goto((run.work_dir / "label_audit" / "label_audit.html").as_uri())
    cards = page.locator(".suspects > .films")
    assert cards.count() >= 2
    assert "dark_train_3.mp4" in cards.first.inner_text()
    page.select_option("select[name=suggested]", label="dark")
    shown = page.locator(".suspects > .films:visible")
    # What a card looks like stands in its first caption.
    looks = page.locator(".suspects > .films > figure:first-child .good").all_inner_texts()
    assert 0 < looks.count("dark") == shown.count()
    page.fill("input[name=file]", "no such file")
    assert page.locator(".suspects > .films:visible").count() == 0
    page.click("#language")
    assert "可疑的标签" in page.locator("h2").inner_text()
    assert page.errors == []


def test_new_lists_are_written_beside_the_run_and_train_like_the_old_ones(audited, tmp_path):
    run, _ = audited
    folder = run.work_dir.with_name("run_relabelled")
    rows = rows_of(run.work_dir / "label_audit" / "suspicious.csv")
    place = next(place for place, row in enumerate(rows) if row["file"] == "dark_train_3.mp4")
    rows[place]["new_label"] = "dark"
    out = next(row for row in rows if row["split"] == "train" and row["file"] != "dark_train_3.mp4")
    out["keep"] = "no"
    table = write_rows(tmp_path / "edited.csv", rows)
    before = (run.folder / "train_list.txt").read_bytes()
    output = run_cli("apply-labels", str(table), "-c", str(run.config))
    assert "lists    1 label changed, 1 video left out" in output
    assert (run.folder / "train_list.txt").read_bytes() == before
    train = {row["path"]: row["label"] for row in rows_of(folder / "train.csv")}
    assert train["dark_train_3.mp4"] == "dark"
    assert len(train) == 15
    assert out["file"] not in train
    keys = dict(line.split(": ", 1) for line in output.splitlines() if re.match(r"(ann_file_|classes|work_dir)", line))
    assert list(keys) == ["ann_file_train", "ann_file_val", "ann_file_test", "classes", "work_dir"]
    values = [part for key, value in keys.items() for part in ("--set", f"{key}={value}")]
    checked = run_cli("check", "-c", str(run.config), *values)
    assert "15 train, 6 val, 6 test videos of 2 classes" in checked


def test_lists_of_several_data_sets_take_the_place_of_all_of_them(tmp_path, monkeypatch):
    written = NewLists({"train": tmp_path / "train.csv"}, tmp_path / "classes.txt", changed=1, left_out=0)
    monkeypatch.setattr("autox_video.using.relabelling.apply_labels", lambda *asked: written)
    config = tmp_path / "config.yaml"
    config.write_text(f"data_root: {tmp_path}\nmore_data: [{{data_root: {tmp_path}}}]\n")
    output = run_cli("apply-labels", str(tmp_path / "edited.csv"), "-c", str(config))
    assert output.splitlines()[2:] == [
        f"ann_file_train: {tmp_path}/train.csv",
        f"classes: {tmp_path}/classes.txt",
        "more_data: []",
        f"work_dir: {tmp_path}/run",
    ]


def test_tables_that_are_stale_or_change_nothing_and_tables_that_would_be_lost_are_refused(audited, tmp_path):
    run, _ = audited
    run = run.copy(tmp_path / "job")
    table = run.work_dir / "label_audit" / "suspicious.csv"
    apply = ("apply-labels", str(table), "-c", str(run.config))
    assert run_cli(*apply, code=2).strip() == (
        f"{table}: changes nothing. Write the right class into new_label, or no into keep, where a label is wrong."
    )
    rows = rows_of(table)
    rows[0]["keep"] = "no"
    write_rows(table, rows)
    assert run_cli("audit-labels", "-c", str(run.config), code=2).strip() == (
        f"{table}: has been edited since it was written, and would be replaced. Apply it with `autox-video apply-labels`, or "
        "move it away."
    )
    train = run.folder / "train_list.txt"
    train.write_text(train.read_text().replace("light_train_1.mp4 light", "light_train_1.mp4 dark"))
    assert run_cli(*apply, code=2).strip().splitlines()[-1] == (
        "data: is another than when its labels were audited: the train list has changed. Train and run `autox-video "
        "audit-labels` again, or put the lists back."
    )
    (run.work_dir / "label_audit" / "audit.json").unlink()
    assert run_cli(*apply, code=2).strip() == (
        f"{run.work_dir}: no labels of this run have been audited. Run `autox-video audit-labels` with this config.yaml first."
    )


def test_folds_are_refused_in_words(trained):
    output = run_cli("audit-labels", "-c", str(trained.config), "--set", "test.folds=3", code=2)
    assert output.strip() == (
        "--set: test.folds: trains a model for each fold, and an audit compares the features of one model (got 3). "
        "Train without it in another work_dir, and audit that run."
    )


def test_features_are_written_once_and_said_once(audited):
    run, _ = audited
    output = run_cli("embed", "-c", str(run.config), "--workers", "0")
    npz = run.work_dir / "features.npz"
    assert [line for line in output.splitlines() if line.startswith("features ")] == [
        f"features {npz}: {len(read_features(npz))} videos, {read_features(npz).features.shape[1]} numbers each"
    ]


def test_a_piece_that_cannot_be_read_does_not_hide_the_others_of_its_file(trained):
    predictor = open_predictor(trained.work_dir, device="cpu")
    rows = [("train", Row("a.mp4", 0, FILES, float(start), start + 1.0)) for start in range(3)]
    features = _table(predictor, rows[1:], np.zeros((2, 4), np.float32), [(*rows[0], "is torn")])
    assert _is_of(features, predictor, rows)
    # Of a list that has another piece in the place of the torn one, that is not known.
    other = [("train", Row("a.mp4", 0, FILES, 5.0, 6.0)), *rows[1:]]
    assert not _is_of(features, predictor, other)
