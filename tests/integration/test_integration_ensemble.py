from __future__ import annotations

import csv
import json
import shutil

import jsonschema
import pytest
from runs import ROOT, run_cli

ONE_VIEW = ("--set", "test.num_clips=1", "--set", "test.num_crops=1")


@pytest.fixture(scope="module")
def runs(trained, tmp_path_factory):
    """Two trained and tested runs of one data set, side by side; only to be read."""
    folder = tmp_path_factory.mktemp("members")
    shutil.copytree(trained.work_dir, folder / "one")
    other = ("-c", str(trained.config), "--work-dir", str(folder / "other"), "--set", "runtime.seed=7")
    run_cli("train", *other, "--set", "epoch=1")
    run_cli("test", *other, "--set", f"test_results_path={folder / 'other' / 'results.json'}", *ONE_VIEW)
    return folder


def ensemble(runs, output, *options, code=0):
    return run_cli("ensemble", str(runs / "one"), str(runs / "other"), "-o", str(output), *options, code=code)


def test_weights_are_fitted_on_validation_videos_and_kept(runs, tmp_path):
    output = ensemble(runs, tmp_path)
    assert output.count("scoring 6 validation videos with") == 2
    results = json.loads((tmp_path / "results.json").read_text())
    jsonschema.validate(results, json.loads((ROOT / "resources" / "results.schema.json").read_text()))
    joined = results["ensemble"]
    assert joined["weights"] == "fitted on 6 validation videos"
    assert sum(member["weight"] for member in joined["members"]) == pytest.approx(1)
    assert joined["val_loss"] <= min(member["val_loss"] for member in joined["members"]) + 1e-6
    assert results["videos"][2]["status"] == "error"
    assert f"over {joined['best']} (95 % interval" in output

    # What training found on these videos is found again.
    (row,) = csv.DictReader((runs / "other" / "metrics.csv").read_text().splitlines())
    assert joined["members"][1]["val_loss"] == pytest.approx(float(row["val_loss"]), abs=1e-5)
    first = (tmp_path / "results.json").read_bytes()
    again = ensemble(runs, tmp_path)
    assert again.count("scores kept in") == 2
    assert "scoring" not in again
    assert (tmp_path / "results.json").read_bytes() == first


def test_given_weights_need_no_validation(runs, tmp_path):
    output = ensemble(runs, tmp_path, "--weights", "3,1")
    assert "scoring" not in output
    assert not (tmp_path / "val_scores").exists()
    results, one, other = (
        json.loads((folder / "results.json").read_text()) for folder in (tmp_path, runs / "one", runs / "other")
    )
    for joined, first, second in zip(results["videos"], one["videos"], other["videos"], strict=True):
        if joined["status"] == "ok":
            expected = [0.75 * a + 0.25 * b for a, b in zip(first["scores"], second["scores"], strict=True)]
            assert joined["scores"] == pytest.approx(expected, abs=1e-6)


def test_runs_that_were_not_tested_or_were_tested_otherwise_are_refused(runs, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    here, out = tmp_path / "runs", tmp_path / "out"
    assert ensemble(here, out, "--weights", "1,2,3", code=2) == (
        "--weights: must be fit, equal, or 2 numbers of at least 0, not all of them 0 (got 1,2,3). "
        "Write e.g. --weights 1,1.\n"
    )
    assert run_cli("ensemble", str(here / "one"), str(here / "one"), code=2).startswith("ensemble: names a run twice")
    # The original, which the results name, is found even from a copy; trained on, it is another file.
    results = json.loads((here / "other" / "results.json").read_text())
    results["checkpoint"]["sha256"] = "0" * 64
    (here / "other" / "results.json").write_text(json.dumps(results))
    assert ensemble(here, out, code=2).splitlines()[-1] == (
        f"{here / 'other'}: the checkpoint that its results are of has been replaced or is gone "
        f"(got {runs / 'other' / 'best.pth'}). Test the run again."
    )
    (here / "other" / "results.json").unlink()
    assert ensemble(here, out, code=2) == (
        f"{here / 'other'}: holds no results.json. Test the run first, or name the JSON file that test_results_path says.\n"
    )


def test_runs_validated_on_other_videos_have_no_fitted_weights(runs, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    here = tmp_path / "runs"
    listed = here / "other" / "annotations" / "of_run" / "val.txt"
    lines = listed.read_text().splitlines(keepends=True)
    listed.write_text("".join(lines[1:]))
    output = ensemble(here, tmp_path / "out", code=2)
    assert output.splitlines()[-1] == (
        f"{here / 'other'}: has other validation videos than {here / 'one'}: 0 more, 1 fewer ({lines[0].split()[0]}). Weights "
        "are fitted on videos that no member has learned: train all with one ann_file_val, or use --weights equal."
    )
