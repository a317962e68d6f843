"""`autox-video predict` on files, folders, lists and URLs: what a test would say, and every video exactly once."""

from __future__ import annotations

import csv
import json
import multiprocessing.connection
import os
import shutil
import signal
import time
from multiprocessing.util import get_temp_dir

import jsonschema
import numpy as np
import pytest
import torch
import videos
from local_site import running_site
from runs import run_cli

from autox_video import AutoXVideo, cli
from autox_video.decoding import open_file
from autox_video.errors import RequestError, RunError
from autox_video.presets import shared_folder
from autox_video.runner import predicting
from autox_video.runner.predictor import open_predictor


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    """`best.safetensors` alone in an empty folder."""
    folder = tmp_path_factory.mktemp("model")
    shutil.copy(trained.work_dir / "best.safetensors", folder)
    return folder / "best.safetensors"


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """A folder of twelve videos and of files that are none."""
    folder = tmp_path_factory.mktemp("twelve")
    for number in range(12):
        videos.write_video(folder / f"{'ab'[number % 2]}" / f"clip {number}.mp4", frames=4, seed=number)
    (folder / "a" / "notes.txt").write_text("no video")
    (folder / "cover.jpg").write_bytes(b"no video")
    return folder


def predict(model, output, *arguments, code=0):
    """Run the command; what it printed, and the results."""
    fixed = ("--model", str(model), "-o", str(output), "--device", "cpu")
    printed = run_cli("predict", *map(str, arguments), *fixed, code=code)
    return printed, json.loads(output.read_text()) if output.suffix == ".json" and code != 2 else None


def names(results):
    return [video["file"] for video in results["videos"]]


def test_the_weights_alone_say_of_a_list_what_the_test_said(trained, model, tmp_path):
    tested = json.loads((trained.work_dir / "results.json").read_text())
    views = f"{tested['views']['num_clips']}x{tested['views']['num_crops']}"
    options = ("--data-root", trained.folder / "videos", "--views", views, "--csv", tmp_path / "p.csv")
    printed, results = predict(model, tmp_path / "p.json", trained.folder / "test_list.txt", *options, code=3)
    assert results["metrics"].pop("loss") == pytest.approx(tested["metrics"].pop("loss"), abs=1e-6)
    assert results["metrics"] == tested["metrics"]
    assert results["calibration"]["note"] == tested["calibration"]["note"]
    assert names(results) == names(tested)
    for ours, theirs in zip(results["videos"], tested["videos"], strict=True):
        assert ours["true_label"] == theirs["true_label"]
        assert ours["predicted_label"] == theirs["predicted_label"]
    schema = json.loads((shared_folder("resources") / "results.schema.json").read_text())
    jsonschema.validate({**results, "metrics": None}, schema)
    lines = printed.splitlines()
    assert "broken.mp4  ERROR is no video, or its header is damaged or cut off" in lines
    assert "predicted 6 of 7 videos, 1 cannot be read" in lines
    table = list(csv.DictReader((tmp_path / "p.csv").open()))
    assert [row["file"] for row in table] == names(results)
    assert [row["status"] for row in table].count("error") == 1


def test_a_run_that_is_killed_twice_goes_on_and_names_each_video_once(model, twelve, tmp_path, own_process):
    output = tmp_path / "p.json"
    journal = tmp_path / "p.journal.jsonl"
    command = ("predict", str(twelve), "-m", str(model), "-o", str(output), "--device", "cpu", "--workers", "2")
    for calls, name, code in ((4, "SIGKILL", -9), (3, "SIGKILL", -9), (2, "SIGTERM", 143)):
        ended = own_process.run(*command, place="row", calls=calls, name=name)
        assert (ended.code, ended.left, output.exists()) == (code, [], False)
    assert ended.output[-1] == "stopped  by SIGTERM; run the same command again"
    content = journal.read_bytes()
    assert content.count(b"\n") == 1 + 4 + 3 + 2
    journal.write_bytes(content[:-20])
    printed, results = predict(model, output, twelve, "--workers", 1)
    assert f"goes on  8 of 12 videos done before ({journal})" in printed
    assert "note     the last line of p.journal.jsonl was torn, as a kill leaves it: cut off" in printed
    assert names(results) == [f"{'ab'[odd]}/clip {number}.mp4" for odd in (0, 1) for number in range(odd, 12, 2)]
    assert printed.count(".mp4  ") == 4
    straight = predict(model, tmp_path / "straight.json", twelve)[1]
    assert results == straight


def test_only_what_is_new_or_changed_is_scored_again(model, twelve, tmp_path):
    folder, output = tmp_path / "videos", tmp_path / "out" / "p.json"
    shutil.copytree(twelve, folder)
    first, _ = predict(model, output, folder, "--workers", 0)
    assert "note     2 files passed over, by their endings no videos (.jpg 1, .txt 1)" in first
    assert "goes on" not in first
    videos.write_video(folder / "a" / "clip 0.mp4", frames=5, brightness=200)
    videos.write_video(folder / "c.mp4", frames=4)
    (folder / "b" / "clip 1.mp4").unlink()
    second, results = predict(model, output, folder, "--workers", 0)
    assert "note     1 video changed since they were scored, and are scored anew" in second
    assert [line.split("  ")[0] for line in second.splitlines() if ".mp4  " in line] == ["a/clip 0.mp4", "c.mp4"]
    assert len(names(results)) == len(set(names(results))) == 12
    third, _ = predict(model, output, folder, "--workers", 0, "--views", "2x1", "--quiet")
    assert "p.journal.jsonl is of another model, or of other views: all videos are scored anew" in third
    assert ".mp4  " not in third
    fourth, again = predict(model, output, folder, "--workers", 0, "--views", "2x1", "--fresh")
    assert "goes on" not in fourth
    assert fourth.count(".mp4  ") == len(again["videos"]) == 12


def test_videos_behind_urls_are_fetched_and_leave_nothing_behind(model, twelve, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    # The folder of the processes' sockets is made once, and removed when this process ends.
    get_temp_dir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    clip = (twelve / "a" / "clip 0.mp4").read_bytes()
    with running_site() as site:
        urls = [
            site.put("/a%20clip.mp4?signed=1", clip),
            site.put("/large.mp4", clip + bytes(2 << 20)),
            site.put("/page.mp4", b"<html>no video</html>"),
            site.put("/short.mp4", clip[:1000], Content_Length="5000"),
            f"{site.root}/missing.mp4",
            "http://127.0.0.1:9/closed.mp4",
        ]
        (tmp_path / "list.txt").write_text("\n".join(urls))
        _, results = predict(model, tmp_path / "p.json", tmp_path / "list.txt", "--max-download-mib", 1, code=3)
        local = predict(model, tmp_path / "local.json", twelve / "a" / "clip 0.mp4")[1]
        assert names(results) == urls
        assert results["videos"][0]["scores"] == local["videos"][0]["scores"]
        assert [video["error"] for video in results["videos"][1:]] == [
            "is larger than 1 MiB (see --max-download-mib)",
            "is no video, or its header is damaged or cut off",
            "cannot be downloaded: the connection broke after 1000 of 5000 bytes",
            "cannot be downloaded: the server says 404 Not Found",
            "cannot be downloaded: [Errno 111] Connection refused",
        ]
        site.put("/missing.mp4", clip)
        assert predict(model, tmp_path / "p.json", urls[0], urls[4])[1]["counts"]["scored"] == 2
    assert os.listdir(scratch) == []


def test_every_way_to_name_videos_names_them_once(model, twelve, tmp_path, monkeypatch):
    monkeypatch.chdir(twelve)
    videos.write_images(tmp_path / "images", frames=4)
    given = ("a", "a/clip 0.mp4", "b/clip ?.mp4", "**/*1.mp4", tmp_path / "images")
    printed, results = predict(model, tmp_path / "p.json", *given)
    of_b = [f"b/clip {number}.mp4" for number in (1, 3, 5, 7, 9, 11)]
    assert names(results) == [f"a/clip {number}.mp4" for number in range(0, 12, 2)] + of_b + [str(tmp_path / "images")]
    assert results["data_root"] == str(twelve)
    assert "note     2 videos named more than once, and taken once" in printed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["clip.mp4"], "INPUT: does not exist (got {here}/clip.mp4). Did you mean 'a.mp4'."),
        (["*.avi"], "INPUT: no file fits the pattern (got *.avi). Correct the pattern."),
        (["empty"], "INPUT: is a folder without a video (got empty). Name a folder with videos in it or below it."),
        (["0", "a.mp4"], "INPUT: a stream never ends, so nothing can come beside it (got 0, a.mp4). Name the stream alone; start a second command for the rest."),
        (["/dev/video97"], "INPUT: does not exist (got /dev/video97). Name a video, a folder, a list, a quoted pattern or an http(s) URL."),
        (["wrong.txt"], "wrong.txt:2: has an unknown class (got 'drak'). Did you mean 'dark'; or add --ignore-labels."),
        (["a.mp4", "-o", "p.txt"], "--output: the ending names no format (got 'p.txt'). Choose one of .json, .csv, .pkl, .yaml, .yml."),
        (["a.mp4", "--threshold", "0.5"], "--threshold: this model gives a video one label, the best, whatever its confidence (got 0.5). Leave it out, and look at `confidence`."),
        (["folder", "--annotate", "folder/drawn"], "--annotate: would write among the videos that are read, and the next time be read itself (got folder/drawn). Name a folder elsewhere."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_request_is_said_before_anything_is_scored(given, message, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    videos.write_video(tmp_path / "a.mp4", frames=2)
    videos.write_video(tmp_path / "folder" / "a.mp4", frames=2)
    (tmp_path / "wrong.txt").write_text("a.mp4 dark\na.mp4 drak\n")
    printed = run_cli("predict", *given, "--model", str(model), "--device", "cpu", "--workers", "0", code=2)
    assert printed.splitlines()[-1] == message.format(here=tmp_path)
    assert not (tmp_path / "predictions.json").exists()


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_no_more_processes_decode_than_can_be_told_apart(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "a.mp4", "--workers", "257"])
    assert "argument --workers: '257' is not a whole number from 0 to 256" in capsys.readouterr().err


def test_a_video_that_hangs_or_kills_its_process_is_a_row(model, twelve, tmp_path):
    os.mkfifo(tmp_path / "hangs.mp4")
    (tmp_path / "list.txt").write_text(f"{twelve}/a/clip 0.mp4\nhangs.mp4\n{twelve}/a/clip 2.mp4\n")
    options = ("--workers", 1, "--time-limit", 1)
    _, results = predict(model, tmp_path / "p.json", tmp_path / "list.txt", *options, code=3)
    assert [video["status"] for video in results["videos"]] == ["ok", "error", "ok"]
    assert results["videos"][1]["error"] == "takes more than 1 s to decode (see --time-limit)"


def test_a_process_that_dies_takes_one_video_with_it_and_no_other(model, twelve):
    predictor = open_predictor(model, device="cpu")
    reader = open_file(str(twelve / "a" / "clip 0.mp4"))

    def clips_of(number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == 5:
            raise ValueError("nobody thought of this")
        return predictor.clips_of(reader)

    found = dict(predicting.score_videos(predictor, range(7), clips_of, num_workers=2, videos_per_batch=1))
    assert list(found) == list(range(7))
    assert {number: said for number, said in found.items() if isinstance(said, str)} == {
        3: "kills the process that decodes it",
        5: "cannot be prepared: ValueError: nobody thought of this",
    }


def test_a_process_that_dies_while_it_hands_over_a_batch_is_as_dead_as_any(model, twelve, tmp_path):
    predictor = open_predictor(model, device="cpu")
    reader = open_file(str(twelve / "a" / "clip 0.mp4"))
    died = tmp_path / "died"

    def die(connection, key):
        connection.close()
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)

    def clips_of(number):
        if number == 2 and not died.exists():
            died.touch()
            # The thread that hands over what this process has loaded closes the connection, and dies with the process.
            multiprocessing.connection.deliver_challenge = die
        return predictor.clips_of(reader)

    found = dict(predicting.score_videos(predictor, range(6), clips_of, num_workers=1, videos_per_batch=1))
    assert list(found) == list(range(6))
    assert died.exists()
    assert not [said for said in found.values() if isinstance(said, str)]


def test_a_batch_that_the_gpu_has_no_memory_for_is_halved(model, twelve, monkeypatch):
    predictor = open_predictor(model, device="cpu")
    clips = [predictor.clips_of(open_file(str(file))) for file in sorted(twelve.rglob("*.mp4"))[:5]]
    expected, step, sizes = predictor.score(clips), predictor.model.test_step, []

    def short_of_memory(batch):
        sizes.append(len(batch["inputs"]))
        if sizes[-1] > 2:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return step(batch)

    monkeypatch.setattr(predictor.model, "test_step", short_of_memory)
    loaded = predicting.score_videos(predictor, range(5), clips.__getitem__, num_workers=0, videos_per_batch=5)
    np.testing.assert_allclose([found for _, found in loaded], expected, atol=1e-6)
    assert sizes == [5, 2, 3, 1, 2]
    np.testing.assert_allclose(predictor.score(clips), expected, atol=1e-6)
    assert len(predictor.features(clips)) == 5
    monkeypatch.setattr(predictor.model, "test_step", lambda batch: short_of_memory({"inputs": range(9)}))
    with pytest.raises(RunError) as caught:
        predictor.score(clips[:1])
    cure = "Ask for fewer --views, or use --device cpu"
    assert str(caught.value) == f"the GPU: has not the memory for one video. {cure}."


def test_from_python_the_results_come_back_and_nothing_is_written(model, twelve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = AutoXVideo.load(model, device="cpu")
    results = loaded.predict(twelve / "a")
    assert [video.status for video in results.videos] == ["ok"] * 6
    assert loaded.predict([twelve / "a", twelve / "b"], output_path="p.csv").counts.scored == 12
    assert sorted(os.listdir(tmp_path)) == ["p.csv", "p.journal.jsonl"]
    # Other settings mean another run.
    (tmp_path / "config.yaml").write_text(f"data_root: {twelve}\nwork_dir: {tmp_path / 'other'}\n")
    loaded.read_cfg("config.yaml")
    with pytest.raises(RequestError, match="other: there is no such model"):
        loaded.predict(twelve / "a")
