"""`autox-video timeline` with a tiny model that tells dark videos from light ones."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import odd_videos
import pytest
import videos
from local_site import running_site
from runs import ROOT, run_cli

from autox_video.decoding import open_file
from autox_video.runner.predictor import open_predictor
from autox_video.using.timeline.one_pass import clips_of_windows
from autox_video.using.timeline.outputs import SUMMARY, srt, write_summary
from autox_video.using.timeline.record import ERROR, Timeline
from autox_video.using.timeline.segments import Segment
from autox_video.using.timeline.thresholds import FILE
from autox_video.using.timeline.windows import Span, span_of, windows_of

SCHEMA = json.loads((ROOT / "resources" / "timeline.schema.json").read_text())
DARK, LIGHT = 40, 215
NAME = "<b>'a\" & 视频"


def write_parts(path: Path, parts: list[tuple[int, float]], milliseconds: list[int]) -> Path:
    """Frames at these times; each part is of a brightness, noisy as those that were learned, or still where it is below 0."""
    import av

    ends = np.cumsum([seconds for _, seconds in parts])
    random = np.random.default_rng(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=12)
        stream.width = stream.height = 32
        stream.bit_rate = 4_000_000
        stream.codec_context.time_base = odd_videos.Fraction(1, 1000)
        for stamp in milliseconds:
            brightness = parts[int(np.searchsorted(ends, stamp / 1000, side="right"))][0]
            noise = random.integers(-20, 20, (32, 32, 3)) if brightness > 0 else 0
            picture = np.clip(abs(brightness) + noise + np.zeros((32, 32, 3)), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base, frame.pts = odd_videos.Fraction(1, 1000), stamp
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def even(seconds: float, fps: int = 12) -> list[int]:
    return [round(1000 * number / fps) for number in range(round(seconds * fps))]


@pytest.fixture(scope="module")
def filmed(tmp_path_factory) -> Path:
    """Dark, light, a still picture, light again: at an uneven rate."""
    folder = tmp_path_factory.mktemp("filmed")
    random = np.random.default_rng(1)
    times = np.cumsum(random.integers(50, 120, 240))
    times = [0, *times[times < 14_000].tolist()]
    return write_parts(folder / f"{NAME}.mkv", [(DARK, 4), (LIGHT, 3), (-LIGHT, 4), (LIGHT, 3)], times)


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    """A copy of the trained run: what its validation videos say of segments is kept beside the model."""
    return Path(shutil.copytree(trained.work_dir, tmp_path_factory.mktemp("model") / "run"))


@pytest.fixture(scope="module")
def done(model, filmed, tmp_path_factory):
    """What the command found in that video and in one that cannot be read."""
    folder = tmp_path_factory.mktemp("timelines")
    (folder / "broken.mp4").write_bytes(b"this is no video")
    truth = folder / "truth.csv"
    truth.write_text(
        'file,start,end,label\n"{}",0,4,dark\n"{}",4,7,light\n"{}",7,11,background\n"{}",11,14,light\n'.format(
            *[f"{NAME}.mkv".replace('"', '""')] * 4
        )
    )
    command = ["timeline", str(filmed), str(folder / "broken.mp4"), "--model", str(model)]
    command += ["-o", str(folder / "out"), "--truth", str(truth), "--stride", "0.34", "--device", "cpu"]
    return folder, command, run_cli(*command, code=3)


def test_segments_lie_where_the_scenes_do_to_the_frame(done, filmed):
    folder, _, output = done
    found = json.loads((folder / "out" / f"{NAME}.json").read_text())
    jsonschema.validate(found, SCHEMA)
    times = open_file(str(filmed)).times()
    bounds = [(one["start_seconds"], one["end_seconds"], one["label"]) for one in found["segments"]]
    assert [label for _, _, label in bounds] == ["dark", "light", "light"]
    # All are times of frames. Beside what stands still they are exact, between two scenes to within a stride.
    cuts = [float(times[np.searchsorted(times, second)]) for second in (4, 7, 11)]
    (first, second, third) = bounds
    assert first[0] == 0.0
    assert {first[1], second[0]} <= set(times.tolist())
    assert cuts[0] - 0.4 < first[1] <= second[0] < cuts[0] + 0.4
    assert second[1] == pytest.approx(cuts[1], abs=1e-6)
    assert third[:2] == (pytest.approx(cuts[2], abs=1e-6), found["duration_seconds"])
    assert found["still"] == [[pytest.approx(cuts[1]), pytest.approx(cuts[2])]]
    assert re.search(r"truth    F1@0.1 1.000  F1@0.25 1.000  F1@0.5 1.000  frames right 0\.9\d\d  \(1 videos\)", output)
    assert found["metrics"]["f1"] == {"0.1": 1.0, "0.25": 1.0, "0.5": 1.0}


def test_a_video_that_cannot_be_read_is_a_row_with_the_reason(done):
    folder, _, output = done
    assert f"error    {folder}/broken.mp4: is no video, or its header is damaged or cut off" in output
    with (folder / "out" / "timelines.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["file"]).name, row["label"], row["status"]) for row in rows] == [
        *[(f"{NAME}.mkv", label, "ok") for label in ("dark", "light", "light")],
        ("broken.mp4", "", "error"),
    ]
    assert rows[-1]["error"] == "is no video, or its header is damaged or cut off"
    broken = json.loads((folder / "out" / "broken.json").read_text())
    jsonschema.validate(broken, SCHEMA)
    assert not (folder / "out" / "broken.srt").exists()


def test_table_and_subtitles_hold_the_same_segments(done):
    folder, *_ = done
    found = json.loads((folder / "out" / f"{NAME}.json").read_text())["segments"]
    with (folder / "out" / f"{NAME}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [one["label"] for one in found]
    assert [float(row["start"]) for row in rows] == pytest.approx([one["start_seconds"] for one in found], abs=6e-4)
    text = (folder / "out" / f"{NAME}.srt").read_text()
    assert text == srt([Segment(**one) for one in found])
    assert text.startswith("1\n00:00:00,000 --> 00:00:0")


def test_subtitles_are_well_formed_whatever_a_class_is_called():
    text = srt([Segment(3661.0004, 36000.25, "a\n\n2 --> b", 0.5), Segment(0.9996, 1, "<i>", 1)])
    assert text == "1\n01:01:01,000 --> 10:00:00,250\na 2 -> b (50%)\n\n2\n00:00:01,000 --> 00:00:01,000\n<i> (100%)\n"


def test_a_name_that_is_no_text_stands_in_the_table(tmp_path):
    write_summary([Timeline(1, "a\udcff.mp4", None, None, ERROR, "is no video", None, None)], tmp_path)
    assert (tmp_path / SUMMARY).read_text().splitlines()[1:] == ["a\\udcff.mp4,,,,,error,is no video"]


def test_what_is_done_is_not_done_again_until_something_changes(done):
    folder, command, _ = done
    written = (folder / "out" / f"{NAME}.json").stat().st_mtime_ns
    unasked = [word for word in command if word not in ("--truth", str(folder / "truth.csv"))]
    output = run_cli(*unasked, code=3)
    assert "kept     1 of 2 videos were done before" in output
    assert run_cli(*unasked, code=3) == output
    # The figures belong to the call that had something to compare with.
    found = json.loads((folder / "out" / f"{NAME}.json").read_text())
    assert found["metrics"] is None
    assert written != (folder / "out" / f"{NAME}.json").stat().st_mtime_ns
    assert "kept" not in run_cli(*unasked, "--min-seconds", "5", code=3)
    found = json.loads((folder / "out" / f"{NAME}.json").read_text())
    assert found["segments"] == []


def test_thresholds_are_asked_of_the_validation_videos_once(done, model):
    known = json.loads((model / FILE).read_text())
    assert known["num_videos"] == 6
    assert known["still"] == []
    assert len(set(known["enter"])) == 1
    assert 0.3 < known["enter"][0] <= 1.0
    assert known["seconds"] == pytest.approx(1.0, abs=0.1)


def test_a_window_is_what_the_pipeline_of_the_test_makes_of_that_piece(model, filmed):
    predictor = open_predictor(model, device="cpu", views=(1, 1))
    reader, other = open_file(str(filmed)), open_file(str(filmed))
    times = reader.times()
    for span in (span_of(predictor.plan, None), Span(0, 0.9)):
        windows = windows_of(times, float(times[-1]) + 0.1, span)
        clips = list(clips_of_windows(reader, times, windows, predictor.clips_of))
        assert len(clips) == len(windows) > 10
        for (start, end), clip in list(zip(windows.bounds.tolist(), clips, strict=True))[::9]:
            assert np.array_equal(clip.numpy(), predictor.clips_of(other, start, end).numpy())


def test_the_page_shows_every_segment_in_a_browser(done, page):
    folder, command, _ = done
    run_cli(*command, code=3)
    page.goto((folder / "out" / f"{NAME}.html").absolute().as_uri())
    assert page.title() == f"{NAME}.mkv"
    assert page.locator(".timeline .lane a").count() == 3
    assert page.locator("figure").count() == 3
    page.locator(".timeline .lane a").nth(1).click()
    assert page.locator("figure:target b").inner_text() == "light"
    # A film for each segment, and twelve over the strip; how many are drawn in time, the machine decides.
    assert page.locator(".film[data-film]").count() == 3 + 12
    assert page.locator("h2").first.inner_text() == "Timeline"
    page.click("#language")
    assert page.locator("h2").first.inner_text() == "时间轴"
    assert page.locator("main b b").count() == 0
    assert page.errors == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere.mp4"], "INPUT: does not exist (got {here}/nowhere.mp4). Name a video, a folder, a list, a quoted pattern or an http(s) URL.\n"),
        (["."], "INPUT: is a folder without a video (got .). Name a folder with videos in it or below it.\n"),
        (["*.avi"], "INPUT: no file fits the pattern (got *.avi). Correct the pattern.\n"),
        (
            ["0", "rtsp://me:secret@camera/1"],
            "INPUT: a stream never ends, and a timeline is of a whole video (got /dev/video0). Record it, or watch it with `predict`.\n"
            "INPUT: a stream never ends, and a timeline is of a whole video (got rtsp://camera/1). Record it, or watch it with `predict`.\n",
        ),
    ],
)  # fmt: skip
def test_what_is_not_there_or_never_ends_is_refused(arguments, expected, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = run_cli("timeline", *arguments, "--model", str(model), code=2)
    assert printed == expected.format(here=tmp_path)


def test_patterns_lists_and_urls_name_videos_as_for_predict(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips = {name: videos.write_video(tmp_path / "in" / f"{name}.mp4", brightness=DARK, frames=15) for name in "abcd"}
    (tmp_path / "list.csv").write_text(
        "path,label,start,end\nin/b.mp4,dark,0,0.5\nin/b.mp4,none of the model's,0.5,1\nin/a.mp4,dark,0,1\n"
    )
    with running_site() as site:
        url, lost = site.put("/to/my%20clip.mp4?signed=1", clips["d"].read_bytes()), f"{site.root}/lost.mp4"
        (tmp_path / "truth.csv").write_text(f"file,start,end,label\n{url},0,1.25,dark\nin/c.mp4,0,1.25,dark\n")
        command = ["timeline", "in/[ac].mp4", "list.csv", url, lost, "--model", str(model)]
        output = run_cli(*command, "--truth", "truth.csv", code=3)
        again = run_cli(*command, "--truth", "truth.csv", code=3)
    assert re.findall(r"^(?:ok|error) +(.*): ", output, re.MULTILINE)[:4] == ["in/a.mp4", "in/c.mp4", "in/b.mp4", url]
    assert f"error    {lost}: cannot be downloaded: the server says 404 Not Found" in output
    assert "note     3 pieces named by lists: their videos are looked through from end to end" in output
    assert "frames right 1.000  (2 videos)" in output
    assert "kept     4 of 5 videos were done before" in again
    names = ("a", "b", "c", "my clip", "lost")
    found = {name: json.loads((tmp_path / "timelines" / f"{name}.json").read_text()) for name in names}
    for one in found.values():
        jsonschema.validate(one, SCHEMA)
    assert [one["file"] for one in found.values()] == [*(str(clips[name]) for name in "abc"), url, lost]
    assert [one["num_frames"] for one in found.values()] == [15] * 4 + [0]
    # What was downloaded has gone, and the page has its films all the same.
    page = (tmp_path / "timelines" / "my clip.html").read_text()
    assert "<title>my clip.mp4</title>" in page
    assert page.count("data:image/jpeg") == (tmp_path / "timelines" / "a.html").read_text().count("data:image/jpeg") > 0


def test_two_videos_of_one_name_have_files_of_their_own(model, tmp_path):
    for number, brightness in enumerate((DARK, LIGHT)):
        videos.write_video(tmp_path / "in" / str(number) / "same.mp4", brightness=brightness, frames=15)
    run_cli("timeline", str(tmp_path / "in"), "--model", str(model), "-o", str(tmp_path / "out"))
    names = sorted(path.name for path in (tmp_path / "out").glob("*.json"))
    assert names == ["same-2.json", "same.json"]
    labels = [json.loads((tmp_path / "out" / name).read_text())["segments"][0]["label"] for name in reversed(names)]
    assert labels == ["dark", "light"]
