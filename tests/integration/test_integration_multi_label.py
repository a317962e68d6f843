from __future__ import annotations

import csv
import json
import shutil
from types import SimpleNamespace

import cv2
import jsonschema
import numpy as np
import pytest
import torch
import videos
from runs import FAST, run_cli

from autox_video.presets import shared_folder
from autox_video.runner.hooks.checkpoint import LastAndBestCheckpointHook
from autox_video.tasks import load_task

NAMES = ("top", "middle", "low")


def write_bands(path, labels, seed):
    """A dark noisy video with a light band for each of its labels."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 12, (32, 32))
    for _ in range(6):
        frame = rng.integers(20, 60, (32, 32, 3)).astype(np.uint8)
        for label in labels:
            frame[label * 12 : label * 12 + 8, :, label] = 255
        writer.write(frame)
    writer.release()


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    for split, count in (("train", 8), ("val", 4), ("test", 4)):
        lines = []
        for index in range(count):
            labels = [label for label in range(3) if (1 + index) >> label & 1] or [0]
            name = f"{split} {index}.mp4"
            write_bands(folder / "videos" / name, labels, seed=videos.hash_of(split, 0, index))
            lines.append(f"{name} {';'.join(NAMES[label] for label in labels)}")
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lists = {f"ann_file_{split}": f"{split}.txt" for split in ("train", "val", "test")}
    values = {"data_root": "videos", **lists, **FAST, "classes": list(NAMES), "epoch": 2, "work_dir": "run"}
    videos.write_config(folder / "config.yaml", **values, train={"val_interval": 3})
    return folder


@pytest.fixture(scope="module")
def trained(job):
    return job, run_cli("train", "-c", str(job / "config.yaml")) + run_cli("test", "-c", str(job / "config.yaml"))


def test_several_labels_train_and_test(trained):
    folder, output = trained
    assert "videos have several labels, so each label is learned on its own (task: multi_label)" in output
    assert "val mAP" in output
    results = json.loads((folder / "run" / "results.json").read_text())
    schema = json.loads((shared_folder("resources") / "results_multi_label.schema.json").read_text())
    jsonschema.validate(results, schema)
    true = [";".join(label["name"] for label in video["true_labels"]) for video in results["videos"]]
    listed = [line.rsplit(" ", 1)[1] for line in (folder / "test.txt").read_text().splitlines()]
    assert true == listed
    assert results["classes"] == list(NAMES)
    with (folder / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["val_mean_average_precision"] == "" for row in rows] == [True, False]


def test_the_thresholds_stand_in_the_checkpoint_and_a_resumed_run_keeps_them(trained):
    folder, _ = trained
    saved = torch.load(folder / "run" / "best.pth", weights_only=True)["meta"]["autox_video"]["thresholds"]
    assert len(saved) == 3
    assert json.loads((folder / "run" / "results.json").read_text())["thresholds"] == saved
    hook = LastAndBestCheckpointHook("mean_average_precision")
    hook.resumed = torch.load(folder / "run" / "last.pth", weights_only=True)["meta"]["autox_video"]
    hook.before_train(SimpleNamespace(work_dir=folder / "run", train_loop=SimpleNamespace(go_on=lambda *place: None)))
    assert hook.thresholds == saved
    said = hook.resumed["calibration"]
    assert hook.calibration == said
    assert said["note"] == "1, as in the model: 4 validation videos are fewer than the 20 that a temperature takes"
    assert json.loads((folder / "run" / "results.json").read_text())["calibration"]["note"] == said["note"]


def test_unlabelled_videos_are_scored_without_figures(trained, tmp_path):
    folder, _ = trained
    (tmp_path / "new.txt").write_text("test 0.mp4\ntest 1.mp4\n", encoding="utf-8")
    path = tmp_path / "new.json"
    options = [f"ann_file_test={tmp_path / 'new.txt'}", f"test_results_path={path}"]
    run_cli("test", "-c", str(folder / "config.yaml"), *(word for option in options for word in ("--set", option)))
    results = json.loads(path.read_text())
    assert (results["metrics"], results["metrics_note"]) == (None, "the videos have no labels")
    assert [video["true_labels"] for video in results["videos"]] == [None, None]
    assert all(len(video["scores"]) == 3 and 0 < video["confidence"] < 1 for video in results["videos"])
    assert results["calibration"]["after"] is None


def test_a_video_is_previewed_under_each_of_its_labels(trained, tmp_path):
    folder, _ = trained
    run_cli("preview", "-c", str(folder / "config.yaml"), "--work-dir", str(tmp_path), "--videos", "9", "--draws", "1")
    page = (tmp_path / "preview" / "preview.html").read_text(encoding="utf-8")
    captions = [line for line in page.split("<figcaption>") if line.startswith("test: test 2.mp4")]
    # Two views of it, under each of its two labels.
    assert len(captions) == 4
    assert all("labels top and middle<" in caption for caption in captions)


def test_another_task_than_the_checkpoints_is_refused(trained):
    folder, _ = trained
    output = run_cli("test", "-c", str(folder / "config.yaml"), "--set", "task=single_label", code=2)
    assert output.endswith(
        "--set: task: the checkpoint was trained with multi_label, the settings now ask for something else "
        "(got single_label). Remove the key, or train anew in another work_dir.\n"
    )


def test_an_ensemble_of_several_labels_has_thresholds_of_its_own(trained, tmp_path):
    folder, _ = trained
    shutil.copytree(folder / "run", tmp_path / "twin")
    output = run_cli("ensemble", str(folder / "run"), str(tmp_path / "twin"), "--weights", "equal", "-o", str(tmp_path))
    assert output.count("scoring 4 validation videos") == 1  # the twin has the same checkpoint
    assert "none of 4 test videos tells them apart" in output
    one, joined = (json.loads((path / "results.json").read_text()) for path in (folder / "run", tmp_path))
    # Chosen anew on validation videos that were seen as the test videos are, and not by one view as in training.
    assert joined["calibration"]["num_val_videos"] == 4
    assert joined["thresholds"] == pytest.approx(one["thresholds"], rel=0.01)
    assert [video["scores"] for video in joined["videos"]] == [video["scores"] for video in one["videos"]]


def test_mmaction2s_own_evaluator_takes_several_labels_too():
    from mmaction.registry import METRICS

    metric = METRICS.build(load_task("multi_label").stock_evaluator(3))
    scores, labels = torch.tensor([[2.0, -1.0, 0.5], [-1.0, 3.0, -2.0]]), torch.tensor([[1.0, 0, 1], [0, 1, 0]])
    metric.process(None, [{"pred_score": s, "gt_label": t} for s, t in zip(scores, labels, strict=True)])
    assert metric.evaluate(2) == {"acc/mean_average_precision": 1.0}


def test_a_prediction_names_all_labels_over_their_thresholds(trained, tmp_path):
    folder, _ = trained
    tested = json.loads((folder / "run" / "results.json").read_text())
    views = f"{tested['views']['num_clips']}x{tested['views']['num_crops']}"
    given = ("--data-root", str(folder / "videos"), "-m", str(folder / "run"), "--device", "cpu", "--views", views)
    options = (str(folder / "test.txt"), *given, "-o", str(tmp_path / "p.json"), "--workers", "0")
    run_cli("predict", *options)
    results = json.loads((tmp_path / "p.json").read_text())
    assert [row["predicted_labels"] for row in results["videos"]] == [
        row["predicted_labels"] for row in tested["videos"]
    ]
    assert results["thresholds"] == tested["thresholds"]
    printed = run_cli("predict", *options, "--fresh", "--threshold", "0")
    lines = [line for line in printed.splitlines() if line.startswith("test ")]
    assert len(lines) >= 4
    assert all(all(f"  {name} 0." in line for name in NAMES) for line in lines[:4])
    printed = run_cli("predict", *options, "--threshold", "1", "--fresh")
    assert "test 0.mp4  -" in printed.splitlines()
    results = json.loads((tmp_path / "p.json").read_text())
    assert results["thresholds_note"] == "1 for each label, as asked"
    assert [row["labels"] for row in map(json.loads, (tmp_path / "p.journal.jsonl").open()) if "file" in row] == [
        []
    ] * 4
