"""What benchmarks/README.md says was measured is what the scripts last wrote, and every script is named."""

from __future__ import annotations

import re
from pathlib import Path

import measuring
import pytest
import tables

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "benchmarks"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
SCRIPTS = {path.name for path in FOLDER.glob("*.py")}


def test_the_tables_of_the_page_are_those_of_the_results() -> None:
    assert tables.page(PAGE) == PAGE, "run `python benchmarks/tables.py --write`"


def test_every_result_has_a_table() -> None:
    shown = {section.result or section.script for section in tables.SECTIONS}
    # Of these two the tables are in docs/reliability.md and docs/models.md.
    assert {path.stem for path in measuring.RESULTS.glob("*.json")} - {"torture", "models"} <= shown


def test_the_page_names_every_script_and_no_other() -> None:
    # Of a bundle, not of the folder.
    named = set(re.findall(r"`([a-z_]+\.py)`", PAGE)) - {"predict.py"}
    assert named == SCRIPTS


def test_make_runs_scripts_that_exist() -> None:
    run = set(re.findall(r"benchmarks/([a-z_]+\.py)", (ROOT / "Makefile").read_text(encoding="utf-8")))
    # What asks for accuracy takes long, and some need a trained model, or videos.
    by_hand = {
        "bundle_alone.py",
        "export_table.py",
        "label_audit.py",
        "loss_curves.py",
        "predict_killed.py",
        "proxy_accuracy.py",
        "report_page.py",
        "serve_load.py",
        "timeline_memory.py",
        "timeline_segments.py",
        "transfer_accuracy.py",
    }
    assert {section.script + ".py" for section in tables.SECTIONS} - by_hand <= run <= SCRIPTS


def test_all_take_turns_and_who_goes_first_alternates() -> None:
    found = list(measuring.turns(["ours", "stock"], 3, warm_up=1))
    assert found[:2] == [(-1, "stock"), (-1, "ours")]
    assert found[2:] == [(0, "ours"), (0, "stock"), (1, "stock"), (1, "ours"), (2, "ours"), (2, "stock")]


def test_the_ratio_is_that_of_medians() -> None:
    seconds = {"ours": [2.0, 1.0, 90.0], "stock": [3.0, 4.0, 0.1]}
    assert measuring.ratio(seconds, "stock", "ours") == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("value", "limit", "words"),
    [
        (1.5, {"at_least": 1.5}, "at least 1.5: reached"),
        (1.49, {"at_least": 1.5}, "at least 1.5: missed"),
        (0.5, {"at_most": 0.5}, "at most 0.5: reached"),
        (0.51, {"at_most": 0.5}, "at most 0.5: missed"),
    ],
)
def test_a_goal_says_whether_it_is_reached(value: float, limit: dict[str, float], words: str) -> None:
    assert measuring.goal(value, **limit) == words
