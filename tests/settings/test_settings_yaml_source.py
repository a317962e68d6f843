"""What strict YAML means here: what a scalar is, what is refused, and where it says it is."""

from __future__ import annotations

import math
import os

import pytest

from autox_video.errors import RequestError
from autox_video.settings.given import REFUSED
from autox_video.settings.yaml_source import MAX_BYTES, MAX_DEPTH, read_override, read_yaml


@pytest.fixture
def read(tmp_path):
    """Reads text or bytes as config.yaml."""

    def read(content: str | bytes):
        path = tmp_path / "config.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return read_yaml(path)

    return read


def refusal_of(call, *arguments) -> str:
    with pytest.raises(RequestError) as caught:
        call(*arguments)
    return str(caught.value)


SCALARS = [
    ("1e-3", 0.001),
    ("1.e5", 100000.0),
    ("1E5", 100000.0),
    ("-.5", -0.5),
    ("5.", 5.0),
    ("010.5", 10.5),
    ("8", 8),
    ("+8", 8),
    ("-0", 0),
    (".inf", math.inf),
    ("-.INF", -math.inf),
    ("+.inf", math.inf),
    ("true", True),
    ("TRUE", True),
    ("False", False),
    ("fALSE", False),
    ("", None),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("Off", "Off"),
    ("y", "y"),
    ("N", "N"),
    ("010", "010"),
    ("00", "00"),
    ("0x1F", "0x1F"),
    ("0o17", "0o17"),
    ("0b11", "0b11"),
    ("1_000", "1_000"),
    ("1:30", "1:30"),
    ("1:30.5", "1:30.5"),
    ("2020-01-01", "2020-01-01"),
    ("2020-01-01 10:00:00", "2020-01-01 10:00:00"),
    ("=", "="),
    ("<<", "<<"),
    ("1e", "1e"),
    (".", "."),
    ("none", "none"),
    ("auto", "auto"),
    ("'8'", "8"),
    ('"true"', "true"),
    ("!!str 8", "8"),
    ("!!int '8'", 8),
    ("!!float 8.0", 8.0),
    ('"\\u4e2d"', "中"),
    ("视频", "视频"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_means_what_it_looks_like(read, text, value):
    entries, findings = read(f"key: {text}\n")
    assert findings == []
    assert entries["key"].value == value
    assert type(entries["key"].value) is type(value)


@pytest.mark.parametrize(("text", "value"), [pair for pair in SCALARS if not pair[0].startswith("!")])
def test_the_command_line_reads_scalars_by_the_same_rules(text, value):
    given, findings = read_override(text, "--set", "key")
    assert findings == []
    assert given.value == value
    assert type(given.value) is type(value)


def test_not_a_number_is_a_float(read):
    assert math.isnan(read("key: .nan")[0]["key"].value)


def test_every_value_knows_its_line_and_its_text(read):
    entries, _ = read("a: 1e-3\n\nb:\n  c:\n    [x,\n     007]\n")
    assert (entries["a"].line, entries["a"].origin, entries["a"].text) == (1, "config.yaml:1", "1e-3")
    inner = entries["b"].value["c"]
    assert (entries["b"].line, inner.line, inner.origin) == (3, 4, "config.yaml:4")
    assert [(item.value, item.text, item.line) for item in inner.value] == [("x", "x", 5), ("007", "007", 6)]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfdata_root: a\nepoch: 3\n",
        b"data_root: a\r\nepoch: 3\r\n",
        b"\xef\xbb\xbfdata_root: a\r\nepoch: 3",
        b"%YAML 1.2\n---\ndata_root: a\nepoch: 3\n...\n",
        b"{data_root: a, epoch: 3}",
    ],
    ids=["BOM", "CRLF", "BOM and CRLF", "directive", "flow"],
)
def test_ways_to_save_a_file_do_not_matter(read, content):
    entries, findings = read(content)
    assert findings == []
    assert {key: given.value for key, given in entries.items()} == {"data_root": "a", "epoch": 3}


def test_anchors_and_merge_keys_work(read):
    entries, findings = read(
        "base: &base {a: 1, b: 2}\n"
        "more: &more {b: 3, c: 4}\n"
        "own: {<<: *base, b: 5}\n"
        "both: {<<: [*base, *more], d: *base}\n"
    )  # fmt: skip
    assert findings == []
    assert {key: given.value for key, given in entries["own"].value.items()} == {"a": 1, "b": 5}
    both = entries["both"].value
    assert (both["a"].value, both["b"].value, both["c"].value) == (1, 2, 4)
    assert both["d"].value["a"].value == 1
    assert both["c"].origin == "config.yaml:2"


def test_what_is_wrong_inside_a_document_is_found_all_at_once(read):
    entries, findings = read(
        "a: 1\n"
        "b:\n"
        "  c: 1\n"
        "  c: 2\n"
        "a: 2\n"
        "d: !!python/object/apply:os.system [ls]\n"
        "e: !thing {x: 1}\n"
        "f: !!int ten\n"
        'g: "\\ud800"\n'
        "h: {<<: 3}\n"
        "[x]: 1\n"
        f"i: {'9' * 5000}\n"
        "j: !!binary aGk=\n"
    )
    assert [str(problem) for _, problem in findings] == [
        "config.yaml:4: b.c: is given twice, first on line 3. Keep one of the two lines.",
        "config.yaml:5: a: is given twice, first on line 1. Keep one of the two lines.",
        "config.yaml:6: d: has a tag, which is not allowed (got '!!python/object/apply:os.system'). "
        "Write the plain value.",
        "config.yaml:7: e: has a tag, which is not allowed (got '!thing'). Write the plain value.",
        "config.yaml:8: f: has a tag, which is not allowed (got '!!int'). Write the plain value.",
        "config.yaml:9: g: contains half a character (got '\\ud800'). Write the character itself.",
        "config.yaml:10: h: merges something that is not a mapping. Name a mapping after `<<:`.",
        "config.yaml:11: has a key that is not a word. Put text that begins with a bracket in quotes.",
        f"config.yaml:12: i: has too many digits (got '{'9' * 57}...'). Write a smaller number.",
        "config.yaml:13: j: has a tag, which is not allowed (got '!!binary'). Write the plain value.",
    ]
    assert [line for line, _ in findings] == list(range(4, 14))
    assert [key for key, given in entries.items() if given.value is REFUSED] == ["d", "e", "f", "g", "i", "j"]


SYNTAX = [
    (
        "a: 1\n\tb: 2\n",
        "config.yaml:2: is not valid YAML: found character '\\t' that cannot start any token (got 'b: 2'). "
        "Use spaces instead of tabs.",
    ),
    (
        "data_root: a: b\n",
        "config.yaml:1: is not valid YAML: mapping values are not allowed here (got 'data_root: a: b'). "
        "Put text that contains a colon in quotes, and check the indentation.",
    ),
    (
        "epoch:5\nnum_class: 3\n",
        "config.yaml:2: is not valid YAML: mapping values are not allowed here (got 'num_class: 3'). "
        "Put text that contains a colon in quotes, and check the indentation.",
    ),
    (
        "num_class: 3\nepoch:5\n",
        "config.yaml:2: is not valid YAML: could not find expected ':' (got 'epoch:5'). "
        "Write `key: value`, with a space after the colon.",
    ),
    (
        "a: 1\nb: 'open\nc: 3\n",
        'config.yaml:2: is not valid YAML: found unexpected end of stream (got "b: \'open"). '
        "Close the quote or bracket that is opened here.",
    ),
    (
        "a: 1\nb: [1, 2\nc: 3\n",
        "config.yaml:3: is not valid YAML: expected ',' or ']', but got ':' (got 'c: 3'). "
        "Close the bracket that is opened here, with commas between its items.",
    ),
    (
        "a: 1\nb: [1, 2\n",
        "config.yaml:2: is not valid YAML: expected ',' or ']', but got '<stream end>' (got 'b: [1, 2'). "
        "Close the bracket that is opened here, with commas between its items.",
    ),
    (
        "model:\n    name: x\n  load_from: y\n",
        "config.yaml:3: is not valid YAML: expected <block end>, but found '<block mapping start>' "
        "(got 'load_from: y'). Indent the keys of one level equally, and close every quote and bracket.",
    ),
    (
        'data_root: "C:\\data"\n',
        "config.yaml:1: is not valid YAML: found unknown escape character 'd' (got 'data_root: \"C:\\\\data\"'). "
        "Put text with backslashes in single quotes.",
    ),
    (
        'a: "\\UFFFFFFFF"\n',
        "config.yaml:1: is not valid YAML: an escape sequence stands for no character (got 'a: \"\\\\UFFFFFFFF\"'). "
        "Put text with backslashes in single quotes.",
    ),
    (
        "data_root: *.avi\n",
        "config.yaml:1: is not valid YAML: expected alphabetic or numeric character, but found '.' "
        "(got 'data_root: *.avi'). Put text that begins with a special character in quotes.",
    ),
    (
        "data_root: *avi\n",
        "config.yaml:1: is not valid YAML: found undefined alias 'avi' (got 'data_root: *avi'). "
        "Put text that begins with * in quotes.",
    ),
    (
        "data_root: @videos\n",
        "config.yaml:1: is not valid YAML: found character '@' that cannot start any token (got 'data_root: @videos'). "
        "Put text that begins with a special character in quotes.",
    ),
    (
        "a: 1\n---\nb: 2\n",
        "config.yaml:2: is not valid YAML: but found another document (got '---'). "
        "Keep only one document: remove the line `---`.",
    ),
    (
        "a: 1\nb: x\x00y\n",
        "config.yaml:2: is not valid YAML: the character U+0000 is not allowed (got 'b: x\\x00y'). "
        "Remove it, and save the file as plain UTF-8 text.",
    ),
    (
        "a: " + "[" * 1000,
        f"config.yaml:1: is not valid YAML: values are nested deeper than {MAX_DEPTH} levels "
        f"(got 'a: {'[' * 54}...'). Write a flatter file.",
    ),
    (
        "- data_root\n- b\n",
        "config.yaml:1: must hold lines of the form `key: value`. Write e.g. `data_root: data/videos`, "
        "with a space after the colon.",
    ),
    (
        "# x\ndata_root:videos\n",
        "config.yaml:2: must hold lines of the form `key: value`. Write e.g. `data_root: data/videos`, "
        "with a space after the colon.",
    ),
    (
        "a: &a [1, *a]\n",
        "config.yaml:1: is a value that contains itself. Write the values out instead of using aliases.",
    ),
]


@pytest.mark.parametrize(("text", "expected"), SYNTAX)
def test_a_syntax_error_names_its_line_and_a_cure(read, text, expected):
    assert refusal_of(read, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 30)),
        "a0: &a0 {k: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 30)),
        "a0: &a0 {k: 1}\n" + "".join(f"a{i}: &a{i} {{x: *a{i - 1}}}\n" for i in range(1, 2000)),
    ],
    ids=["lists", "merges", "chain"],
)
def test_aliases_that_unfold_without_end_are_refused(read, text):
    assert "unfolds to more than 100000 values or 40 levels. Write the values out" in refusal_of(read, text)


def test_a_file_that_is_not_utf8_names_the_byte(read):
    expected = "config.yaml:2: is not UTF-8 text (got byte 0xD6). Save the file as UTF-8."
    assert refusal_of(read, "a: 1\nb: 中".encode("gbk")) == expected


def test_a_file_that_is_too_large_is_not_read(read, tmp_path):
    expected = "config.yaml: is larger than 256 KiB. Put long lists into a file of their own and name its path."
    assert refusal_of(read, b"#" * (MAX_BYTES + 1)) == f"{tmp_path}/{expected}"


def test_a_path_that_is_no_file_is_said_to_be_so(tmp_path):
    missing, pipe, endless = tmp_path / "confg.yaml", tmp_path / "pipe", tmp_path / ("x" * 5000)
    os.mkfifo(pipe)
    no_file = "there is no such file. Name the settings file with -c."
    assert refusal_of(read_yaml, missing) == f"{missing}: {no_file}"
    assert refusal_of(read_yaml, pipe) == f"{pipe}: {no_file}"
    folder = f"{tmp_path}: is a folder. Name the file in it, e.g. {tmp_path / 'config.yaml'}."
    assert refusal_of(read_yaml, tmp_path) == folder
    too_long = f"{endless}: cannot be read: File name too long. Check the path and its permissions."
    assert refusal_of(read_yaml, endless) == too_long
