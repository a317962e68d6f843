"""Strict YAML: PyYAML's safe loader without its surprises, and every value with its line.

What differs from PyYAML: `1e-3` is a number; only `true` and `false` are truth values, so `no`,
`off` and `y` stay words; `010`, `1:30`, `0x1F`, `1_000` and dates stay text instead of turning into
numbers nobody wrote; keys are always text. A key given twice, a tag, and aliases that unfold without
end are refused.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from autox_video.errors import Problem, RequestError
from autox_video.settings.given import REFUSED, Findings, Given
from autox_video.settings.messages import named, shortened, yaml_cure

# Bounds that no honest settings file comes near; the pure Python parser reads about 100 KiB a second.
MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 40
MAX_VALUES: Final = 100_000

_PREFIX = "tag:yaml.org,2002:"
_STR, _MERGE, _MAP, _SEQ = (f"{_PREFIX}{name}" for name in ("str", "merge", "map", "seq"))
_NUMBER = r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
_WORDS_FOR_FLOATS = {".inf": "inf", ".nan": "nan"}
_NOTICED_LATE = ("end of stream", "<stream end>", "could not find expected ':'")


def _read_float(text: str) -> float:
    sign, rest = ("-", text[1:]) if text[0] == "-" else ("", text.lstrip("+"))
    return float(sign + _WORDS_FOR_FLOATS.get(rest.lower(), rest))


# What a plain scalar means: tag, form, reading. Everything else is text.
_SCALARS: Final[dict[str, tuple[re.Pattern[str], Callable[[str], Any]]]] = {
    f"{_PREFIX}null": (re.compile(r"~|null|Null|NULL|"), lambda text: None),
    f"{_PREFIX}bool": (re.compile(r"(?i:true|false)"), lambda text: text.lower() == "true"),
    f"{_PREFIX}int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), int),
    f"{_PREFIX}float": (re.compile(rf"[-+]?(?:{_NUMBER}|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"), _read_float),
}


def read_yaml(path: Path) -> tuple[dict[str, Given], Findings]:
    """Read a settings file.

    Returns:
        The top-level entries by key, and what is wrong besides (line and problem).

    Raises:
        RequestError: The file cannot be read, or is not a YAML mapping.
    """

    def locate(line: int) -> str:
        return f"{path.name}:{line}"

    root = _compose(_read_text(path), locate)
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == f"{_PREFIX}null"):
        return {}, []
    if not isinstance(root, yaml.MappingNode):
        cure = "Write e.g. `data_root: data/videos`, with a space after the colon"
        raise RequestError(Problem(locate(_line(root)), "must hold lines of the form `key: value`", cure))
    findings: Findings = []
    return _Reader(locate, findings).mapping(root, ""), findings


def read_override(text: str, origin: str, name: str) -> tuple[Given, Findings]:
    """Read one value from the command line by the same rules: a scalar, or a list or mapping in brackets.

    Raises:
        RequestError: It opens a bracket or a quote and is not YAML.
    """

    def locate(line: int) -> str:
        return origin

    node: Any = yaml.ScalarNode(_tag_of(text), text)
    if text.startswith(("[", "{", '"', "'")):
        try:
            node = _compose(text, locate)
        except RequestError as error:
            problems = (dataclasses.replace(problem, where=f"{origin}: {named(name)}") for problem in error.problems)
            raise RequestError(problems) from error
    findings: Findings = []
    given = _Reader(locate, findings).value(node, name)
    return dataclasses.replace(given, line=0), findings


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise RequestError(Problem(str(path), "is a folder", f"Name the file in it, e.g. {path / 'config.yaml'}"))
        if not path.is_file():
            raise RequestError(Problem(str(path), "there is no such file", "Name the settings file with -c"))
        if path.suffix == ".py":
            raise RequestError(Problem(str(path), "is Python code, which is never run", "Name a YAML file with -c"))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        wrong = f"cannot be read: {error.strerror or error}"
        raise RequestError(Problem(str(path), wrong, "Check the path and its permissions")) from error
    if len(data) > MAX_BYTES:
        cure = "Put long lists into a file of their own and name its path"
        raise RequestError(Problem(str(path), f"is larger than {MAX_BYTES // 1024} KiB", cure))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        got = f"byte 0x{data[error.start]:02X}"
        raise RequestError(
            Problem(f"{path.name}:{line}", "is not UTF-8 text", "Save the file as UTF-8", got)
        ) from error


class _Loader(yaml.SafeLoader):
    """Composes nodes with the tags of `_SCALARS`, and stops at `MAX_DEPTH`."""

    depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is yaml.ScalarNode:
            return _tag_of(value) if implicit[0] else _STR
        return super().resolve(kind, value, implicit)

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            too_deep = f"values are nested deeper than {MAX_DEPTH} levels"
            raise yaml.composer.ComposerError(None, None, too_deep, self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _tag_of(text: str) -> str:
    if text == "<<":
        return _MERGE
    return next((tag for tag, (form, _) in _SCALARS.items() if form.fullmatch(text)), _STR)


def _compose(text: str, locate: Callable[[int], str]) -> yaml.Node | None:
    """The node tree of a document, checked to be finite."""

    def refuse(line: int, wrong: str) -> RequestError:
        lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
        content = lines[line - 1].strip() if line <= len(lines) else ""
        # What follows in a URL may be a secret.
        got = shortened(re.sub(r"://\S+", "://...", content)) if content else None
        return RequestError(Problem(locate(line), f"is not valid YAML: {wrong[:200]}", yaml_cure(wrong), got))

    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise refuse(line, f"the character U+{ord(text[error.position]):04X} is not allowed") from error
    except yaml.MarkedYAMLError as error:
        # An unclosed quote or a missing colon is noticed later, and is to be mended where it began.
        at_start = any(words in str(error.problem) for words in _NOTICED_LATE) and error.context_mark is not None
        mark = error.context_mark if at_start else error.problem_mark or error.context_mark
        raise refuse(1 if mark is None else mark.line + 1, str(error.problem)) from error
    except (ValueError, OverflowError) as error:
        line = 1 if loader is None else loader.get_mark().line + 1
        raise refuse(line, "an escape sequence stands for no character") from error
    if node is not None:
        _refuse_endless(node, locate, {})
    return node


def _line(node: yaml.Node) -> int:
    return 1 if node.start_mark is None else node.start_mark.line + 1


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _refuse_endless(
    node: yaml.Node, locate: Callable[[int], str], known: dict[int, tuple[int, int] | None]
) -> tuple[int, int]:
    """Count the values and levels below a node, as if every alias were written out.

    Aliases point backwards, so in document order each target is counted before it is met again,
    or is still being counted, which means that it contains itself.
    """
    if id(node) in known and (counted := known[id(node)]) is not None:
        return counted
    cure = "Write the values out instead of using aliases"
    if id(node) in known:
        raise RequestError(Problem(locate(_line(node)), "is a value that contains itself", cure))
    known[id(node)] = None
    values, depth = 1, 1
    for child in _children(node):
        child_values, child_depth = _refuse_endless(child, locate, known)
        values, depth = values + child_values, max(depth, child_depth + 1)
    if values > MAX_VALUES or depth > MAX_DEPTH:
        wrong = f"unfolds to more than {MAX_VALUES} values or {MAX_DEPTH} levels"
        raise RequestError(Problem(locate(_line(node)), wrong, cure))
    known[id(node)] = values, depth
    return values, depth


@dataclass(frozen=True)
class _Reader:
    """Turns nodes into `Given`, and notes what is wrong with them."""

    locate: Callable[[int], str]
    findings: Findings

    def refuse(self, line: int, name: str, wrong: str, cure: str, got: str | None = None) -> object:
        where = f"{self.locate(line)}: {named(name)}" if name else self.locate(line)
        self.findings.append((line, Problem(where, wrong, cure, got)))
        return REFUSED

    def value(self, node: yaml.Node, name: str) -> Given:
        line = _line(node)
        if isinstance(node, yaml.MappingNode):
            value: Any = self.mapping(node, name) if node.tag == _MAP else self.tagged(node, name)
            text = "a mapping"
        elif isinstance(node, yaml.SequenceNode):
            value = (
                tuple(self.value(item, name) for item in node.value) if node.tag == _SEQ else self.tagged(node, name)
            )
            text = "a list"
        else:
            assert isinstance(node, yaml.ScalarNode)
            value, text = self.scalar(node, name), node.value
        return Given(value, text, self.locate(line), line)

    def tagged(self, node: yaml.Node, name: str) -> object:
        tag = node.tag.replace(_PREFIX, "!!")
        return self.refuse(
            _line(node), name, "has a tag, which is not allowed", "Write the plain value", shortened(tag)
        )

    def scalar(self, node: yaml.ScalarNode, name: str) -> Any:
        text = node.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            wrong = "contains half a character"
            return self.refuse(_line(node), name, wrong, "Write the character itself", shortened(text))
        if node.tag in (_STR, _MERGE):
            return text
        if node.tag not in _SCALARS or not _SCALARS[node.tag][0].fullmatch(text):
            return self.tagged(node, name)
        try:
            return _SCALARS[node.tag][1](text)
        except ValueError:  # Python reads no integer of more than 4300 digits
            return self.refuse(_line(node), name, "has too many digits", "Write a smaller number", shortened(text))

    def mapping(self, node: yaml.MappingNode, name: str) -> dict[str, Given]:
        own: dict[str, Given] = {}
        merged: dict[str, Given] = {}
        for key_node, value_node in node.value:
            line = _line(key_node)
            if key_node.tag == _MERGE:
                # The first of several merged mappings wins, and the mapping's own keys win over all.
                merged = {**self.merged(value_node, name), **merged}
                continue
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in (_STR, *_SCALARS):
                self.refuse(line, name, "has a key that is not a word", "Put text that begins with a bracket in quotes")
                continue
            inner = f"{name}.{key_node.value}" if name else key_node.value
            if key_node.value in own:
                first = own[key_node.value].line
                self.refuse(line, inner, f"is given twice, first on line {first}", "Keep one of the two lines")
                continue
            given = self.value(value_node, inner)
            own[key_node.value] = dataclasses.replace(given, origin=self.locate(line), line=line)
        return {**merged, **own}

    def merged(self, node: yaml.Node, name: str) -> dict[str, Given]:
        entries: dict[str, Given] = {}
        for source in node.value if isinstance(node, yaml.SequenceNode) else (node,):
            if isinstance(source, yaml.MappingNode) and source.tag == _MAP:
                entries = {**self.mapping(source, name), **entries}
            else:
                self.refuse(_line(source), name, "merges something that is not a mapping", "Name a mapping after `<<:`")
        return entries
