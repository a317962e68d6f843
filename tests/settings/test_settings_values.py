"""What each key takes, and what it says to anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from autox_video.errors import RequestError
from autox_video.settings.load import load_settings
from autox_video.settings.schema import KEYS


@pytest.fixture
def load(tmp_path):
    """Loads a config.yaml of `data_root: videos` and more lines."""

    def load(*lines: str):
        path = tmp_path / "config.yaml"
        path.write_text("\n".join(["data_root: videos", *lines, ""]), encoding="utf-8")
        return load_settings(path)

    return load


REMOVE = "Remove it, or move it under cfg_options if it is one of MMEngine's own words"

WRONG = [
    ("epoch: 0", "epoch: must be a whole number of at least 1 (got 0). Write e.g. 50 or auto."),
    ("epoch: 100001", "epoch: must be a whole number of at most 100000 (got 100001). Write e.g. 50 or auto."),
    ("epoch: 8.0", "epoch: must be a whole number (got 8.0). Write 8."),
    ("epoch: 1e2", "epoch: must be a whole number (got 1e2). Write 100."),
    ("epoch: 8.5", "epoch: must be a whole number (got 8.5). Write e.g. 50 or auto."),
    ("epoch: '8'", "epoch: must be a whole number (got '8'). Write 8."),
    ("epoch: 010", "epoch: must be a whole number (got '010'). Write 10."),
    ("epoch: 1_000", "epoch: must be a whole number (got '1_000'). Write e.g. 50 or auto."),
    ("epoch: true", "epoch: must be a whole number (got true). Write e.g. 50 or auto."),
    ("epoch: [3]", "epoch: must be a whole number (got a list). Write e.g. 50 or auto."),
    ("epoch: {a: 1}", "epoch: must be a whole number (got a mapping). Write e.g. 50 or auto."),
    ("epoch: none", "epoch: must be a whole number (got 'none'). Write e.g. 50 or auto."),
    ("num_class: 1", "num_class: must be a whole number of at least 2 (got 1). Write e.g. 25 or auto."),
    ("video_length: 0", "video_length: must be a number above 0 (got 0). Write e.g. 2 or auto."),
    ("video_length: .nan", "video_length: must be a finite number (got .nan). Write e.g. 2 or auto."),
    ("video_length: 1:30", "video_length: must be a number (got '1:30'). Write e.g. 2 or auto."),
    ("video_length: false", "video_length: must be a number (got false). Write e.g. 2 or auto."),
    ("video_length: 1e4", "video_length: must be a number of at most 3600 (got 1e4). Write e.g. 2 or auto."),
    ("ann_file_train: 3", "ann_file_train: must be a path (got 3). Write ./3, or put it in quotes."),
    ("ann_file_train: ''", "ann_file_train: must be a path (got ''). Write e.g. data/train_list.txt or none."),
    (
        'ann_file_train: "D:\\new"',
        "ann_file_train: must be one line without tabs and control characters (got 'D:\\new'). "
        "Write e.g. data/train_list.txt or none.",
    ),
    ("work_dir:", "work_dir: must be a path (got nothing). Write e.g. work_dirs/demo, or leave it out."),
    (
        "work_dir: none",
        "work_dir: cannot be none (got 'none'). Write e.g. work_dirs/demo, or leave it out; "
        "a file of that name is ./none.",
    ),
    (
        "test_results_path: out.txt",
        "test_results_path: must end in .json, .csv, .pkl, .yaml or .yml (got 'out.txt'). "
        "Write e.g. results.json, or leave it out.",
    ),
    (
        "test_results_path: .json",
        "test_results_path: must end in .json, .csv, .pkl, .yaml or .yml (got '.json'). "
        "Write e.g. results.json, or leave it out.",
    ),
    (
        "classes: [run]",
        "classes: must name at least two classes (got a list). Write e.g. [jump, run] or auto.",
    ),
    ("classes: [run, 1, '1']", "classes: names a class twice (got '1'). Remove one of the two."),
    (
        "classes: [run, ~]",
        "classes: holds something that is not a name (got nothing). Write text, in quotes if need be.",
    ),
    (
        "classes: [run, {a: b}]",
        "classes: holds something that is not a name (got a mapping). Write text, in quotes if need be.",
    ),
    ("classes: 3", "classes: must be a list of names or the path of a file (got 3). Write ./3, or put it in quotes."),
    (
        "classes: none",
        "classes: cannot be none (got 'none'). Write e.g. [jump, run] or auto; a file of that name is ./none.",
    ),
    ("model: none", "model.name: cannot be none (got 'none'). Write e.g. video_swin_tiny or auto."),
    ("model: 3", "model.name: must be text (got 3). Write e.g. video_swin_tiny or auto."),
    ("model: {load_from: ''}", "model.load_from: must be text (got ''). Write e.g. kinetics400, auto or none."),
    (
        "model: [a]",
        "model: must hold keys of its own (got a list). Write its keys indented below `model:`, "
        "e.g. `name: video_swin_tiny`.",
    ),
    (
        "clip: 32",
        "clip: must hold keys of its own (got 32). Write its keys indented below `clip:`, e.g. `clip_len: 32`.",
    ),
    ("clip: {input_size: 100}", "clip.input_size: must be a multiple of 16 (got 100). Write 96 or 112."),
    ("train: {amp: false}", "train.amp: must be off, float16 or bfloat16 (got false). Did you mean 'off'."),
    ("train: {amp: bf16}", "train.amp: must be off, float16 or bfloat16 (got 'bf16'). Did you mean 'bfloat16'."),
    (
        "train: {amp: x}",
        "train.amp: must be off, float16 or bfloat16 (got 'x'). Choose off, float16, bfloat16 or auto.",
    ),
    (
        "test: {views: 4x2}",
        "test.views: must be clips x crops, with 1 or 3 crops (got '4x2'). Write e.g. 10x3 or auto.",
    ),
    (
        "train: {save_every: 600}",
        "train.save_every: must be a time in s, min or h (got 600). Write e.g. 30min, auto or none.",
    ),
    (
        "train: {save_every: 1.5h}",
        "train.save_every: must be a time in s, min or h (got '1.5h'). Write e.g. 30min, auto or none.",
    ),
    (
        "runtime: {stall_minutes: none}",
        "runtime.stall_minutes: must be a number (got 'none'). Write e.g. 60, or leave it out.",
    ),
    ("runtime: {device: gpu}", "runtime.device: must be cpu or cuda (got 'gpu'). Did you mean 'cuda'."),
    ("test: {num_crops: 2}", "test.num_crops: must be 1 or 3 (got 2). Choose 1, 3 or auto."),
    ("test: {num_crops: '3'}", "test.num_crops: must be 1 or 3 (got '3'). Write 3."),
    ("test: {results_format: all}", "test.results_format: must be full or scores (got 'all'). Choose full or scores."),
    ("runtime: {seed: }", "runtime.seed: must be a whole number (got nothing). Write e.g. 0, or leave it out."),
    ("runtime: {deterministic: yes}", "runtime.deterministic: must be true or false (got 'yes'). Write true."),
    ("runtime: {deterministic: 0}", "runtime.deterministic: must be true or false (got 0). Write false."),
    ("runtime: {deterministic: x}", "runtime.deterministic: must be true or false (got 'x'). Write true or false."),
    ("cfg_options: x", "cfg_options: must be a mapping (got 'x'). Write its entries indented below the key."),
    (
        "cfg_options: {a.b: 1, a: {b: 2}}",
        "cfg_options.a.b: contradicts cfg_options.a.b of config.yaml:2. Keep one of the two.",
    ),
    (
        "cfg_options: {a: 1, a-b: 1, a.b: 2}",
        "cfg_options.a.b: contradicts cfg_options.a of config.yaml:2. Keep one of the two.",
    ),
    # Keys that do not exist, or not there.
    ("epochs: 3", "epochs: is not a known key here. Did you mean 'epoch'."),
    ("max_epochs: 3", "max_epochs: is not a known key here. Did you mean 'epoch'."),
    ("batch_size: 3", "batch_size: is not a known key here. Did you mean 'videos_per_gpu'."),
    ("lr: 3", "lr: is not a known key here. Did you mean 'learning_rate' under train."),
    ("frame_interval: 3", "frame_interval: is not a known key here. It belongs under clip."),
    ("frame_intervall: 3", "frame_intervall: is not a known key here. Did you mean 'frame_interval' under clip."),
    ("model.name: x", "model.name: is not a known key here. Did you mean 'name' under model."),
    ("clip: {epoch: 3}", "clip.epoch: is not a known key here. It belongs at the top level."),
    ("clip: {model: x}", "clip.model: is not a known key here. It belongs at the top level."),
    ("clip: {num_clips: 3}", "clip.num_clips: is not a known key here. It belongs under test."),
    ("train: {learningrate: 3}", "train.learningrate: is not a known key here. Did you mean 'learning_rate'."),
    ("trian: {amp: off}", "trian: is not a known key here. Did you mean 'train'."),
    ("config_path: x", f"config_path: is not a known key here. {REMOVE}."),
    ('"a\\nb": x', f"'a\\nb': is not a known key here. {REMOVE}."),
]


@pytest.mark.parametrize(("line", "expected"), WRONG, ids=[line for line, _ in WRONG])
def test_a_wrong_line_is_told_what_it_should_be(load, line, expected):
    with pytest.raises(RequestError) as caught:
        load(line)
    assert str(caught.value) == f"config.yaml:2: {expected}"


@pytest.mark.parametrize("text", ["", "none", "auto", "AUTO", "~"])
def test_data_root_takes_no_word_for_nothing(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(f"data_root: {text}\n", encoding="utf-8")
    with pytest.raises(RequestError) as caught:
        load_settings(path)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith("config.yaml:1: data_root: ")
    assert "Write e.g. data/videos" in str(caught.value)


def test_class_names_are_taken_literally(load):
    settings = load("classes: [no, Yes, 007, 1e3, 1.50, true, 2020-01-01, '走路', ' run']")
    assert settings.classes == ("no", "Yes", "007", "1e3", "1.50", "true", "2020-01-01", "走路", " run")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("None", "none"),
        ("kinetics400", "kinetics400"),
        ("https://example.org/w-12345678.pth", "https://example.org/w-12345678.pth"),
        ("S3://bucket/w.pth", "S3://bucket/w.pth"),
        ("best.pth", "{folder}/best.pth"),
        ("best.PT", "{folder}/best.PT"),
        ("w.safetensors", "{folder}/w.safetensors"),
        ("../weights/w", "{parent}/weights/w"),
        ("/weights/w", "/weights/w"),
        ("./kinetics400", "{folder}/kinetics400"),
    ],
)
def test_weights_are_a_word_a_url_or_a_path_from_the_yaml(load, tmp_path, text, expected):
    value = load(f"model: {{load_from: '{text}'}}").model.load_from
    assert value == expected.format(folder=tmp_path, parent=tmp_path.parent)


@pytest.mark.parametrize("name", ["a.json", "a.CSV", "a.pkl", "a.yaml", "x/a.yml"])
def test_results_may_go_into_five_kinds_of_file(load, tmp_path, name):
    assert load(f"test_results_path: {name}").test_results_path == tmp_path / name


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.kind in ("int", "float")])
def test_the_bounds_of_a_number_are_inside(load, name):
    key = KEYS[name]
    section, _, leaf = name.rpartition(".")
    for bound in (key.minimum, key.maximum, *key.choices):
        if bound is not None:
            settings = load(f"{section}: {{{leaf}: {bound}}}" if section else f"{leaf}: {bound}")
            assert getattr(getattr(settings, section) if section else settings, leaf) == bound


def test_every_example_is_a_value_its_key_takes(tmp_path):
    values = {name: key.example for name, key in KEYS.items()}
    settings = load_settings(None, values=values)
    assert settings.train.learning_rate == 1e-3
    assert settings.cfg_options == {"optim_wrapper.clip_grad.max_norm": 20}
    assert settings.data_root == Path.cwd() / "data/videos"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("10min", 600.0), ("2h", 7200.0), ("none", None), ("None", None), ("auto", "auto"), ("~", "auto")],
)
def test_a_time_is_held_in_seconds(text, seconds, load):
    assert load(f"train: {{save_every: {text}}}").train.save_every == seconds


@pytest.mark.parametrize(
    ("results", "overrides", "work_dir", "expected"),
    [
        ("run/results.json", (), "other", "other/results.json"),
        ("run/deep/a.csv", ("work_dir=other",), None, "other/deep/a.csv"),
        ("run/results.json", ("test_results_path=mine.json",), "other", "mine.json"),
        ("run/results.json", ("test_results_path=run/mine.json",), "other", "run/mine.json"),
        ("run/results.json", ("epoch=3",), None, "run/results.json"),
        ("elsewhere.json", (), "other", "elsewhere.json"),
        ("run_2/results.json", (), "other", "run_2/results.json"),
    ],
)
def test_results_within_the_work_dir_of_the_file_follow_to_one_on_the_command_line(
    tmp_path, monkeypatch, results, overrides, work_dir, expected
):
    path = tmp_path / "config.yaml"
    path.write_text(f"data_root: videos\ntest_results_path: {results}\nwork_dir: run\n")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(path, overrides, work_dir=work_dir)
    assert settings.test_results_path == tmp_path / expected
