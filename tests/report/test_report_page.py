"""The whole page of runs of every kind, looked at in a real browser."""

from __future__ import annotations

import dataclasses
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import samples
import videos

from autox_video import scoring
from autox_video.dataset.facts import BadVideo, Fingerprint, Leak, Percentiles, SplitFacts
from autox_video.dataset.preflight import Check, Finding, Kind
from autox_video.predictions import FoldModel, Prediction, Predictions
from autox_video.records import write_record
from autox_video.report.bootstrap import Gain
from autox_video.report.common import Checkpoint, Views
from autox_video.report.ensembles import Ensemble, Member
from autox_video.report.html.live import watching
from autox_video.report.html.writing import write_report
from autox_video.report.outcome import AnyResults, make_outcome
from autox_video.work_dir import WorkDir

ROOT = Path(__file__).parent.parent.parent
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{script}}\n\u202e 猫 &amp; <b>.mp4"
# The third reads as a colour of the plots.
CLASSES = ("run", EVIL, "c1")
METRICS = "epoch,iter,learning_rate,train_loss,train_top1,val_loss,val_top1,seconds,videos_per_second,data_wait\n"


def predictions(labelled: bool = True, task: str = "single_label", folds: int = 0) -> Predictions:
    """Twelve videos of three classes, a third of them mistaken, one unreadable and one leaked."""
    rows = []
    for number in range(12):
        true = number % 3
        scores = np.full(3, 0.1 + 0.001 * number, np.float32)
        scores[(true + (number % 3 == 0)) % 3] = 0.8 - 0.01 * number
        label = None if not labelled else (true,) if task == "multi_label" else true
        name = EVIL if number == 3 else f"{number}.mp4"
        rows.append(Prediction(name, label, scores, fold=1 + number % folds if folds else None))
    rows[5] = dataclasses.replace(rows[5], scores=None, error=f"cannot be decoded: {EVIL}")
    rows[7] = dataclasses.replace(rows[7], leak=f"same file as train: {EVIL}")
    models = tuple(FoldModel(fold, f"{fold}.pth", "0" * 64, 2, None) for fold in range(1, folds + 1))
    thresholds = (0.5, 0.5, 0.5) if task == "multi_label" else None
    path = "" if folds else "best.pth"
    return Predictions(
        task, "tiny", CLASSES, path, "0" * 64, 2, "", 1, 1, tuple(rows), thresholds=thresholds, folds=models
    )


def of_an_ensemble() -> AnyResults:
    views, checkpoint = Views(1, 1), Checkpoint("best.pth", "0" * 64, 2)
    members = tuple(Member(f"runs/{n}{EVIL}", "tiny", checkpoint, views, 0.5, {"top1": 0.5}, None) for n in (1, 2))
    gain = Gain("top1", 0.1, -0.1, 0.3, 11, 11, "11 test videos are too few to tell the two apart")
    ensemble = Ensemble("equal", None, members, members[0].run, gain)
    return dataclasses.replace(make_outcome(predictions()), checkpoint=None, views=None, ensemble=ensemble)


def write_run(folder: Path, epochs: int = 6) -> WorkDir:
    """What a training leaves behind, with names that are an attack."""
    work_dir = WorkDir(folder)
    folder.mkdir(exist_ok=True)
    rows = [
        f"{n},{n * 10},0.001,{2 / n:.3f},{1 - 0.5 / n:.3f},{1 + n / 10:.3f},0.5,3.5,20,0.1\n"
        for n in range(1, epochs + 1)
    ]
    work_dir.metrics.write_text(METRICS + "".join(rows))
    spread = Percentiles(1, 1, 2, 3, 3)
    counts = dict.fromkeys(CLASSES, 4)
    split = SplitFacts("a.txt", EVIL, True, 12, counts, 1, *[spread] * 6)
    bad = BadVideo("train", 0, EVIL, EVIL, "is empty", 0)
    leak = Leak("test", "7.mp4", "train", EVIL, "same file")
    facts = Fingerprint(
        1, "single_label", str(folder), CLASSES, {"train": split, "test": split}, (bad,), (EVIL,), (leak,)
    )
    write_record(work_dir.fingerprint, facts)
    finding = Finding("left out", "empty file", EVIL, EVIL, EVIL, f"ffmpeg -i '{EVIL}'")
    kinds = (Kind("left out", "empty file", 1, EVIL), Kind("note", "odd size", 2, "b"))
    write_record(work_dir.check, Check(1, True, {"train": 12}, kinds, (finding,)))
    return work_dir


def look(page, work_dir: WorkDir, results: AnyResults | None) -> None:
    """Open the report of a run and see all of it once."""
    page.on("dialog", lambda dialog: page.errors.append(dialog.message))
    page.goto(write_report(work_dir, results).as_uri())
    for section in page.locator("main > section").all():
        section.scroll_into_view_if_needed()
    assert page.locator(".warning", has_text="could not be made").count() == 0
    assert page.locator("img[src=x], main script:not([type='application/json'])").count() == 0


def until(page, expression: str) -> None:
    """Wait until something is true. Playwright's own waiting makes functions of text, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"still not true: {expression}")


def headings(page) -> list[str]:
    return page.locator("main h2").all_inner_texts()


@pytest.fixture
def run_folder(tmp_path: Path) -> WorkDir:
    work_dir = write_run(tmp_path / "run")
    for number in (0, 6, 9):
        videos.write_video(work_dir.root / f"{number}.mp4", seed=number)
    return work_dir


def test_the_controls_of_a_page_work_and_no_name_is_taken_for_html(page, filmstrips, run_folder: WorkDir) -> None:
    look(page, run_folder, dataclasses.replace(make_outcome(predictions()), data_root=str(run_folder.root)))
    assert headings(page) == [
        *("How good it is", "In plain words", "How the training went", "Which classes are confused", "Class by class"),
        *("How far to trust it", "The mistakes", "The data: leaks and quarantine", "Data check"),
    ]
    shown = EVIL.replace("\n", "\\n").replace("\u202e", "\\u202e")
    assert page.locator("#classes td", has_text=shown).first.is_visible()

    # The filters leave what fits.
    figures = page.locator("#mistakes .filters + .films figure")
    assert figures.count() == 4
    page.locator("#mistakes select[name=predicted]").select_option(label=shown)
    assert [figures.nth(n).is_visible() for n in range(4)] == [True] * 4
    page.locator("#mistakes select[name=predicted]").select_option(label="all")
    page.locator("#mistakes input[name=file]").fill("6.MP4")
    assert [figures.nth(n).is_visible() for n in range(4)].count(True) == 1
    assert page.locator("#mistakes .count").inner_text() == "1 / 4"
    page.locator("#mistakes input[name=file]").fill("")
    page.locator("#mistakes .film img").first.wait_for()

    # A table sorts by number, and back; what has none comes last.
    page.locator("#classes th button", has_text="precision").click()
    precisions = page.locator("#classes tbody td:nth-child(5)")
    assert precisions.all_inner_texts() == ["100.0 %", "50.0 %", "–"]
    page.locator("#classes th button", has_text="precision").click()
    assert precisions.all_inner_texts() == ["50.0 %", "100.0 %", "–"]

    # The matrix shows counts, in another order, and both stay when the page turns dark.
    for name in ("counts", "worst first"):
        page.locator("#confusion button", has_text=name).click()
        assert page.locator("#confusion button", has_text=name).get_attribute("aria-pressed") == "true"
    page.locator("#theme").click()
    order = "document.querySelector('#confusion .canvas').layout.yaxis.categoryarray[0]"
    assert page.evaluate(order) == "run"
    assert page.evaluate("document.querySelector('#confusion .canvas').layout.yaxis.tickvals[2]") == "c1"
    page.locator("#language").click()
    assert headings(page)[0] == "效果如何"

    # A telephone shows it without scrolling sideways.
    page.set_viewport_size({"width": 375, "height": 700})
    until(page, "document.documentElement.scrollWidth === 375")
    assert page.errors == []


def test_the_filters_find_a_video_by_each_of_its_labels(page, filmstrips, tmp_path: Path) -> None:
    given = predictions(task="multi_label")
    both = dataclasses.replace(given.rows[6], scores=np.array([0.9, 0.1, 0.8], np.float32), label=(1, 2))
    results = make_outcome(dataclasses.replace(given, rows=(*given.rows[:6], both, *given.rows[7:])))
    page.goto(write_report(WorkDir(tmp_path), results).as_uri())
    figures = page.locator("#mistakes .filters + .films figure")
    for control, label in (("true", "c1"), ("predicted", "run"), ("predicted", "c1")):
        page.locator(f"#mistakes select[name={control}]").select_option(label=label)
        shown = [one.get_attribute("data-file") for one in figures.all() if one.is_visible()]
        assert shown == ["6.mp4"], (control, label)
        page.locator(f"#mistakes select[name={control}]").select_option(label="all")
    assert page.errors == []


@pytest.mark.parametrize(
    ("results", "ids", "told"),
    [
        (make_outcome(predictions(labelled=False)), {"figures", "predictions"}, "the videos have no labels"),
        (make_outcome(predictions(task="multi_label")), {"figures", "classes", "mistakes"}, "mean average precision"),
        (
            make_outcome(predictions(folds=2)),
            {"figures", "confusion"},
            "Each fold was tested by the model that did not",
        ),
        (of_an_ensemble(), {"figures", "confusion", "mistakes"}, "The models that were joined"),
        (None, {"data", "check", "verdict"}, "They make figures too good."),
    ],
    ids=["unlabelled", "several labels", "folds", "ensemble", "not tested"],
)
def test_runs_of_every_kind_have_a_page(tmp_path: Path, results: AnyResults | None, ids: set[str], told: str) -> None:
    page = write_report(write_run(tmp_path / "run", epochs=0), results).read_text(encoding="utf-8")
    assert told in page
    found = set(re.findall(r'<section id="([a-z-]+)"', page))
    assert found >= ids
    assert not any(name.startswith("failed") for name in found)
    assert not re.search(r"<img src=x|<b>\.mp4", page)


def test_an_empty_work_dir_has_a_page(tmp_path: Path) -> None:
    assert "<section" not in write_report(WorkDir(tmp_path), None).read_text(encoding="utf-8")


def test_a_section_that_fails_says_so_and_the_others_stand(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr("autox_video.report.html.sections.curves.section", lambda run: 1 / 0)
    page = write_report(write_run(tmp_path / "run"), make_outcome(predictions())).read_text(encoding="utf-8")
    assert "This section could not be made: " in page
    assert 'id="confusion"' in page
    assert caplog.messages == [
        "warning  the section 'curves' of the report could not be made: ZeroDivisionError('division by zero')"
    ]


def test_a_test_does_not_fail_because_its_page_does(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr("autox_video.scoring.write_report", lambda *given: 1 / 0)
    scoring._write_page(samples.settings(work_dir=str(tmp_path)), make_outcome(predictions()))
    told = "warning  no report.html: ZeroDivisionError('division by zero'); `autox-video report` writes it anew"
    assert caplog.messages == [told]


def test_the_page_holds_all_that_it_needs(tmp_path: Path) -> None:
    page = write_report(write_run(tmp_path / "run"), make_outcome(predictions())).read_text(encoding="utf-8")
    assert page.count("plotly.js v") == 1
    assert "connect-src 'none'" in page
    assert "script-src 'sha256-" in page


def test_a_watched_page_follows_a_run_and_the_reader_keeps_his_place(page, tmp_path: Path) -> None:
    work_dir = WorkDir(tmp_path / "run")
    with watching(work_dir, work_dir.root / "results.json", 0) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            page.goto(server.url)
            page.locator("#state", has_text="There is no run here yet").wait_for()
            write_run(work_dir.root, epochs=2)
            page.locator("#state", has_text="epoch 2 of 2").wait_for()
            page.locator("#check th button", has_text="count").click()
            page.locator("#check details").evaluate("one => { one.open = true }")
            page.locator("#data").evaluate("one => window.scrollTo({ top: one.offsetTop - 20, behavior: 'instant' })")
            place = page.locator("#data").bounding_box()
            write_run(work_dir.root, epochs=5)
            page.locator("#state", has_text="epoch 5 of 5").wait_for()
            until(page, "document.querySelector('#curves .canvas')?.data?.[0].x.length === 5")
            assert page.locator("#data").bounding_box()["y"] == pytest.approx(place["y"], abs=2)
            assert page.locator("#check details").get_attribute("open") is not None
            assert page.locator("#check th[aria-sort=descending]").count() == 1
            assert page.errors == []
        finally:
            server.stop()
            thread.join()
    page.locator("#alive.lost").wait_for()


def test_ctrl_c_ends_the_watching(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autox_video", "watch", "--work-dir", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("watch    http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert (process.wait(30), process.stdout.read()) == (0, "")


def test_a_taken_port_is_replaced_by_a_free_one_and_strangers_are_refused(tmp_path: Path) -> None:
    work_dir = WorkDir(tmp_path)
    with (
        watching(work_dir, tmp_path / "r.json", 0) as first,
        watching(work_dir, tmp_path / "r.json", first.port) as server,
    ):
        assert server.port != first.port
        thread = threading.Thread(target=server.serve)
        thread.start()

        def get(path: str, host: str) -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read()

        status, told = get("/sections?have=", f"127.0.0.1:{server.port}")
        assert (status, json.loads(told)["films"]) == (200, {})
        assert get(f"/sections?have={json.loads(told)['version']}", f"localhost:{server.port}") == (204, b"")
        assert get("/", "evil.example:80")[0] == 403
        assert get("/../etc/passwd", f"localhost:{server.port}")[0] == 404
        server.stop()
        thread.join()
