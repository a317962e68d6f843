from __future__ import annotations

from pathlib import Path

import pytest

from autox_video.dataset.classes import find_classes, label_ids
from autox_video.dataset.entries import UNDIVIDED, Entry, Part
from autox_video.settings.schema import Settings


def part(*labels: str | None, split: str = "train", named: bool = False) -> Part:
    entries = tuple(Entry(f"{line}.mp4", label, f"{split}.txt:{line}") for line, label in enumerate(labels, 1))
    return Part(entries, f"{split}.txt", named)


def settings(**values) -> Settings:
    return Settings(data_root=Path("/v"), **values)


def resolve(parts, trained=None, **values):
    """Class names, ids by split, problems as text."""
    classes = find_classes(settings(**values), trained, parts)
    read = {split: label_ids(part, classes) for split, part in parts.items()}
    problems = [*classes.problems, *(problem for _, wrong in read.values() for problem in wrong)]
    return classes.names, {split: ids for split, (ids, _) in read.items()}, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("parts", "values", "names", "ids"),
    [
        ({"train": part("0", "2", "1")}, {}, ("0", "1", "2"), [0, 2, 1]),
        ({"train": part("run", "jump", "run")}, {}, ("jump", "run"), [1, 0, 1]),
        ({"train": part("c10", "c9", "C1")}, {}, ("C1", "c9", "c10"), [2, 1, 0]),
        ({"train": part("0", "1")}, {"num_class": 4}, ("0", "1", "2", "3"), [0, 1]),
        ({"train": part("0", "1")}, {"classes": ("run", "jump")}, ("run", "jump"), [0, 1]),
        ({"train": part("jump", "run")}, {"classes": ("run", "jump"), "num_class": 2}, ("run", "jump"), [1, 0]),
        ({"train": part("1", "2", "3")}, {"classes": ("1", "2", "3")}, ("1", "2", "3"), [0, 1, 2]),
        ({"train": part("0", "1", "2")}, {"classes": ("1", "2", "3")}, ("1", "2", "3"), [0, 1, 2]),
        ({"train": part("+1", "00")}, {}, ("0", "1"), [1, 0]),
        ({UNDIVIDED: part("10", "9", named=True)}, {}, ("9", "10"), [1, 0]),
    ],
)
def test_classes_come_from_the_settings_or_the_training_labels(parts, values, names, ids):
    found, read, problems = resolve(parts, **values)
    assert (found, next(iter(read.values())), problems) == (names, ids, [])


def test_a_list_beside_class_folders_may_use_names_or_ids():
    folders = part("jump", "run", named=True)
    assert resolve({"train": folders, "test": part("run", split="test")})[1]["test"] == [1]
    assert resolve({"test": part("1", split="test")}, trained=("jump", "run"))[1]["test"] == [1]


def test_a_trained_model_decides_alone_and_says_what_it_overrules():
    classes = find_classes(
        settings(num_class=7, classes=("a", "b")), ("x", "y", "z"), {"test": part("z", split="test")}
    )
    assert classes.names == ("x", "y", "z")
    assert classes.problems == ()
    assert classes.notes == (
        "num_class is 7, but the trained model has 3 classes, which count",
        "classes differs from the classes of the trained model, which count",
    )


@pytest.mark.parametrize(
    ("parts", "values", "problems"),
    [
        (
            {"train": part("0", "0")},
            {},
            ["classes: there must be at least 2 (got only '0'). Add videos of another class."],
        ),
        (
            {"train": part("0", "1", "-1")},
            {},
            [
                "train.txt:3: has a label outside the 2 classes (got -1). Ids run from 0 to 1; correct the label, or num_class."
            ],
        ),
        (
            {"train": part("0", "1", "O")},
            {},
            [
                "train.txt:3: has a name for a label where the other labels are ids (got 'O'). Write ids everywhere, or names everywhere."
            ],
        ),
        (
            {"train": part("run", "jump", "3")},
            {},
            [
                "train.txt:3: has a number for a label where the other labels are names (got 3). Write ids everywhere, or names everywhere."
            ],
        ),
        (
            {"train": part("0", "1", "0,1")},
            {},
            ["train.txt:3: has several labels (got '0,1'). Give a video one label, or set task: multi_label."],
        ),
        (
            {"train": part("1 2")},
            {},
            ["train.txt:1: has several labels (got '1 2'). Give a video one label, or set task: multi_label."],
        ),
        (
            {"train": part("0", "1", "2000")},
            {},
            [
                "train.txt:3: has a far larger id than the lists need, which use only 3 (got 2000). "
                "Correct the label, or confirm it with num_class: 2001."
            ],
        ),
        (
            {"train": part("0", "1", "2")},
            {"num_class": 2},
            ["num_class: is too small for the labels: train.txt:3 has 2 (got 2). Leave num_class out, or set it to 3."],
        ),
        (
            {"train": part(*["0", "1"] * 20, "2")},
            {"num_class": 2},
            [
                "train.txt:41: has a label outside the 2 classes (got 2). Ids run from 0 to 1; correct the label, or num_class."
            ],
        ),
        (
            {"train": part("run", "jump")},
            {"num_class": 3},
            ["num_class: differs from the 2 classes of the training videos (jump, run) (got 3). Leave num_class out."],
        ),
        (
            {"train": part("a", "b")},
            {"num_class": 3, "classes": ("a", "b")},
            ["num_class: differs from the 2 classes named in classes (a, b) (got 3). Leave num_class out."],
        ),
        (
            {"train": part("run", "jumpp")},
            {"classes": ("run", "jump")},
            ["train.txt:2: has an unknown class (got 'jumpp'). Did you mean 'jump'."],
        ),
        (
            {"train": part("run", "jump"), "val": part("sit", split="val")},
            {},
            ["val.txt:1: has a class that training never saw (got 'sit'). The classes are jump, run."],
        ),
        (
            {"train": part("1", "2")},
            {"classes": ("1", "2", "3")},
            [
                "labels: may be class ids or class names, which would be different classes (got 1, 2). "
                "Give the classes names that are no numbers."
            ],
        ),
        (
            {"train": part("a", "b")},
            {"classes": ("a", "b", "a")},
            ["classes: names a class twice (got a). Give each class a name of its own."],
        ),
    ],
)
def test_labels_that_fit_no_class_are_refused(parts, values, problems):
    assert resolve(parts, **values)[2] == problems


def test_classes_may_be_a_file(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("run\r\n\n跳舞\n", encoding="utf-8")
    assert resolve({"train": part("1", "0")}, classes=file)[:2] == (("run", "跳舞"), {"train": [1, 0]})


def test_a_missing_file_of_classes_is_refused_and_labels_are_not_judged(tmp_path):
    (tmp_path / "classes.txt").touch()
    names, ids, problems = resolve({"train": part("1", "0")}, classes=tmp_path / "clases.txt")
    assert (names, ids) == ((), {"train": [None, None]})
    assert problems == [f"classes: does not exist (got {tmp_path}/clases.txt). Did you mean 'classes.txt'."]
