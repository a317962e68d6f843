"""The page of `compare`: all that is told stands on it in both languages, and the films are of the videos that changed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import videos
from test_report_comparison import GOOD, POOR, said
from test_report_page import EVIL

from autox_video.predictions import mark_recordings
from autox_video.report import comparison_page as page_module
from autox_video.report.comparison import compare_runs, comparison_lines
from autox_video.report.comparison_page import comparison_page
from autox_video.report.html.films import Films
from autox_video.report.outcome import make_outcome
from autox_video.report.writers import write_results
from autox_video.using.compare import compare

SHOWN = EVIL.replace("\n", "\\n").replace("\u202e", "\\u202e")


def test_the_films_that_play_are_of_the_videos_that_changed_and_no_name_is_taken_for_html(page, filmstrips, tmp_path):
    page.on("dialog", lambda dialog: page.errors.append(dialog.message))
    (tmp_path / "videos").mkdir()
    videos.write_video(tmp_path / "videos" / "20.mp4", seed=1)
    for name, digits in (("A<img src=x>", [*POOR, "10"]), ("B", [*GOOD, "12"]), ("C", [*POOR, "10"])):
        run = said(*digits)
        rows = (*run.rows[:-1], dataclasses.replace(run.rows[-1], path=EVIL))
        run = dataclasses.replace(run, rows=rows, classes=(EVIL, *run.classes[1:]), data_root=str(tmp_path / "videos"))
        write_results(make_outcome(run), tmp_path / name / "results.json")
    compare([tmp_path / name for name in ("A<img src=x>", "B", "C")], tmp_path / "out")
    page.goto((tmp_path / "out" / "comparison.html").as_uri())

    first = page.locator("main > section").first
    assert page.locator("main h2").all_inner_texts() == [
        f"{tmp_path}/A<img src=x> → {tmp_path}/{name}" for name in "BC"
    ]
    told = f"{tmp_path}/B is better, and more than the chance of which 31 videos were tested."
    assert first.locator("p.good").inner_text() == told
    assert first.locator(".card .figure").all_inner_texts() == ["+32.3", "64.5 → 96.8", "0 : 10"]
    assert first.locator(".card .meaning").last.inner_text().endswith("as uneven: McNemar's exact test")
    assert first.locator("td", has_text=SHOWN).is_visible()
    figures = first.locator("figure")
    assert figures.count() == 11
    assert SHOWN in figures.last.inner_text()
    first.locator(".film img").first.wait_for()
    first.locator("select[name=right]").select_option(label="neither is right")
    assert [one.get_attribute("data-file") for one in figures.all() if one.is_visible()] == [SHOWN]
    assert page.locator("main > section").last.locator("p.warning").inner_text().startswith("None of the 31 videos")

    page.locator("#language").click()
    assert first.locator("p.good").inner_text() == f"{tmp_path}/B 更好，差别超出了选取这 31 个视频的偶然性。"
    page.set_viewport_size({"width": 375, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.locator("img[src=x], main script").count() == 0
    assert page.errors == []


@pytest.mark.parametrize(
    ("first", "second", "recordings", "english", "chinese"),
    [
        (GOOD, POOR, {}, "B is worse, and more than the chance of which 30 videos were tested.", "B 更差，差别超出了选取这 30 个视频的偶然性。"),
        (GOOD, GOOD, {}, "None of the 30 videos is right in one and", "30 个视频中没有一个只被其中一方判断正确：本次测试无法区分两者。"),
        ([*GOOD[:-3], "12", "12", "12"], GOOD, {}, "unlike on 3 only, which can show nothing", "两者仅在 3 个视频上不同，说明不了什么（至少需要六比零）。"),
        ([*GOOD[:-3], *["12"] * 3, *["00"] * 6], [*GOOD, *["02"] * 6], {}, "a difference of 0.194 is", "两者在 9 个视频上不同，能够显现的最小差异为 0.194。"),
        (POOR, GOOD, {20 + n: "film" for n in range(10)}, "(on balance in 1 recording) only", "30 个视频（来自 21 次拍摄）看不出哪个更好；两者仅在 10 个视频上不同（其中 1 次拍摄有净差异），"),
    ],
)  # fmt: skip
def test_what_is_told_is_told_in_both_languages(first, second, recordings, english, chinese):
    groups = {("test", f"{number}.mp4"): name for number, name in recordings.items()}
    runs = {"A": mark_recordings(said(*first), groups), "B": mark_recordings(said(*second), groups)}
    text = comparison_page(compare_runs(runs), Films())
    assert english in text
    assert chinese in text


def test_of_very_many_films_the_first_are_shown(monkeypatch):
    monkeypatch.setattr(page_module, "MAX_FILMS", 4)
    text = comparison_page(compare_runs({"A": said(*POOR), "B": said(*GOOD)}), Films())
    assert text.count("<figure ") == 4
    assert "The first 4 of 10 are shown; compare.json has all." in text
    assert "共 10 个，此处显示前 4 个" in text


def test_two_perfect_rankings_have_no_interval_of_their_difference():
    one, other = (said(*GOOD, task="multi_label") for _ in range(2))
    rows = tuple(dataclasses.replace(row, scores=row.scores * np.float32(0.9)) for row in other.rows)
    found = compare_runs({"A": one, "B": dataclasses.replace(other, rows=rows)})
    assert "mAP +0.000, no interval: every draw of the videos gives the same; right on 1.000 -> 1.000" in "".join(
        comparison_lines(found)
    )
    assert "no interval: every draw gives the same" in comparison_page(found, Films())
