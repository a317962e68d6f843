from __future__ import annotations

import codecs

import pytest

from autox_video.dataset.list_lines import Line, read_lines, read_text
from autox_video.errors import Problem


def parse(text: str, *existing: str) -> list[tuple[str, str | None]]:
    lines, _ = read_lines(text, lambda path: path in existing)
    return [(line.path, line.label) for line in lines]


@pytest.mark.parametrize(
    ("line", "existing", "path", "label"),
    [
        ("a.mp4 3", "a.mp4", "a.mp4", "3"),
        ("a.mp4   3  ", "a.mp4", "a.mp4", "3"),
        ("a.mp4\t3", "a.mp4", "a.mp4", "3"),
        ("a.mp4,3", "a.mp4", "a.mp4", "3"),
        ("a.mp4 ; 3", "a.mp4", "a.mp4", "3"),
        ("-x.mp4 3", "-x.mp4", "-x.mp4", "3"),
        ("跳 舞.mp4 唱歌", "跳 舞.mp4", "跳 舞.mp4", "唱歌"),
        ("🎬 a.mp4,3", "🎬 a.mp4", "🎬 a.mp4", "3"),
        ("a b.mp4 3", "a b.mp4", "a b.mp4", "3"),
        ("a,b.mp4 3", "a,b.mp4", "a,b.mp4", "3"),
        ("a;b c.mp4,3", "a;b c.mp4", "a;b c.mp4", "3"),
        ("a.mp4 playing guitar", "a.mp4", "a.mp4", "playing guitar"),
        ("a.mp4,run, fast", "a.mp4", "a.mp4", "run, fast"),
        ('"a b.mp4" 3', "a b.mp4", "a b.mp4", "3"),
        ('"a ""b"".mp4";3', 'a "b".mp4', 'a "b".mp4', "3"),
        ("'a b.mp4',3", "a b.mp4", "a b.mp4", "3"),
        ('a.mp4 "playing guitar"', "a.mp4", "a.mp4", "playing guitar"),
        ('"a.mp4","run, fast"', "a.mp4", "a.mp4", "run, fast"),
        ('"q".mp4 3', '"q".mp4', '"q".mp4', "3"),
        ("it's.mp4 'x y'", "it's.mp4", "it's.mp4", "x y"),
        (" lead.mp4 3", " lead.mp4", " lead.mp4", "3"),
        ("noending 3", "noending", "noending", "3"),
    ],
)
def test_the_reading_whose_path_exists_wins(line, existing, path, label):
    assert parse(line, existing) == [(path, label)]


@pytest.mark.parametrize(
    ("line", "path", "label"),
    [
        ("a.mp4 3", "a.mp4", "3"),
        ("a.mp4\tplaying guitar", "a.mp4", "playing guitar"),
        ("a b.mp4 3", "a b.mp4", "3"),
        ("a,b.mp4 3", "a,b.mp4", "3"),
        ("a b.mp4,3", "a b.mp4", "3"),
        ("a.mp4 playing guitar", "a.mp4", "playing guitar"),
        ('a.mp4 "x y"', "a.mp4", "x y"),
        ('noending "x y"', "noending", "x y"),
        ("noending 3", "noending", "3"),
        ("no ending,3", "no ending", "3"),
        ("x.avi y.avi 2", "x.avi y.avi", "2"),
        ("a.mp4", "a.mp4", None),
        ("a b.mp4", "a b.mp4", None),
        ("a.mp4,", "a.mp4", None),
    ],
)
def test_without_any_file_the_ending_of_the_name_decides(line, path, label):
    assert parse(line) == [(path, label)]


@pytest.mark.parametrize(
    ("line", "existing", "path", "label"),
    [
        ("a b.mp4", ("a b.mp4",), "a b.mp4", None),
        ("a b.mp4", ("a b.mp4", "a"), "a b.mp4", None),
        ("a.mp4 b.mp4", ("a.mp4 b.mp4",), "a.mp4 b.mp4", None),
        ("a,3.mp4", ("a,3.mp4",), "a,3.mp4", None),
        (" lead.mp4", (" lead.mp4",), " lead.mp4", None),
    ],
)
def test_a_line_that_is_a_file_has_no_label(line, existing, path, label):
    assert parse(line, *existing) == [(path, label)]


def test_the_separator_is_that_of_most_lines():
    text = "\n".join(["a b,1.mp4,x", "c d.mp4,y", "e,f.mp4,x", "g.mp4,z"])
    assert parse(text) == [("a b,1.mp4", "x"), ("c d.mp4", "y"), ("e,f.mp4", "x"), ("g.mp4", "z")]


def test_lines_keep_their_numbers_across_blank_lines_and_any_line_end():
    text = "\r\na.mp4 0\r\n\r\n  \nb.mp4 1 \rc.mp4 2"
    assert read_lines(text, lambda path: False) == (
        [Line(2, "a.mp4", "0"), Line(5, "b.mp4", "1"), Line(6, "c.mp4", "2")],
        0,
    )


def test_a_line_beginning_with_a_hash_is_a_comment_unless_it_names_a_file():
    text = "# made by hand, 3 videos\n#1.mp4 0\n#2.mp4 1\na.mp4 0"
    lines, num_comments = read_lines(text, lambda path: path in ("#1.mp4", "a.mp4"))
    assert [(line.number, line.path) for line in lines] == [(2, "#1.mp4"), (4, "a.mp4")]
    assert num_comments == 2


def test_a_file_that_is_no_list_is_read_in_reasonable_time():
    lines, _ = read_lines(", ".join(["word"] * 50_000), lambda path: False)
    assert len(lines) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_by_its_byte_order_mark(tmp_path, encoding):
    file = tmp_path / "list.txt"
    file.write_bytes("跳舞.mp4 0\r\n".encode(encoding))
    assert read_text(file, "list.txt") == "跳舞.mp4 0\r\n"


def test_big_endian_utf_16_is_read(tmp_path):
    file = tmp_path / "list.txt"
    file.write_bytes(codecs.BOM_UTF16_BE + "a.mp4 0".encode("utf-16-be"))
    assert read_text(file, "list.txt") == "a.mp4 0"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a.mp4 0\n跳舞.mp4 1\n".encode("gb18030"),
            "list.txt:2: is not UTF-8 text (got byte 0xcc). Save the list as UTF-8.",
        ),
        (
            b"\xef\xbb\xbfa.mp4 0\n\xff.mp4 1\n",
            "list.txt:2: is not UTF-8 text (got byte 0xff). Save the list as UTF-8.",
        ),
        (
            "a.mp4 0\n".encode("utf-16-le"),
            "list.txt:1: holds a NUL character, so this is no UTF-8 text. Save the list as UTF-8.",
        ),
    ],
)
def test_other_encodings_are_refused_with_their_line(tmp_path, content, message):
    file = tmp_path / "list.txt"
    file.write_bytes(content)
    problem = read_text(file, "list.txt")
    assert isinstance(problem, Problem)
    assert str(problem) == message
