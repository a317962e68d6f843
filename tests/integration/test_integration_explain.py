"""Why a video got its label, by a trained run: the command, its page, and networks that take clips or frames."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import videos
from runs import run_cli

from autox_video.decoding import FILES, open_video
from autox_video.report.html.parts import ReportedRun
from autox_video.report.html.sections import explanations
from autox_video.runner.predictor import open_predictor
from autox_video.using.explain import explain
from autox_video.work_dir import WorkDir


def test_the_command_writes_a_page_a_record_and_strips(trained, tmp_path: Path) -> None:
    video = tmp_path / "\"><img src=x onerror=alert(1)>'.mp4"
    video.write_bytes((trained.folder / "videos" / "light_test_0.mp4").read_bytes())
    out = tmp_path / "out"
    shown = run_cli(
        "explain", str(video), "--model", str(trained.work_dir), "-o", str(out), "--grid", "2", "--device", "cpu"
    )
    assert shown.splitlines()[0].startswith(f"{video}: ")
    assert shown.splitlines()[-1] == f"page     {out / 'explanation.html'}"
    assert sorted(path.name for path in out.iterdir()) == [
        "explanation.html",
        "explanation.json",
        "explanation_001_img_src_x_onerror_alert_1.jpg",
    ]
    (record,) = json.loads((out / "explanation.json").read_text())["videos"]
    results = json.loads((trained.work_dir / "results.json").read_text())
    (row,) = [row for row in results["videos"] if row["file"] == "light_test_0.mp4"]
    assert record["label"] == row["predicted_label"]["name"]
    assert record["score"] == pytest.approx(row["confidence"], abs=1e-4)
    # Four frames, twelve a second: four moments of one frame each.
    assert [moment["start_seconds"] for moment in record["moments"]] == [frame["seconds"] for frame in record["frames"]]
    assert np.shape([[region["weight"] for region in line] for line in record["regions"]]) == (2, 2)
    picture = cv2.imread(str(out / record["strip"]))
    assert picture.shape[1] == 4 * 112 + 3 * 3
    # Names full of HTML stay text.
    page = (out / "explanation.html").read_text()
    assert "<img src=x" not in page
    assert "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#x27;.mp4" in page


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--model", "{run}"], "INPUT: nothing is named. Name videos, or --mistakes N for those of the test.\n"),
        (
            ["--model", "{run}", "{videos}/none.mp4"],
            "INPUT: does not exist (got {videos}/none.mp4). Did you mean 'broken.mp4'.\n",
        ),
        (
            ["--model", "{run}", "http://127.0.0.1/a.mp4"],
            "INPUT: explains files only (got http://127.0.0.1/a.mp4). Download it first.\n",
        ),
        (
            ["--model", "{run}", "{videos}/broken.mp4", "--grid", "2"],
            "{videos}/broken.mp4: is no video, or its header is damaged or cut off. Name another video.\n",
        ),
        (
            ["--model", "{run}", "{videos}/light_test_0.mp4", "--label", "<b>"],
            "--label: the model has no such class (got <b>). Name a class of the model: 'dark', 'light'.\n",
        ),
        (
            ["--model", "{run}", "--mistakes", "2", "--results", "{run}/none.json"],
            "{run}/none.json: there are no results to take mistakes from. "
            "Run `autox-video test` first, or name the file with --results.\n",
        ),
    ],
)
def test_what_cannot_be_explained_is_said(trained, arguments: list[str], text: str) -> None:
    places = {"run": str(trained.work_dir), "videos": str(trained.folder / "videos")}
    shown = run_cli("explain", *(argument.format(**places) for argument in arguments), code=2)
    assert shown == text.format(**places)


def test_one_video_that_cannot_be_read_costs_no_other_its_explanation(trained, tmp_path: Path) -> None:
    folder = trained.folder / "videos"
    named = (str(folder / "broken.mp4"), str(tmp_path / "a\nb.mp4"))
    Path(named[1]).symlink_to(folder / "light_test_0.mp4")
    model = ("--model", str(trained.work_dir), "--grid", "1", "--moments", "1")
    shown = run_cli("explain", *named, *model, "-o", str(tmp_path / "out"), code=3)
    assert f"{named[0]}: is no video, or its header is damaged or cut off. Name another video.\n" in shown
    assert f"{named[1]!r}: " in shown
    (one,) = json.loads((tmp_path / "out" / "explanation.json").read_text())["videos"]
    assert one["file"] == named[1]


def test_of_three_crops_the_middle_one_is_explained(trained, tmp_path: Path) -> None:
    wide = videos.write_video(tmp_path / "wide.mp4", frames=24)
    predictor = open_predictor(trained.work_dir, "cpu", views=(2, 3))
    reader = open_video(str(wide), FILES)
    found = explain(predictor, reader, "wide.mp4", num_moments=2, grid=1)
    clips = predictor.clips_of(reader)
    assert clips.shape[:3] == (6, 3, 4)
    # Two clips of four frames, of the last crop.
    assert len(found.occlusion.seconds) == 8
    assert found.occlusion.moment.tolist() == [0] * 4 + [1] * 4
    assert np.array_equal(found.frames, clips[4:, :, 2].permute(0, 2, 3, 1).numpy())


def test_mistakes_of_a_test_are_explained_the_most_confident_first(trained, tmp_path: Path) -> None:
    results = json.loads((trained.work_dir / "results.json").read_text())
    scored = [row for row in results["videos"] if row["status"] == "ok"]
    for number, row in enumerate(scored):
        right, wrong = row["predicted_label"], {"id": 0, "name": "dark"}
        row["correct"] = number not in (1, 2)
        row["confidence"] = 0.5 + number / 100
        row["true_label"] = right if row["correct"] else wrong
    (tmp_path / "results.json").write_text(json.dumps(results))
    run_cli(
        *("explain", "--mistakes", "5", "--model", str(trained.work_dir / "best.safetensors"), "--grid", "1"),
        *("--moments", "1", "--results", str(tmp_path / "results.json"), "-o", str(tmp_path / "out")),
    )
    found = json.loads((tmp_path / "out" / "explanation.json").read_text())["videos"]
    assert [one["file"] for one in found] == [scored[2]["file"], scored[1]["file"]]
    assert {one["true_label"] for one in found} == {"dark"}
    # The report shows them where they lie in the work dir.
    shutil.copytree(tmp_path / "out", tmp_path / "run" / "explanations")
    made = explanations.section(ReportedRun(WorkDir(tmp_path / "run")))
    assert made is not None
    assert made.html.count("<img ") == 2
    assert f"{scored[2]['file']}</h3>" in made.html
