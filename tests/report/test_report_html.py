"""The page in a real browser, and what stands in it."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import samples
import videos

from autox_video.report.filmstrips import filmstrip, size_of
from autox_video.report.html.films import MAX_BYTES, Film, Films
from autox_video.report.html.markup import escape, film, in_plot, plot, say, table, tag
from autox_video.report.html.page import make_page, plotly
from autox_video.report.html.parts import Course, ReportedRun, Section, State, Text
from autox_video.report.html.reading import read_metrics
from autox_video.report.html.sections import confusion, curves, explanations, plan, section_modules, state
from autox_video.settings.reference_zh import HELP_ZH
from autox_video.work_dir import WorkDir

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`\n\u202e 猫 &amp; <b>.mp4"


@pytest.mark.parametrize("module", section_modules(), ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_section_has_a_place_and_leaves_out_what_a_run_does_not_have(module, tmp_path: Path) -> None:
    assert isinstance(module.ORDER, int)
    made = module.section(ReportedRun(WorkDir(tmp_path)))
    assert made is None or isinstance(made, Section)


def test_the_best_validation_is_told_though_the_last_epoch_had_none(tmp_path: Path) -> None:
    rows = [{"epoch": n, "val_loss": 1.0, "val_mean_average_precision": 0.5 / n} for n in (1, 2)]
    course = Course("", (*rows, {"epoch": 3, "train_loss": 0.1}))
    made = state.section(ReportedRun(WorkDir(tmp_path), courses=[course], state=State(True, 9)))
    assert made is not None
    assert re.sub("<[^>]+>", "", made.html).endswith("平均精度均值 (mAP) 50.0 %, after epoch 1.，第 1 轮。")


def test_a_loss_that_overflowed_is_left_out_of_the_curves(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,val_loss,val_top1\n1,nan,0.5\n2,inf,\n3,0.25,1\n")
    rows = ({"epoch": 1, "val_top1": 0.5}, {"epoch": 2}, {"epoch": 3, "val_loss": 0.25, "val_top1": 1})
    assert read_metrics(tmp_path / "metrics.csv") == rows
    assert curves.section(ReportedRun(WorkDir(tmp_path), courses=[Course("", rows)])) is not None


def test_the_parts_of_a_page_together_stay_below_20_mb() -> None:
    counts = np.random.default_rng(0).poisson(1.0, (confusion.MAX_DRAWN, confusion.MAX_DRAWN))
    matrix = confusion._matrix(counts, tuple(f"class {number:03} of many" for number in range(len(counts))))
    pictures = MAX_BYTES + explanations.MAX_STRIPS * 60 * 1024
    assert len(plotly()) + len(matrix) + 4 / 3 * pictures < 19.5e6


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (escape("a<b>\"'&\n"), "a&lt;b&gt;&quot;&#x27;&amp;\\n"),
        (escape("\u202e\udcff"), "\\u202e\\udcff"),
        (say(Text("run", "跑")), '<span lang="en">run</span><span lang="zh">跑</span>'),
        (say(Text("7 < 8", "7 < 8")), "7 &lt; 8"),
        (say(Text("run `a < b` now", "run `a < b` now")), "run <code>a &lt; b</code> now"),
        (say(None), "–"),
        (say(0.123456), "0.1235"),
        (tag("a", "<", href='"x', hidden=True, title=None), '<a href="&quot;x" hidden>&lt;</a>'),
        (in_plot("<b>a</b>"), "&lt;b&gt;a&lt;/b&gt;"),
    ],
)
def test_what_comes_from_outside_is_escaped(made: str, expected: str) -> None:
    assert made == expected


def test_the_page_shows_plots_tables_and_films_offline_and_without_a_complaint(
    page,
    filmstrips,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    videos.write_video(tmp_path / "a.mp4", frames=20)
    films = Films(str(tmp_path))
    run = ReportedRun(WorkDir(tmp_path), films=films)
    curve = {"type": "scatter", "x": [1, 2], "y": [3, 1], "name": in_plot(EVIL)}
    body = [
        plot([curve], {"title": {"text": Text("loss", "损失")}}, Text("losses", "损失")),
        table((Text("class", "类别"), Text("videos", "视频数")), [(EVIL, 3), ("b", 20), ("c", 5)]),
        film(films, "a.mp4"),
        film(films, EVIL),
    ]
    one = Section("one", Text("One", "一"), tag("div", *body))
    monkeypatch.setattr("autox_video.report.html.page.make_sections", lambda run: [one])
    (tmp_path / "report.html").write_text(make_page(run, EVIL), encoding="utf-8")
    page.on("dialog", lambda dialog: page.errors.append(dialog.message))
    page.goto((tmp_path / "report.html").as_uri())

    page.locator(".plot .main-svg").first.wait_for()
    page.locator("th button", has_text="videos").click()
    assert page.locator("td.number").all_inner_texts() == ["20", "5", "3"]
    page.locator(".film img").nth(1).wait_for()
    page.locator("#language").click()
    assert page.locator("h2").inner_text() == "一"
    page.locator(".plot .gtitle", has_text="损失").wait_for()
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert page.errors == []


def test_a_video_that_cannot_be_read_is_a_grey_strip(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    assert size_of(filmstrip(tmp_path / "broken.mp4")) == (128, 96)
    assert filmstrip(tmp_path / "missing.mp4") == filmstrip(tmp_path / "broken.mp4")


def test_a_video_that_holds_up_the_decoder_costs_its_own_film_only(
    filmstrips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timer, limits = threading.Timer, iter((3.0, 60.0))
    monkeypatch.setattr("autox_video.report.html.films.threading.Timer", lambda _, kill: timer(next(limits), kill))
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0})
    # A file of the user's own that has the name of a module.
    (tmp_path / "json.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "endless.mp4")  # nobody ever writes into it
    videos.write_video(tmp_path / "a.mp4", frames=20)
    films = Films(str(tmp_path))
    assert [films.number(Film(name)) for name in ("endless.mp4", "a.mp4", "endless.mp4")] == [0, 1, 0]
    drawn = films.draw()
    assert drawn[0] == b""
    assert size_of(drawn[1]) == (32, 32)


def test_who_stops_the_drawing_does_not_wait_for_all_films(filmstrips, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []

    def draw(drawer: object, job: dict[str, object]) -> bytes:
        drawn.append(job)
        os.kill(os.getpid(), signal.SIGINT if job["path"] == os.path.abspath("0") else 0)
        time.sleep(0.02)
        return b"film"

    monkeypatch.setattr("autox_video.report.html.films._Drawer.draw", draw)
    films = Films()
    for number in range(100):
        films.number(Film(str(number)))
    with pytest.raises(KeyboardInterrupt):
        films.draw()
    assert len(drawn) < 50


def test_films_stop_where_room_or_time_ends(filmstrips, tmp_path: Path) -> None:
    videos.write_video(tmp_path / "a.mp4", frames=20)
    for films in (Films(str(tmp_path), max_bytes=0), Films(str(tmp_path), max_seconds=0)):
        films.number(Film("a.mp4"))
        assert films.draw() == {}


def test_in_chinese_each_planned_value_that_can_be_set_is_explained_and_what_is_english_is_named(
    tmp_path: Path,
) -> None:
    decided = samples.plan()[0]
    html = plan.section(ReportedRun(WorkDir(tmp_path), plan=decided)).html
    assert "理由和预计开销保留英文原文。" in html
    said = {name for name in decided.decisions() if f"<code>{name}</code><div lang=" in html}
    # Nobody sets these: they follow from others.
    assert decided.decisions().keys() - said == {
        *("input_format", "flip_pairs", "rand_augment_ops", "total_batch_size", "lr_scale", "class_weights"),
        *("proxies_from_epoch", "prefetch", "threads", "test_videos_per_gpu", "scoring_amp", "scoring_threads"),
    }
    clip_len = '<code>clip_len</code><div lang="zh" class="note">一个片段的帧数。</div>'
    assert clip_len in html
    assert set(plan.KEYS.values()) <= HELP_ZH.keys()
    assert {decision.source for decision in decided.decisions().values()} - {"fit()"} <= plan.SOURCES.keys()
