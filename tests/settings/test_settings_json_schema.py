"""The JSON Schema that editors complete from agrees with what is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from autox_video.errors import RequestError
from autox_video.settings.json_schema import SCHEMA_FILE, config_json_schema, write_schema
from autox_video.settings.load import load_settings
from autox_video.settings.schema import KEYS

ROOT = SCHEMA_FILE.parents[1]
EXAMPLES = [*(ROOT / "resources" / "examples").glob("*.yaml"), *(ROOT / "docs" / "examples").glob("*/*.yaml")]
CONFIGS = [ROOT / "config.yaml", *sorted(EXAMPLES)]
VALIDATOR = jsonschema.Draft202012Validator(config_json_schema())


def test_the_schema_is_valid_and_the_committed_file_is_fresh():
    jsonschema.Draft202012Validator.check_schema(config_json_schema())
    stale = "run python -m autox_video.settings.json_schema"
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == config_json_schema(), stale


def test_writing_the_schema_writes_what_is_committed(tmp_path):
    write_schema(tmp_path / "schema.json")
    assert (tmp_path / "schema.json").read_bytes() == SCHEMA_FILE.read_bytes()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_our_own_files_fit_the_schema_load_and_name_it(path):
    text = path.read_text(encoding="utf-8")
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []
    assert load_settings(path).data_root.is_absolute()
    marker, _, named = text.splitlines()[0].partition("$schema=")
    assert marker == "# yaml-language-server: "
    assert (path.parent / named).resolve() == SCHEMA_FILE.resolve()


def test_there_are_examples():
    assert [path.name for path in CONFIGS] == [
        "config.yaml",
        "config.yaml",  # of docs/examples/plugins
        "class_folders.yaml",
        "cpu_from_scratch.yaml",
        "lists.yaml",
    ]


def test_the_demo_config_says_what_the_demo_runs():
    settings = load_settings(ROOT / "config.yaml")
    assert settings.data_root == ROOT / "data/demo/videos"
    assert settings.ann_file_test == ROOT / "data/demo/annotations/test_list.txt"
    assert (settings.model.name, settings.model.load_from) == ("video_swin_nano", "none")
    assert settings.work_dir == ROOT / "work_dirs/demo"
    assert settings.test_results_path == ROOT / "work_dirs/demo/results.json"


def test_commented_lines_of_the_demo_config_are_right_too(tmp_path):
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    shown, _, hidden = text.partition("# The keys that are changed most often")
    lines = [line.removeprefix("# ") for line in hidden.splitlines()[2:]]
    path = tmp_path / "config.yaml"
    path.write_text(shown + "\n".join(lines), encoding="utf-8")
    settings = load_settings(path)
    assert (settings.train.learning_rate, settings.augment.flip, settings.runtime.workers) == (0.001, 0.0, 4)
    assert list(VALIDATOR.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8").replace("1e-3", "0.001")))) == []


GOOD = [
    "model: video_swin_tiny",
    "model: {name: auto, load_from: none}",
    "model:",
    "clip:",
    "epoch: auto",
    "epoch:",
    "ann_file_val: none",
    "ann_file_val: ~",
    "more_data: none",
    "more_data: [{data_root: a}, {data_root: b, ann_file_train: c.csv, ann_file_test: none}]",
    "classes: [a, 1, true]",
    "classes: names.txt",
    "video_length: 2",
    "video_length: 0.5",
    "test: {num_crops: 3}",
    "clip: {input_size: 64}",
    "test_results_path: a.yml",
    "runtime: {deterministic: true, seed: auto}",
    "train: {save_every: 90s}",
    "train: {save_every: none}",
    "runtime: {stall_minutes: 0.5}",
    "cfg_options: {a.b: [1, {c: 2}]}",
    "cfg_options:",
]
BAD = [
    "data_root: 3",
    "data_root:",
    "epochs: 3",
    "epoch: 0",
    "epoch: 2.5",
    "epoch: ten",
    "epoch: '3'",
    "epoch: true",
    "num_class: 1",
    "video_length: 0",
    "video_length: 4000",
    "more_data: a",
    "more_data: [a]",
    "more_data: [{ann_file_train: a}]",
    "more_data: [{data_root: a, epoch: 3}]",
    "more_data: [{data_root: 3}]",
    "classes: [a]",
    "classes: [a, a]",
    "classes: [a, ~]",
    "classes: 3",
    "work_dir: ''",
    "work_dir:",
    "test_results_path: a.txt",
    "model: 3",
    "model: {nam: x}",
    "clip: 3",
    "clip: {epoch: 3}",
    "clip: {input_size: 100}",
    "train: {learning_rate: -1}",
    "train: {amp: fp16}",
    "train: {save_every: 10}",
    "train: {save_every: 10m}",
    "train: {save_every: 0min}",
    "runtime: {stall_minutes: 0}",
    "test: {num_crops: 2}",
    "test: {results_format: all}",
    "runtime: {seed: }",
    "runtime: {deterministic: 'yes'}",
    "cfg_options: 3",
    "origins: {}",
]


def _load(tmp_path: Path, line: str):
    text = line if line.startswith("data_root") else f"data_root: videos\n{line}"
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return yaml.safe_load(text), path


@pytest.mark.parametrize("line", GOOD)
def test_the_schema_takes_what_the_loader_takes(tmp_path, line):
    plain, path = _load(tmp_path, line)
    assert list(VALIDATOR.iter_errors(plain)) == []
    load_settings(path)


@pytest.mark.parametrize("line", BAD)
def test_the_schema_refuses_what_the_loader_refuses(tmp_path, line):
    plain, path = _load(tmp_path, line)
    assert list(VALIDATOR.iter_errors(plain)) != []
    with pytest.raises(RequestError):
        load_settings(path)


def test_the_schema_needs_data_root():
    assert [error.message for error in VALIDATOR.iter_errors({})] == ["'data_root' is a required property"]


def test_every_key_is_described_with_an_example_that_fits():
    for name, key in KEYS.items():
        section, _, leaf = name.rpartition(".")
        described = config_json_schema()["properties"]
        if section:
            described = described[section].get("properties") or described[section]["anyOf"][0]["properties"]
        assert described[leaf]["description"] == key.help
        jsonschema.validate(described[leaf]["examples"][0], described[leaf])
        if "default" in described[leaf]:
            jsonschema.validate(described[leaf]["default"], described[leaf])
