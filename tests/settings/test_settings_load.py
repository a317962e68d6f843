"""From a file, the command line and Python to one `Settings`."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from autox_video.errors import RequestError
from autox_video.settings.load import MAX_PROBLEMS, load_settings
from autox_video.settings.schema import KEYS, SECTIONS, Settings

OLD_CONFIG = """\
# root directory of your dataset
data_root: 'data/demo/videos'

ann_file_train: 'data/demo/annotations/train_list.txt'
ann_file_val: 'data/demo/annotations/val_list.txt'
ann_file_test: 'data/demo/annotations/test_list.txt'

# video length of your dataset (second)
video_length: 2
num_class: 25
videos_per_gpu: 8
epoch: 50
work_dir: 'work_dirs/demo'
test_results_path: 'results.json'"""


@pytest.fixture
def config(tmp_path):
    """Writes a config.yaml into a folder of its own and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "project" / "config.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems_of(*arguments, **named) -> list[str]:
    with pytest.raises(RequestError) as caught:
        load_settings(*arguments, **named)
    return [str(problem) for problem in caught.value.problems]


def test_a_config_of_the_original_tool_loads_as_it_is(config):
    path = config(OLD_CONFIG)
    folder = path.parent
    settings = load_settings(path)
    expected = Settings(
        data_root=folder / "data/demo/videos",
        ann_file_train=folder / "data/demo/annotations/train_list.txt",
        ann_file_val=folder / "data/demo/annotations/val_list.txt",
        ann_file_test=folder / "data/demo/annotations/test_list.txt",
        video_length=2.0,
        num_class=25,
        videos_per_gpu=8,
        epoch=50,
        work_dir=folder / "work_dirs/demo",
        test_results_path=folder / "results.json",
        config_path=path,
        origins={
            "data_root": "config.yaml:2",
            "ann_file_train": "config.yaml:4",
            "ann_file_val": "config.yaml:5",
            "ann_file_test": "config.yaml:6",
            "video_length": "config.yaml:9",
            "num_class": "config.yaml:10",
            "videos_per_gpu": "config.yaml:11",
            "epoch": "config.yaml:12",
            "work_dir": "config.yaml:13",
            "test_results_path": "config.yaml:14",
        },
    )
    assert settings == expected
    assert type(settings.video_length) is float


def test_only_data_root_is_needed_and_the_results_go_into_the_work_dir(config):
    path = config("data_root: videos")
    settings = load_settings(path)
    assert settings == Settings(
        data_root=path.parent / "videos",
        work_dir=path.parent / "work_dirs/default",
        test_results_path=path.parent / "work_dirs/default/results.json",
        config_path=path,
        origins={"data_root": "config.yaml:1"},
    )


def test_auto_means_the_default_for_every_key_but_the_required_and_the_free_one(config):
    lines = [f"{name}: auto" for name in KEYS if "." not in name and name not in ("data_root", "cfg_options")]
    for section in SECTIONS:
        lines.append(f"{section}:")
        lines += [f"  {name.partition('.')[2]}: Auto" for name in KEYS if name.startswith(f"{section}.")]
    path = config("\n".join(["data_root: videos", *lines]))
    settings = load_settings(path)
    assert dataclasses.replace(settings, origins={}) == dataclasses.replace(
        load_settings(config("data_root: videos")), origins={}
    )
    assert set(settings.origins) == set(KEYS) - {"cfg_options"}


def test_a_key_or_section_without_a_value_is_left_out_where_that_means_something(config):
    path = config(
        "data_root: videos\nepoch:\nann_file_val: ~\nann_file_test: none\nclip:\ncfg_options:\ntest: {num_clips: }\n"
    )
    settings = load_settings(path)
    assert (settings.epoch, settings.ann_file_val, settings.ann_file_test) == ("auto", None, None)
    assert settings.clip.clip_len == "auto"
    assert settings.test.num_clips == "auto"
    assert settings.cfg_options == {}


def test_a_model_may_be_named_in_one_word(config):
    settings = load_settings(config("data_root: videos\nmodel: video_swin_tiny\n"))
    assert settings.model.name == "video_swin_tiny"
    assert settings.model.load_from == "auto"
    assert settings.origins["model.name"] == "config.yaml:2"


def test_sections_are_read_into_their_classes(config):
    settings = load_settings(
        config(
            "data_root: videos\n"
            "train:\n  learning_rate: 1e-3\n  amp: off\ndata:\n  balance: none\n"
            "test: {num_crops: 3, results_format: scores}\n"
            "runtime:\n  deterministic: true\n  seed: 7\n"
        )
    )
    assert settings.train.learning_rate == 0.001
    assert (settings.train.amp, settings.data.balance) == ("off", "none")
    assert (settings.test.num_crops, settings.test.results_format) == (3, "scores")
    assert (settings.runtime.deterministic, settings.runtime.seed) == (True, 7)
    assert settings.origins["runtime.seed"] == "config.yaml:10"


def test_later_sources_win_and_origins_tell_which(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = config("data_root: videos\nepoch: 1\nnum_class: 3\nwork_dir: a\nvideo_length: 4\n")
    settings = load_settings(
        path,
        ["epoch=3", "epoch=4", "model.name=video_swin_nano", "video_length=auto", "data_root=other"],
        values={"epoch": 2, "num_class": 4, "train": {"amp": "off"}, "clip.clip_len": 8},
        work_dir="b",
    )
    assert (settings.epoch, settings.num_class, settings.video_length) == (4, 4, "auto")
    assert (settings.model.name, settings.train.amp, settings.clip.clip_len) == ("video_swin_nano", "off", 8)
    assert settings.work_dir == tmp_path / "b"
    assert settings.data_root == tmp_path / "other"
    assert settings.origins == {
        "data_root": "--set",
        "epoch": "--set",
        "num_class": "fit()",
        "work_dir": "--work-dir",
        "video_length": "--set",
        "train.amp": "fit()",
        "clip.clip_len": "fit()",
        "model.name": "--set",
    }


def test_paths_start_from_the_yaml_or_from_the_current_folder(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    path = config(
        "data_root: ../videos\nann_file_train: /lists/train.txt\nann_file_val: ~/val.txt\nclasses: names.txt\n"
    )
    settings = load_settings("project/config.yaml", values={"ann_file_test": Path("test.txt")})
    assert settings.config_path == path
    assert settings.data_root == tmp_path / "videos"
    assert settings.ann_file_train == Path("/lists/train.txt")
    assert settings.ann_file_val == tmp_path / "home/val.txt"
    assert settings.classes == path.parent / "names.txt"
    assert settings.ann_file_test == tmp_path / "test.txt"


def test_settings_may_come_from_python_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings(
        None, values={"data_root": "videos", "classes": ["a", "b"], "model": "video_swin_nano", "ann_file_val": None}
    )
    assert settings == Settings(
        data_root=tmp_path / "videos",
        classes=("a", "b"),
        work_dir=tmp_path / "work_dirs/default",
        test_results_path=tmp_path / "work_dirs/default/results.json",
        model=SECTIONS["model"](name="video_swin_nano"),
        origins=dict.fromkeys(("data_root", "classes", "model.name", "ann_file_val"), "fit()"),
    )


def test_numbers_of_other_libraries_become_plain_ones():
    numpy = pytest.importorskip("numpy")
    settings = load_settings(
        None, values={"data_root": "v", "epoch": numpy.int64(3), "video_length": numpy.float32(0.5)}
    )
    assert (type(settings.epoch), settings.epoch) == (int, 3)
    assert (type(settings.video_length), settings.video_length) == (float, 0.5)


def test_none_from_python_takes_back_what_the_file_says(config):
    path = config("data_root: videos\nann_file_test: test.txt\nepoch: 3\n")
    settings = load_settings(path, values={"ann_file_test": None, "epoch": None})
    assert (settings.ann_file_test, settings.epoch) == (None, "auto")


def test_options_of_several_sources_are_merged_by_dotted_key(config):
    path = config(
        "data_root: videos\n"
        "cfg_options:\n"
        "  optim_wrapper: {clip_grad: {max_norm: 20, norm_type: 2}}\n"
        "  train_dataloader.drop_last: true\n"
        "  custom_hooks: [{type: EMAHook, momentum: 1e-4}]\n"
        "  empty: {}\n"
    )
    settings = load_settings(
        path, ["cfg_options.optim_wrapper.clip_grad.max_norm=40", "cfg_options.train_dataloader={batch_sampler: x}"]
    )
    assert settings.cfg_options == {
        "optim_wrapper.clip_grad.norm_type": 2,
        "train_dataloader.drop_last": True,
        "custom_hooks": [{"type": "EMAHook", "momentum": 0.0001}],
        "empty": {},
        "optim_wrapper.clip_grad.max_norm": 40,
        "train_dataloader.batch_sampler": "x",
    }
    assert settings.origins["cfg_options.optim_wrapper.clip_grad.norm_type"] == "config.yaml:3"
    assert settings.origins["cfg_options.train_dataloader.drop_last"] == "config.yaml:4"
    assert settings.origins["cfg_options.optim_wrapper.clip_grad.max_norm"] == "--set"


def test_a_later_option_replaces_what_stands_below_or_above_it(config):
    path = config("data_root: videos\ncfg_options: {a: {b: 1, c: 2}, d: 3}\n")
    settings = load_settings(path, ["cfg_options.a=none", "cfg_options.d.e=4"])
    assert settings.cfg_options == {"a": "none", "d.e": 4}
    assert [key for key in settings.origins if key.startswith("cfg_options.")] == ["cfg_options.a", "cfg_options.d.e"]


def test_all_problems_of_a_file_come_at_once_and_by_line(config):
    path = config(
        "ann_file_train: train.txt\n"
        "frame_interval: 3\n"
        "epoch: 0\n"
        "train:\n"
        "  amp: fp16\n"
        "  amp: off\n"
        "cfg_options:\n"
        "  a: !!python/name:os.system\n"
        "  b: .inf\n"
        "classes:\n"
        "  - run\n"
        "  - run\n"
        "num_class: 8.0\n"
    )
    assert problems_of(path, ["epoch=ten"]) == [
        "config.yaml:2: frame_interval: is not a known key here. It belongs under clip.",
        "config.yaml:3: epoch: must be a whole number of at least 1 (got 0). Write e.g. 50 or auto.",
        "config.yaml:5: train.amp: must be off, float16 or bfloat16 (got 'fp16'). Did you mean 'float16'.",
        "config.yaml:6: train.amp: is given twice, first on line 5. Keep one of the two lines.",
        "config.yaml:8: cfg_options.a: has a tag, which is not allowed (got '!!python/name:os.system'). "
        "Write the plain value.",
        "config.yaml:9: cfg_options.b: must be text, a finite number, true, false, a list or a mapping (got .inf). "
        "Write it as text.",
        "config.yaml:12: classes: names a class twice (got 'run'). Remove one of the two.",
        "config.yaml:13: num_class: must be a whole number (got 8.0). Write 8.",
        "--set: epoch: must be a whole number (got 'ten'). Write e.g. 50 or auto.",
        "config.yaml: data_root: is missing. Name the folder of the videos, e.g. `data_root: data/videos`.",
    ]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "~\n", "{}\n", "\ufeff"])
def test_an_empty_file_lacks_data_root(config, text):
    assert problems_of(config(text)) == [
        "config.yaml: data_root: is missing. Name the folder of the videos, e.g. `data_root: data/videos`."
    ]


def test_python_without_data_root_is_told_so():
    assert problems_of(None) == [
        "fit(): data_root: is missing. Name the folder of the videos, e.g. `data_root: data/videos`."
    ]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("epoch", "--set: must be key=value (got 'epoch'). Write e.g. --set epoch=10."),
        ("=3", "--set: must be key=value (got '=3'). Write e.g. --set epoch=10."),
        ("epoch=0", "--set: epoch: must be a whole number of at least 1 (got 0). Write e.g. 50 or auto."),
        ("frame_interval=3", "--set: frame_interval: is not a known key here. Did you mean 'clip.frame_interval'."),
        ("clip.clip_length=3", "--set: clip.clip_length: is not a known key here. Did you mean 'clip.clip_len'."),
        ("clips.clip_len=3", "--set: clips.clip_len: is not a known key here. Did you mean 'clip.clip_len'."),
        (
            "epoch.x=3",
            "--set: epoch.x: is not a known key here. Remove it, or move it under cfg_options if it is one of "
            "MMEngine's own words.",
        ),
        (
            "classes=[a, b",
            "--set: classes: is not valid YAML: expected ',' or ']', but got '<stream end>' (got '[a, b'). Close the "
            "bracket that is opened here, with commas between its items.",
        ),
        ("seed=", "--set: seed: is not a known key here. Did you mean 'runtime.seed'."),
        ("runtime.seed=", "--set: runtime.seed: must be a whole number (got nothing). Write e.g. 0, or leave it out."),
        (
            "clip=8",
            "--set: clip: must hold keys of its own (got 8). Write its keys indented below `clip:`, "
            "e.g. `clip_len: 32`.",
        ),
    ],
)
def test_overrides_are_checked_like_the_file(config, override, expected):
    assert problems_of(config("data_root: videos"), [override]) == [expected]


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("video_length=1e0", "video_length", 1.0),
        ("classes=[no, 007]", "classes", ("no", "007")),
        ("model={name: x, load_from: none}", "model", SECTIONS["model"]("x", "none")),
        (" epoch = 3 ", "epoch", 3),
        ("epoch=", "epoch", "auto"),
        ("data_root='/a #b: c'", "data_root", Path("/a #b: c")),
        ("data_root=/a #b: c=d", "data_root", Path("/a #b: c=d")),
    ],
)
def test_overrides_take_scalars_lists_and_mappings(config, override, key, value):
    assert getattr(load_settings(config("data_root: videos"), [override]), key) == value


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"epoch": True}, "fit(): epoch: must be a whole number (got True). Write e.g. 50 or auto."),
        ({"epoch": 2.5}, "fit(): epoch: must be a whole number (got 2.5). Write e.g. 50 or auto."),
        (
            {"epoch": object()},
            "fit(): epoch: must be a whole number (got an object of type object). Write e.g. 50 or auto.",
        ),
        ({"epochs": 3}, "fit(): epochs: is not a known key here. Did you mean 'epoch'."),
        (
            {"classes": {"a"}},
            "fit(): classes: must be a list of names or the path of a file (got an object of type set). "
            "Write e.g. [jump, run] or auto.",
        ),
        (
            {"cfg_options": {"a": print}},
            "fit(): cfg_options.a: must be text, a finite number, true, false, a list or a "
            "mapping (got an object of type builtin_function_or_method). Write it as text.",
        ),
        (
            {"work_dir": None},
            "fit(): work_dir: must be a path (got nothing). Write e.g. work_dirs/demo, or leave it out.",
        ),
    ],
)
def test_values_from_python_are_checked_like_the_file(values, expected):
    assert problems_of(None, values={"data_root": "videos", **values}) == [expected]


def test_an_empty_work_dir_is_refused(config):
    assert problems_of(config("data_root: videos"), work_dir="") == [
        "--work-dir: work_dir: must be a path (got ''). Write e.g. work_dirs/demo, or leave it out."
    ]


def test_a_file_that_is_wrong_everywhere_is_not_listed_to_its_end(config):
    lines = problems_of(config("".join(f"unheard_of_{number}: 1\n" for number in range(5000))))
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[-1] == f"config.yaml: has more problems than these {MAX_PROBLEMS}. Mend these first."


def test_loading_settings_imports_nothing_heavy():
    code = "import sys, autox_video.settings.load; print(sorted({'torch', 'numpy', 'mmengine'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
