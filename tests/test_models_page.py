"""docs/models.md says what the cards say and what benchmarks/model_table.py last measured."""

from __future__ import annotations

from pathlib import Path

import model_table
import pytest
from measuring import read_result

from autox_video.presets import load_preset, preset_names

PAGE = (Path(__file__).parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
RECORD = read_result("models")


def test_the_page_is_that_of_the_cards_and_the_results() -> None:
    assert model_table.page(PAGE, RECORD) == PAGE, "run `python benchmarks/model_table.py --page`"


def test_the_page_says_at_which_level_a_model_is_considered() -> None:
    lines = {line.split("`")[1]: line for line in model_table.choice().splitlines() if line.startswith("| `video")}
    assert lines["video_swin_nano"].startswith("| `video_swin_nano` | CPU | CPU | CPU | - | 0.193 |")
    assert lines["video_swin_base"].startswith("| `video_swin_base` | - | GPU from 40 GiB | GPU from 16 GiB | 0.806 |")


def test_the_measured_sizes_are_those_of_the_cards() -> None:
    for name, row in RECORD["rows"].items():
        card = load_preset(name).card
        assert row["parameters"] == card.num_parameters, name
        assert row["flops"] == pytest.approx(card.flops, rel=0.03), name


def test_what_is_measured_differs_from_what_is_published_by_three_percent_at_most() -> None:
    for name, row in RECORD["rows"].items():
        if row["published_parameters"]:
            assert row["parameters"] == pytest.approx(row["published_parameters"][0], rel=0.03), name
        if row["published_flops"]:
            assert row["flops"] == pytest.approx(row["published_flops"], rel=0.03), name


def test_every_preset_has_a_row_of_its_network_as_it_is() -> None:
    assert set(RECORD["rows"]) == set(preset_names()), "run `python benchmarks/model_table.py`"
    old = [name for name, row in RECORD["rows"].items() if row["measured"] != model_table.digest(load_preset(name))]
    assert old == [], "run `python benchmarks/model_table.py`"
