from __future__ import annotations

import json
import shutil
import signal
import statistics
from collections import Counter

import jsonschema
import pytest
import torch
import videos
import yaml
from runs import FAST, Run, run_cli

from autox_video import AutoXVideo, RequestError, folds
from autox_video.errors import StoppedError
from autox_video.presets import shared_folder

NAMES = ["dark", "light"]


def write_job(folder, **values):
    """Six videos a class, one of which cannot be read."""
    for label, name in enumerate(NAMES):
        for index in range(6):
            path = folder / "videos" / name / f"{index}.mp4"
            videos.write_video(path, brightness=(60, 200)[label], seed=100 * label + index)
    (folder / "videos" / "light" / "broken.mp4").write_bytes(b"this is no video")
    job = {"data_root": "videos", **FAST, "epoch": 1, "work_dir": "run", "test": {"folds": 2}, **values}
    videos.write_config(folder / "config.yaml", **job)
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """A run of two folds, stopped as the second began, refused to be tested, gone on with, and tested."""
    folder = tmp_path_factory.mktemp("folded") / "job"
    config = write_job(folder)
    train_run = folds.train_run

    def stopped(settings, work_dir, look, like=None):
        if work_dir.root.name == "2":
            look()
            raise StoppedError(signal.SIGINT)
        return train_run(settings, work_dir, look, like)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "train_run", stopped)
        outputs = [run_cli("train", "-c", str(config), code=130)]
    outputs.append(run_cli("test", "-c", str(config), code=2))
    first = (folder / "run" / "folds" / "1" / "last.pth").stat()
    outputs.append(run_cli("train", "-c", str(config)))
    assert (folder / "run" / "folds" / "1" / "last.pth").stat() == first
    outputs.append(run_cli("test", "-c", str(config)))
    return Run(folder, folder / "run", config, "\f".join(outputs))


def results_of(run):
    return json.loads((run.work_dir / "results.json").read_text())


def test_a_stopped_training_goes_on_in_its_fold(folded):
    stopped, refused, resumed, _ = folded.output.split("\f")
    assert "fold     1 of 2: 4 train, 2 val, 6 test videos" in stopped
    assert stopped.count("epoch 1/1") == 1
    where, cure = folded.work_dir / "folds", "Train first: a stopped training goes on with the same command."
    assert refused == f"{where}: 1 of 2 folds are not trained: fold 2. {cure}\n"
    assert resumed.count("epoch 1/1") == 1
    assert "nothing to do: 1 of 1 epochs are done" in resumed.partition("fold     2 of 2")[0]
    assert "folds    all 2 are trained; validation, mean +- standard deviation: val_top1 " in resumed


def test_each_fold_is_a_run_and_the_probe_is_shared(folded):
    for number in ("1", "2"):
        names = {path.name for path in (folded.work_dir / "folds" / number).iterdir()}
        assert names == {
            *("fingerprint.json", "check.json", "annotations", "plan.json", "config_rendered.py"),
            *("last.pth", "best.pth", "best.safetensors", "previous.pth", "train.log", "test.log", "metrics.csv"),
        }
    assert (folded.work_dir / "probe_cache.json").is_file()
    plans = [json.loads((folded.work_dir / "folds" / number / "plan.json").read_text()) for number in ("1", "2")]
    assert plans[0]["classes"] == plans[1]["classes"] == NAMES
    same = ("clip_len", "frame_interval", "epochs", "learning_rate", "total_batch_size", "best_metric")
    assert {name: plans[0][name]["value"] for name in same} == {name: plans[1][name]["value"] for name in same}


def test_every_video_is_tested_once_in_the_order_of_the_list(folded):
    results = results_of(folded)
    files = [video["file"] for video in results["videos"]]
    assert files == [f"dark/{index}.mp4" for index in range(6)] + [
        *(f"light/{index}.mp4" for index in range(6)),
        "light/broken.mp4",
    ]
    assert results["counts"] == {"videos": 13, "scored": 12, "unreadable": 1, "labelled": 13}
    assert set(Counter(video["fold"] for video in results["videos"]).values()) == {6, 7}
    for number in (1, 2):
        lists = folded.work_dir / "folds" / str(number) / "annotations"
        learned = {
            line.split("\t")[0]
            for split in ("train", "val")
            for line in (lists / f"{split}.txt").read_text().splitlines()
        }
        tested = {video["file"] for video in results["videos"] if video["fold"] == number}
        assert not learned & tested
        assert len(learned | tested - {"light/broken.mp4"}) == 12


def test_the_figures_are_of_all_folds_together_and_of_each(folded):
    results = results_of(folded)
    jsonschema.validate(results, json.loads((shared_folder("resources") / "results.schema.json").read_text()))
    scored = [video for video in results["videos"] if video["status"] == "ok"]
    assert results["metrics"]["top1"] == sum(video["correct"] for video in scored) / 12
    assert results["checkpoint"] is None
    assert results["metrics_without_leaks"] is None
    shares = []
    for fold in results["folds"]["each"]:
        own = [video["correct"] for video in scored if video["fold"] == fold["fold"]]
        shares.append(sum(own) / len(own))
        assert fold["metrics"]["top1"] == shares[-1]
        assert fold["checkpoint"]["path"] == str(folded.work_dir / "folds" / str(fold["fold"]) / "best.pth")
        assert fold["counts"]["scored"] == len(own)
    assert results["folds"]["mean"]["top1"] == pytest.approx(statistics.mean(shares))
    assert results["folds"]["std"]["top1"] == pytest.approx(statistics.stdev(shares))
    assert "2 folds, mean +- standard deviation: top1 " in folded.output


def test_one_checkpoint_is_not_tested_on_what_it_learned(folded):
    path = str(folded.work_dir / "folds" / "1" / "best.pth")
    output = run_cli("test", "-c", str(folded.config), "--checkpoint", path, code=2)
    assert output == (
        f"checkpoint: is one checkpoint, and test.folds tests that of each fold on the videos it did not learn (got {path}). "
        "Leave it out, or test it by itself without test.folds.\n"
    )


@pytest.mark.parametrize("command", ["plan", "render"])
def test_what_needs_one_fold_takes_the_first_and_says_so(folded, command, tmp_path):
    output = run_cli(command, "-c", str(folded.config), "--work-dir", str(tmp_path))
    assert output.startswith("note     this is fold 1 of 2; the others differ in their videos only\n")


def test_folds_of_other_videos_are_refused_and_archived_by_fresh(folded, tmp_path):
    run = folded.copy(tmp_path / "job")
    videos.write_video(run.folder / "videos" / "dark" / "new.mp4", brightness=60, seed=77)
    output = run_cli("train", "-c", str(run.config), code=2)
    assert "config.yaml:" in output
    assert "test.folds: would divide the videos otherwise than when training began: 1 video came, 0 went, " in output
    assert output == run_cli("test", "-c", str(run.config), code=2)
    other = run_cli("train", "-c", str(run.config), "--set", "test.folds=3", code=2)
    assert "--set: test.folds: was 2 when training began (got 3). Put it back as it was" in other
    (run.folder / "videos" / "dark" / "new.mp4").unlink()
    last = run.work_dir / "folds" / "2" / "last.pth"
    checkpoint = torch.load(last, weights_only=True)
    checkpoint["meta"]["epoch"] = 0
    torch.save(checkpoint, last)
    assert "1 of 2 folds are not trained: fold 2 (epoch 0 of 1)." in run_cli("test", "-c", str(run.config), code=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "train_run", lambda *_: (_ for _ in ()).throw(StoppedError(signal.SIGINT)))
        run_cli("train", "-c", str(run.config), "--fresh", code=130)
    (archived,) = (run.work_dir / "archive").iterdir()
    assert sorted(path.name for path in (archived / "folds").iterdir()) == ["1", "2", "folds.tsv"]
    assert not list(run.work_dir.glob("folds/*/last.pth"))


def test_python_trains_folds_and_wants_to_know_the_model_for_new_videos(folded, tmp_path):
    run = folded.copy(tmp_path / "job")
    model = AutoXVideo()
    model.read_cfg(run.config)
    outcome = model.fit()
    assert [fold.best_checkpoint for fold in outcome.folds] == [run.work_dir / "folds" / n / "best.pth" for n in "12"]
    assert outcome.best_metrics["val_top1"] == statistics.mean(fold.best_metrics["val_top1"] for fold in outcome.folds)
    results = model.transform(output_path=tmp_path / "again.json")
    assert [video.scores for video in results.videos] == [
        None if video["scores"] is None else tuple(video["scores"]) for video in results_of(folded)["videos"]
    ]
    new = tmp_path / "new"
    shutil.copytree(run.folder / "videos" / "dark", new)
    with pytest.raises(RequestError) as caught:
        model.transform(data_root=new)
    best = run.work_dir / "folds" / "1" / "best.pth"
    assert str(caught.value).endswith(
        "test.folds: gives a model for each fold, and none of them is the one for new videos (got 2). "
        f"Name a checkpoint, such as {best}, or train without test.folds in another work_dir."
    )
    named = model.transform(data_root=new, checkpoint=best, output_path=tmp_path / "new.json")
    assert (named.folds, named.checkpoint.path, len(named.videos)) == (None, str(best), 6)


@pytest.mark.slow
def test_several_labels_are_pooled_with_the_thresholds_of_each_fold(tmp_path):
    config = write_job(tmp_path)
    lines = [f"{name}/{index}.mp4 {name}{';odd' if index % 2 else ''}" for name in NAMES for index in range(6)]
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    values = yaml.safe_load(config.read_text())
    videos.write_config(config, **values, ann_file_train="list.txt")
    run_cli("train", "-c", str(config))
    run_cli("test", "-c", str(config))
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    schema = json.loads((shared_folder("resources") / "results_multi_label.schema.json").read_text())
    jsonschema.validate(results, schema)
    assert [video["file"] for video in results["videos"]] == [line.split()[0] for line in lines]
    thresholds = {fold["fold"]: fold["thresholds"] for fold in results["folds"]["each"]}
    exact = []
    for video in results["videos"]:
        given = [
            name
            for name, score, level in zip(results["classes"], video["scores"], thresholds[video["fold"]], strict=True)
            if score >= level
        ]
        assert [label["name"] for label in video["predicted_labels"]] == given
        exact.append(given == [label["name"] for label in video["true_labels"]])
    assert results["metrics"]["exact_match"] == pytest.approx(sum(exact) / 12)
    assert results["thresholds"] == pytest.approx(
        [statistics.mean(level) for level in zip(*thresholds.values(), strict=True)]
    )


@pytest.mark.slow
def test_a_fold_that_stopped_early_is_trained(tmp_path):
    config = str(write_job(tmp_path, epoch=9, train={"patience": 1, "val_interval": 1}))
    output = run_cli("train", "-c", config)
    assert output.count("stopped early") == 2
    assert "folds    all 2 are trained" in output
    assert "results " in run_cli("test", "-c", config)
