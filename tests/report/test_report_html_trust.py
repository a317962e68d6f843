"""The sections of what confidences are worth and of the motion probe, in a real browser."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from test_report_calibration import PREDICTIONS
from test_report_html import EVIL
from test_report_motion_probe import BALL, LEFT, probed

from autox_video.report.html.page import make_page
from autox_video.report.html.parts import ReportedRun
from autox_video.report.html.sections import motion, trust
from autox_video.report.outcome import make_outcome
from autox_video.work_dir import WorkDir


def test_trust_and_motion_are_shown_with_any_name_and_in_both_languages(page, tmp_path: Path, monkeypatch) -> None:
    found = probed({0: BALL, 1: LEFT})
    known = dataclasses.replace(
        PREDICTIONS.calibration, class_certain_from=(0.5, None, None), class_num_predicted=(20, 9, 0)
    )
    results = make_outcome(dataclasses.replace(found, classes=(EVIL, "left", "jump"), calibration=known))
    run = ReportedRun(WorkDir(tmp_path), results)
    sections = [motion.section(run), trust.section(run)]
    monkeypatch.setattr("autox_video.report.html.page.make_sections", lambda run: sections)
    (tmp_path / "report.html").write_text(make_page(run, "run"), encoding="utf-8")
    page.on("dialog", lambda dialog: page.errors.append(dialog.message))
    page.goto((tmp_path / "report.html").as_uri())
    page.locator("#trust .plot .main-svg").first.wait_for()
    assert page.locator("#trust .plot").count() == 2
    told = page.locator("#motion .table").first.locator("tbody tr").all_inner_texts()
    assert "needs the direction of time: 1.00 as it is, 0.00 backwards, 0.00 from one still frame" in told[1]
    assert "has no labelled test video" in told[2]
    assert "alert(1)" in told[0]
    english = page.locator("#trust p[lang=zh]")
    assert not english.is_visible()
    page.locator("#language").click()
    assert english.inner_text() == "温度和界限的依据保留英文原文。"
    assert "需要时间的方向" in page.locator("#motion .table").first.locator("tbody tr").nth(1).inner_text()
    assert page.errors == []


def test_a_run_without_them_has_no_such_sections(tmp_path: Path) -> None:
    older = dataclasses.replace(make_outcome(PREDICTIONS), calibration=None)
    for results in (None, older):
        run = ReportedRun(WorkDir(tmp_path), results)
        assert (trust.section(run), motion.section(run)) == (None, None)
