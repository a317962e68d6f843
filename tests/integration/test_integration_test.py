from __future__ import annotations

import json
import shutil

import pytest
from runs import FAST, run_cli

from autox_video import AutoXVideo, RequestError
from autox_video.decoding import open_video
from autox_video.runner.predictor import open_predictor
from autox_video.scoring import score
from autox_video.settings.load import load_settings
from autox_video.work_dir import WorkDir


def test_two_test_runs_give_the_same_bytes_and_the_second_replaces_nothing_of_the_first(trained, tmp_path):
    first = (trained.work_dir / "results.json").read_bytes()
    before = (trained.work_dir / "report.html").stat()
    output = run_cli("test", "-c", str(trained.config), "--set", f"test_results_path={tmp_path / 'again.json'}")
    assert (tmp_path / "again.json").read_bytes() == first
    assert output.endswith(f"report   {tmp_path / 'again.report.html'}\n")
    assert 'id="mistakes"' in (tmp_path / "again.report.html").read_text(encoding="utf-8")
    after = (trained.work_dir / "report.html").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_results_name_every_video_in_the_order_of_the_list(trained):
    results = json.loads((trained.work_dir / "results.json").read_text())
    listed = [line.split()[0] for line in (trained.folder / "test_list.txt").read_text().splitlines()]
    assert [row["file"] for row in results["videos"]] == listed
    broken = results["videos"][2]
    assert (broken["file"], broken["status"]) == ("broken.mp4", "error")
    assert broken["error"]
    assert all(row["status"] == "ok" for row in results["videos"] if row is not broken)


def test_the_figures_follow_from_the_rows(trained):
    results = json.loads((trained.work_dir / "results.json").read_text())
    scored = [row for row in results["videos"] if row["status"] == "ok"]
    assert results["metrics"]["top1"] == sum(row["correct"] for row in scored) / len(scored)
    assert results["checkpoint"]["path"].endswith("best.pth")


def test_one_pass_gives_the_figures_of_all_views_and_of_one(trained, tmp_path):
    def tested(*options: str) -> tuple[dict, str]:
        options = (f"test_results_path={tmp_path / 'views.json'}", *options)
        output = run_cli("test", "-c", str(trained.config), *(word for option in options for word in ("--set", option)))
        return json.loads((tmp_path / "views.json").read_text()), output

    many, output = tested("test.views=3x3")
    assert many["views"] == {"num_clips": 3, "num_crops": 3}
    assert set(many["metrics_single_view"]) == {"top1", "top5", "mean_class_accuracy", "loss"}
    assert many["metrics_single_view"]["loss"] != many["metrics"]["loss"]
    lines = output.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("test     top-1 "))
    assert lines[start].endswith(" of 7 videos scored, in 3x3 views each)")
    assert lines[start + 1].startswith("one view top-1 ")
    # What all views say stays as it is where none is looked at by itself.
    without, _ = tested("test.views=3x3", "cfg_options.test_cfg.num_views=1")
    assert [row["scores"] for row in without["videos"]] == [row["scores"] for row in many["videos"]]
    assert without["metrics_single_view"] is None
    one, output = tested("test.views=1x1")
    assert (one["views"], one["metrics_single_view"]) == ({"num_clips": 1, "num_crops": 1}, None)
    assert "one view" not in output
    assert one["metrics"]["loss"] == pytest.approx(many["metrics_single_view"]["loss"], rel=0.02)


def test_the_probe_scores_the_frames_in_other_orders_and_leaves_the_test_as_it_is(trained, tmp_path):
    def tested(name: str, *options: str) -> dict:
        options = (f"test_results_path={tmp_path / name}", "test.views=2x3", *options)
        run_cli("test", "-c", str(trained.config), *(word for option in options for word in ("--set", option)))
        return json.loads((tmp_path / name).read_text())

    plain, probed = tested("plain.json"), tested("probed.json", "test.probe=true")
    assert [row["scores"] for row in probed["videos"]] == [row["scores"] for row in plain["videos"]]
    assert "probe" not in plain
    assert set(probed.pop("probe")["accuracy"]) == {"as_is", "still", "shuffled", "reversed"}
    assert probed == plain

    # What is said of each order is what a model says that is shown the frames in this order by hand.
    settings = load_settings(trained.config, ["test.probe=true", "test.views=2x3"])
    rows = score(settings, WorkDir(trained.work_dir), trained.work_dir / "best.pth").rows
    assert [row.order_scores is None for row in rows] == [row.error is not None for row in rows]
    predictor = open_predictor(trained.work_dir / "best.pth", views=(2, 3))
    row = rows[0]
    clips = predictor.clips_of(open_video(str(trained.folder / "videos" / row.path), "pyav"))
    still = clips.unflatten(0, (3, 2))[:, :1, :, 2:3].expand(3, 2, 3, 4, -1, -1).flatten(0, 1)
    by_hand = predictor.score([clips.flip(2)])[0], predictor.score([still])[0]
    assert row.order_scores["reversed"] == pytest.approx(by_hand[0], abs=1e-5)
    assert row.order_scores["still"] == pytest.approx(by_hand[1], abs=1e-5)


def test_the_probe_refuses_clips_that_have_no_order(made_data, tmp_path):
    options = ("--work-dir", str(tmp_path), "--set", "clip.clip_len=2", "--set", "test.probe=true")
    output = run_cli("plan", "-c", str(made_data / "config.yaml"), *options, code=2)
    assert output.splitlines()[-1] == (
        "--set: test.probe: asks what the order of frames means to a model whose clips have 2 (got true). "
        "Leave it out, or train with clips of 3 frames or more."
    )


def test_mixed_precision_predicts_what_float32_does(trained, tmp_path):
    target = tmp_path / "mixed.json"
    options = ("cfg_options.test_cfg.amp=bfloat16", f"test_results_path={target}", "test.num_clips=3")
    run_cli("test", "-c", str(trained.config), *(word for option in options for word in ("--set", option)))
    options = options[1:]
    mixed = json.loads(target.read_text())
    run_cli("test", "-c", str(trained.config), *(word for option in options for word in ("--set", option)))
    exact = json.loads(target.read_text())
    assert [row["predicted_label"] for row in mixed["videos"]] == [row["predicted_label"] for row in exact["videos"]]
    for figure in ("top1", "top5", "mean_class_accuracy"):
        assert mixed["metrics"][figure] == exact["metrics"][figure]


def test_the_bare_list_of_the_original_tool_is_still_to_be_had(trained, tmp_path):
    run_cli(
        "test",
        "-c",
        str(trained.config),
        "--set",
        f"test_results_path={tmp_path / 'scores.json'}",
        "--set",
        "test.results_format=scores",
    )
    scores = json.loads((tmp_path / "scores.json").read_text())
    full = json.loads((trained.work_dir / "results.json").read_text())
    assert scores == [row["scores"] for row in full["videos"]]


def test_a_missing_checkpoint_says_train_first(made_data, tmp_path):
    output = run_cli("test", "-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path), code=2)
    assert (
        output
        == f"{tmp_path / 'best.pth'}: there is no such checkpoint. Train first, or name a checkpoint of an earlier run.\n"
    )


def test_python_trains_and_transforms(made_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = AutoXVideo()
    model.read_cfg(made_data / "config.yaml")
    outcome = model.fit(epoch=1, work_dir=tmp_path / "run")
    assert outcome.best_checkpoint == tmp_path / "run" / "best.pth"
    assert set(outcome.best_metrics) == {"val_top1", "val_top5", "val_mean_class_accuracy", "val_loss"}
    results = model.transform(output_path=tmp_path / "labelled.json")
    assert results.metrics is not None

    # Folders that look like classes: without a list they are all scored, and their names are no labels.
    folder = tmp_path / "new"
    for name in ("x", "y", "z"):
        shutil.copytree(made_data / "videos", folder / name)
    unlabelled = model.transform(data_root=folder, output_path=tmp_path / "new.json")
    assert unlabelled.metrics is None
    assert json.loads((tmp_path / "new.json").read_text())["metrics"] is None
    assert len(unlabelled.videos) == len([path for path in folder.rglob("*") if path.is_file()])
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {
        path.name for path in (made_data / "videos").iterdir()
    }

    alone = AutoXVideo().transform(
        data_root=folder, checkpoint=tmp_path / "run" / "best.pth", output_path=tmp_path / "alone.json"
    )
    assert [video.scores for video in alone.videos] == [video.scores for video in unlabelled.videos]


def test_fit_takes_the_original_tools_arguments(made_data, tmp_path):
    outcome = AutoXVideo().fit(
        data_root=made_data / "videos",
        ann_file_train=made_data / "train_list.txt",
        ann_file_val=made_data / "val_list.txt",
        video_length=1,
        num_class=2,
        videos_per_gpu=4,
        epoch=1,
        work_dir=tmp_path / "run",
        model=FAST["model"],
        runtime=FAST["runtime"],
    )
    assert outcome.epochs == 1


def test_python_without_data_is_refused():
    with pytest.raises(RequestError) as caught:
        AutoXVideo().fit()
    assert str(caught.value) == "AutoXVideo: no data is named. Call read_cfg(), or pass data_root."


def test_the_report_is_written_by_a_test_and_anew_by_a_command(trained, tmp_path):
    assert f"report   {trained.work_dir / 'report.html'}\n" in trained.output
    copied = shutil.copytree(trained.work_dir, tmp_path / "run")
    page = copied / "report.html"
    page.unlink()
    assert run_cli("report", "--work-dir", str(copied)) == f"report   {page}\n"
    assert 'id="mistakes"' in page.read_text(encoding="utf-8")

    (copied / "results.json").unlink()
    note = f"note     {copied / 'results.json'} does not exist yet: the report has no figures of a test\n"
    assert run_cli("report", "--work-dir", str(copied)) == f"{note}report   {page}\n"
    assert 'id="curves"' in page.read_text(encoding="utf-8")

    (tmp_path / "results.csv").touch()
    given = ("-c", str(trained.config), "--set", f"test_results_path={tmp_path / 'results.csv'}")
    assert run_cli("report", *given, code=2) == (
        f"{tmp_path / 'results.csv'}: a report is made from results in JSON only (got .csv). Give test_results_path the"
        " ending .json and test again; or open the report.html that `test` wrote.\n"
    )
    missing = tmp_path / "nowhere"
    told = f"{missing}: there is no such folder. Name the work_dir of a run.\n"
    assert run_cli("report", "--work-dir", str(missing), code=2) == told
