"""The table of settings in the README files."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autox_video.errors import RequestError
from autox_video.settings.reference import BEGIN, END, WORDS, settings_reference, update_file
from autox_video.settings.reference_zh import HELP_ZH, WORDS_ZH
from autox_video.settings.schema import KEYS


def test_every_key_and_word_has_a_chinese_text_and_nothing_else_has():
    assert list(HELP_ZH) == list(KEYS)
    assert list(WORDS_ZH) == list(WORDS)
    assert all(any("\u4e00" <= character <= "\u9fff" for character in text) for text in HELP_ZH.values())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_has_a_row_of_five_cells_for_every_key(language):
    header, rule, *rows = settings_reference(language).splitlines()
    assert [row.split("`")[1] for row in rows] == list(KEYS)
    assert rule == "|---|---|---|---|---|"
    assert {line.count("|") for line in (header, *rows)} == {6}


@pytest.mark.parametrize(
    ("language", "row"),
    [
        ("en", "| `data_root` | path | (needed) | Folder of the videos. | `data/videos` |"),
        ("zh", "| `data_root` | 路径 | （必填） | 视频所在的文件夹。 | `data/videos` |"),
        ("en", "| `clip.clip_len` | whole number, 1 to 512 | `auto` | Frames in a clip. | `32` |"),
        ("zh", "| `clip.clip_len` | 整数，1 至 512 | `auto` | 一个片段的帧数。 | `32` |"),
        (
            "en",
            "| `model.name` | name | `auto` | The model: a file name in configs/models, without .py "
            "(`autox-video models`), or one of MMAction2's index (`autox-video models mmaction::`). `auto` chooses by data, machine and the key `preset`. | `video_swin_tiny` |",
        ),
        ("en", "| `augment.flip` | number, 0 to 1 | `auto` | Probability of mirroring a training clip. | `0.5` |"),
        (
            "zh",
            "| `runtime.deterministic` | `true` 或 `false` | `false` | 只用每次结果都相同的算子（在 CUDA 上较慢）。 "
            "| `false` |",
        ),
        ("zh", "| `ann_file_test` | 路径 或 `none` | （无） | 测试视频列表；标签可以省略。 | `data/test_list.txt` |"),
    ],
)
def test_a_row_says_what_a_key_takes_and_means(language, row):
    assert row in settings_reference(language).splitlines()


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="language must be 'en' or 'zh', not 'fr'"):
        settings_reference("fr")


def test_the_command_rewrites_the_marked_part_of_each_file_in_its_language(tmp_path):
    english, chinese = tmp_path / "README.md", tmp_path / "README_zh-CN.md"
    for path in (english, chinese):
        path.write_text(f"# 标题\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    command = [sys.executable, "-m", "autox_video.settings.reference", str(english), str(chinese)]
    subprocess.run(command, check=True)
    for path, language in ((english, "en"), (chinese, "zh")):
        expected = f"# 标题\n\n{BEGIN}\n{settings_reference(language)}{END}\n\nafter\n"
        assert path.read_text(encoding="utf-8") == expected
        update_file(path)
        assert path.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize(
    "text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"]
)
def test_a_file_without_one_marked_place_is_left_alone(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RequestError) as caught:
        update_file(path)
    assert str(caught.value) == (
        f"{path}: does not mark one place for the settings. "
        f"Write {BEGIN} and {END} once each, in this order, on lines of their own."
    )
    assert path.read_text(encoding="utf-8") == text
