"""Every example of docs/data.md is read as the page says, and by no other format."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from videos import write_image, write_video

from autox_video.dataset.entries import SPLITS, UNDIVIDED
from autox_video.dataset.fingerprint import fingerprint_dataset
from autox_video.dataset.formats import detect_formats, format_names, load_format, read_listing
from autox_video.dataset.sources import sources_of
from autox_video.settings.load import load_settings
from autox_video.settings.schema import Settings
from autox_video.work_dir import WorkDir

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", PAGE, flags=re.MULTILINE))
FORMATS = {
    "Class folders": "class_folders",
    "Folders of images": "class_folders",
    "Plain list": "label_list",
    "Table": "table",
    "Table of pieces": "table",
    "UCF101": "ucf101",
    "HMDB51": "hmdb51",
    "Kinetics": "kinetics",
    "Something-Something": "something_something",
    "Jester": "jester",
    "Frame list": "frame_list",
}
# How many videos each example has in train, val and test; and what is undivided.
SIZES = {
    "Class folders": {UNDIVIDED: 4},
    "Folders of images": {UNDIVIDED: 4},
    "Plain list": {"train": 4, "test": 1},
    "Table": {"train": 2, "val": 2, "test": 2},
    "Table of pieces": {"train": 4},
    "UCF101": {"train": 4, "test": 2},
    "HMDB51": {"train": 4, "test": 2},
    "Kinetics": {"train": 4, "val": 2},
    "Something-Something": {"train": 4, "val": 2, "test": 1},
    "Jester": {"train": 4, "val": 2, "test": 1},
    "Frame list": {"train": 4, "val": 2},
}
CLASSES = {
    "UCF101": ("ApplyEyeMakeup", "Archery"),
    "HMDB51": ("brush_hair", "cartwheel"),
    "Kinetics": ("abseiling", "air drumming"),
    "Something-Something": ("Dropping something", "Holding something next to something"),
    "Jester": ("Drumming Fingers", "Sliding Two Fingers Right"),
    "Frame list": ("0", "1"),
}

each_example = pytest.mark.parametrize("title", FORMATS)


def write_example(title: str, folder: Path, **video: Any) -> Settings:
    """Write the files of an example; its videos are as `write_video` is told, each another one, or empty."""
    text = SECTIONS[title]
    for name, content in re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    videos = re.search(r"^Videos:\n\n```text\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    for seed, name in enumerate(videos[1].splitlines()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith((".jpg", ".png")):
            write_image(folder / name, seed=seed)
        elif video:
            write_video(folder / "any.mp4", seed=seed, **video).rename(folder / name)
        else:
            (folder / name).touch()
    config = re.search(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (folder / "config.yaml").write_text(config[1], encoding="utf-8")
    return load_settings(folder / "config.yaml")


def test_every_format_has_an_example_and_every_example_is_tested():
    assert set(FORMATS.values()) == set(format_names())
    assert list(SECTIONS) == [*FORMATS, "Several data sets", "Too few videos: k-fold"]


@each_example
def test_an_example_is_of_one_format_and_of_no_other(title, tmp_path):
    settings = write_example(title, tmp_path)
    for source in sources_of(settings):
        if source.split is None or settings.ann_file_train:
            assert detect_formats(source) == [FORMATS[title]]
            known = {name for name in format_names() if load_format(name).detect(source)}
            assert known <= {FORMATS[title], "label_list"}


@pytest.mark.parametrize("split", SPLITS)
@each_example
def test_no_file_of_an_example_is_taken_for_another_format(title, split, tmp_path):
    data_root = write_example(title, tmp_path).data_root
    allowed = {(FORMATS[title],), ("label_list",), ()}  # a file of classes is JSON, or lines of any kind
    for file in {path for path in tmp_path.rglob("*") if path.suffix in (".txt", ".csv", ".json", ".jsonl")}:
        *_, source = sources_of(Settings(data_root, **{f"ann_file_{split}": file}))
        assert tuple(detect_formats(source)) in allowed, file.name


@each_example
def test_an_example_gives_the_videos_that_exist(title, tmp_path):
    settings = write_example(title, tmp_path)
    listing = read_listing(settings, SPLITS)
    assert listing.problems == ()
    assert {split: len(part.entries) for split, part in listing.parts.items()} == SIZES[title]
    for part in listing.parts.values():
        assert [entry.path for entry in part.entries if not (settings.data_root / entry.path).exists()] == []


@pytest.mark.parametrize("title", FORMATS)
def test_an_example_passes_the_check(title, tmp_path):
    # Long enough for the pieces of the examples.
    settings = write_example(title, tmp_path, frames=60, fps=10.0)
    found = fingerprint_dataset(settings, WorkDir(tmp_path / "run"))
    assert found.bad_videos == ()
    assert found.classes == CLASSES.get(title, ("jump", "run"))
    assert {split: found.splits[split].num_videos for split in SIZES[title] if split in ("val", "test")} == {
        split: count for split, count in SIZES[title].items() if split in ("val", "test")
    }


def test_the_example_of_folds_tests_two_videos_in_each(tmp_path):
    settings = write_example("Too few videos: k-fold", tmp_path, frames=6)
    for fold in (1, 2, 3):
        found = fingerprint_dataset(settings, WorkDir(tmp_path / "run").fold(fold), fold=fold)
        assert found.splits["test"].class_counts == {"jump": 1, "run": 1}
        assert found.splits["val"].class_counts == {"jump": 1, "run": 1}


def test_pieces_have_their_times(tmp_path):
    settings = write_example("Table of pieces", tmp_path)
    pieces = read_listing(settings, SPLITS).parts["train"].entries
    assert [(piece.label, piece.start_seconds, piece.end_seconds) for piece in pieces] == [
        ("jump", 0.0, 2.5),
        ("run", 2.5, 4.0),
        ("jump", 1.0, 3.0),
        ("run", 3.0, 5.0),
    ]
