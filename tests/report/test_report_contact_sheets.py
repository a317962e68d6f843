from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from autox_video.previews import ClassPreview, Clip
from autox_video.report.contact_sheets import MAX_MOVING_CLASSES, caption, sheet, sheet_name, write_contact_sheets

RED = (220, 20, 20)


def clip(*, count: int = 4, size: tuple[int, int] = (32, 48), **facts) -> Clip:
    frames = np.zeros((count, *size, 3), np.uint8)
    frames[:] = RED
    values = {"split": "train", "file": "/videos/a b.mp4", "frames": frames, "first_frame": 2, "last_frame": 8}
    values |= {"seconds": 0.5, "view": 1, "num_views": 3, "mirrored": False, "labels": (0,)}
    return Clip(**{**values, **facts})


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "train: a b.mp4, draw 1 of 3, frames 2 to 8, 0.5 s"),
        ({"split": "test", "view": 2}, "test: a b.mp4, view 2 of 3, frames 2 to 8, 0.5 s"),
        (
            {"mirrored": True, "labels": (1,)},
            "train: a b.mp4, draw 1 of 3, frames 2 to 8, 0.5 s, mirrored, learned as run",
        ),
        ({"seconds": None, "labels": ()}, "train: a b.mp4, draw 1 of 3, frames 2 to 8"),
        (
            {"split": "test", "labels": (0, 1)},
            "test: a b.mp4, view 1 of 3, frames 2 to 8, 0.5 s, labels jump and run",
        ),
    ],
)
def test_a_caption_says_what_a_clip_is(facts, said):
    assert caption(clip(**facts), 0, ("jump", "run")) == said


@pytest.mark.parametrize(
    ("label", "name", "file"),
    [
        (3, "jump", "03_jump.png"),
        (3, "../up & <down>", "03_up_down.png"),
        (11, "顺时针", "11_顺时针.png"),
        (0, "a" * 300, f"00_{'a' * 60}.png"),
        (0, "///", "00_.png"),
        (None, "(no label)", "no_label.png"),
    ],
)
def test_a_sheet_has_a_name_that_every_file_system_takes(label, name, file):
    assert sheet_name(ClassPreview(label, name, ()), 12) == file


@pytest.mark.parametrize(
    ("count", "size", "shown"),
    [
        (4, (32, 48), 4 * 32 * 48),  # at its own size
        (20, (32, 32), 20 * 32 * 32),  # on two lines
        (2, (448, 224), 2 * 112 * 56),  # made smaller
    ],
)
def test_a_sheet_shows_every_frame_in_its_colour(count, size, shown):
    image = sheet(ClassPreview(0, "jump", (clip(count=count, size=size),)), ("jump",))
    assert int((image == RED[::-1]).all(axis=2).sum()) == shown


def test_a_class_without_a_video_has_a_sheet_that_says_so():
    assert sheet(ClassPreview(0, "jump", ()), ("jump",)).shape[0] > 30


def test_the_page_stands_alone_and_shows_each_clip_as_one_strip(tmp_path):
    shown = [ClassPreview(0, "jump", (clip(), clip(count=6, seconds=None))), ClassPreview(1, "run", ())]
    path = write_contact_sheets(iter(shown), tmp_path / "preview", ("jump", "run"), "video_swin_nano")
    assert path == tmp_path / "preview" / "preview.html"
    assert sorted(file.name for file in path.parent.iterdir()) == ["0_jump.png", "1_run.png", "preview.html"]
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    assert "What video_swin_nano sees" in page.text
    images = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    heights = [decoded(source).shape for source in images]
    assert heights == [(4 * 32, 48, 3), (6 * 32, 48, 3)]
    styles = [attributes["style"] for tag, attributes in page.tags if tag == "figure"]
    assert styles == ["--w:48px;--h:32px;--n:4;--t:0.500s", "--w:48px;--h:32px;--n:6;--t:0.750s"]
    # Nothing is fetched: every source is in the page, every link leads to a sheet beside it.
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == ["0_jump.png", "1_run.png"]
    assert not re.search(r"(src|href)=\"?(https?:)?//", path.read_text(encoding="utf-8"))


def decoded(source: str) -> np.ndarray:
    head, data = source.split(",")
    assert head == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def test_names_are_text_and_never_markup(tmp_path):
    name = '<img src=x onerror="alert(1)">&'
    shown = ClassPreview(0, name, (clip(file=f"/videos/{name.replace('/', '')}.mp4"),))
    path = write_contact_sheets([shown], tmp_path, (name, "run"), "m")
    page = Page(path.read_text(encoding="utf-8"))
    assert page.text.count(name) == 2
    assert [attributes for tag, attributes in page.tags if tag == "img" and "onerror" in attributes] == []
    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert name in image["alt"]


def test_many_classes_have_sheets_but_do_not_all_move(tmp_path):
    names = tuple(f"class{number}" for number in range(MAX_MOVING_CLASSES + 2))
    shown = (ClassPreview(number, name, (clip(count=2),)) for number, name in enumerate(names))
    page = Page(write_contact_sheets(shown, tmp_path, names, "m").read_text(encoding="utf-8"))
    assert sum(tag == "img" for tag, _ in page.tags) == MAX_MOVING_CLASSES
    assert len(list(tmp_path.glob("*.png"))) == sum(tag == "a" for tag, _ in page.tags) == len(names)


def test_sheets_of_classes_that_are_gone_go_too(tmp_path):
    write_contact_sheets([ClassPreview(0, "old", ())], tmp_path, ("old",), "m")
    write_contact_sheets([ClassPreview(0, "new", ())], tmp_path, ("new",), "m")
    assert [file.name for file in tmp_path.glob("*.png")] == ["0_new.png"]
