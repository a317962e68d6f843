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


def test_every_row_is_of_a_preset() -> None:
    assert set(RECORD["rows"]) <= set(preset_names())


def test_the_rate_on_a_core_is_put_into_a_card_in_place_of_the_one_before(tmp_path, monkeypatch) -> None:
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "video_swin_tiny.py"
    path.write_text("preset = dict(\n    epochs=30,\n)\nmodel = dict(\n)\n")
    monkeypatch.setattr(model_table, "shared_folder", lambda name: tmp_path)
    for rate, text in ((5.64e9, "5.6"), (27.8e9, "28")):
        model_table.write_rate("video_swin_tiny", rate)
        assert path.read_text() == f"preset = dict(\n    epochs=30,\n    core_rate={text}e9,\n)\nmodel = dict(\n)\n"
