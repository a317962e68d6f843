"""Read `config.yaml`, the command line and Python arguments into one validated `Settings`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.settings.given import REFUSED, Findings, Given, Refused, given_from_python
from autox_video.settings.messages import complaint, unknown_key
from autox_video.settings.schema import KEYS, SECTIONS, SHORTHANDS, Settings
from autox_video.settings.values import absolute, is_left_out, merge_options, option_entries, read_value
from autox_video.settings.yaml_source import read_override, read_yaml

_OPTIONS = "cfg_options"

# Somebody else's file can be wrong in every line; nobody reads further than this.
MAX_PROBLEMS = 100


@dataclass(frozen=True)
class _Source:
    """What one place gives: entries by top-level key, a key possibly more than once."""

    entries: Sequence[tuple[str, Given]]
    base: Path
    findings: Findings


def load_settings(
    path: str | os.PathLike[str] | None,
    overrides: Sequence[str] = (),
    *,
    values: Mapping[str, Any] | None = None,
    work_dir: str | os.PathLike[str] | None = None,
) -> Settings:
    """Read and check everything the user asked; later sources win over earlier ones.

    Args:
        path: The YAML file, or None. Its relative paths start from its own folder.
        overrides: `key=value` from `--set`, with dotted keys. Relative paths start from the current folder.
        values: The same keys from Python, nested or dotted; None is what a key without a value is in
            the file. Relative paths start from the current folder.
        work_dir: Replaces the key `work_dir`; starts from the current folder.

    Returns:
        Settings with absolute paths and every default filled in.

    Raises:
        RequestError: With every problem that was found, those of the file by line.
    """
    file = None if path is None else Path(os.path.abspath(path))
    sources = [] if file is None else [_file_source(file)]
    sources += [_python_source(values or {}), *map(_override_source, overrides), _work_dir_source(work_dir)]
    chosen: dict[str, Any] = {}
    origins: dict[str, str] = {}
    problems: list[Problem] = []
    work_dir_of_file: Path | None = None
    results_origin: str | None = None
    for source in sources:
        findings = list(source.findings)
        for name, given in _known_entries(source, findings):
            if len(findings) > MAX_PROBLEMS:
                break
            try:
                _take(name, given, source.base, chosen, origins)
            except Refused as error:
                findings += error.findings
        problems += [problem for _, problem in sorted(findings, key=itemgetter(0))]
        if file is not None and source is sources[0]:
            work_dir_of_file, results_origin = chosen.get("work_dir"), origins.get("test_results_path")
    where = "fit()" if file is None else file.name
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [Problem(where, f"has more problems than these {MAX_PROBLEMS}", "Mend these first")]
    elif "data_root" not in origins:
        cure = f"Name the folder of the videos, e.g. `data_root: {KEYS['data_root'].example}`"
        problems.append(Problem(f"{where}: data_root", "is missing", cure))
    if problems:
        raise RequestError(dict.fromkeys(problems))
    if origins.get("test_results_path") == results_origin:
        _take_results_along(work_dir_of_file, chosen)
    return _build(chosen, origins, file)


def _file_source(file: Path) -> _Source:
    entries, findings = read_yaml(file)
    return _Source(list(entries.items()), file.parent, findings)


def _python_source(values: Mapping[str, Any]) -> _Source:
    entries = [_nested(name, given_from_python(value, "fit()")) for name, value in values.items()]
    return _Source(entries, Path.cwd(), [])


def _override_source(text: str) -> _Source:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name:
        problem = Problem("--set", "must be key=value", "Write e.g. --set epoch=10", repr(text))
        return _Source([], Path.cwd(), [(0, problem)])
    try:
        given, findings = read_override(value, "--set", name)
    except RequestError as error:
        given, findings = Given(REFUSED, value, "--set"), [(0, problem) for problem in error.problems]
    return _Source([_nested(name, given)], Path.cwd(), findings)


def _work_dir_source(work_dir: str | os.PathLike[str] | None) -> _Source:
    given = given_from_python(work_dir, "--work-dir")
    return _Source([] if work_dir is None else [("work_dir", given)], Path.cwd(), [])


def _nested(name: str, given: Given) -> tuple[str, Given]:
    """A dotted key as a section holding one key."""
    head, dot, rest = name.partition(".")
    if dot and (head in SECTIONS or head == _OPTIONS):
        return head, Given({rest: given}, "a mapping", given.origin)
    return name, given


def _known_entries(source: _Source, findings: Findings) -> Iterator[tuple[str, Given]]:
    """The entries by dotted key; what is no key becomes a finding."""
    for name, given in source.entries:
        if name in KEYS and "." not in name:
            yield name, given
        elif name not in SECTIONS:
            findings.append((given.line, unknown_key("", name, given)))
        elif isinstance(given.value, dict):
            for inner, item in given.value.items():
                if f"{name}.{inner}" in KEYS:
                    yield f"{name}.{inner}", item
                else:
                    findings.append((item.line, unknown_key(name, inner, item)))
        elif name in SHORTHANDS and isinstance(given.value, (str, int, float)):
            yield f"{name}.{SHORTHANDS[name]}", given
        elif given.value is not None and given.value is not REFUSED:
            first = next(key for key in KEYS if key.startswith(f"{name}."))
            cure = f"Write its keys indented below `{name}:`, e.g. `{first.rpartition('.')[2]}: {KEYS[first].example}`"
            findings.append((given.line, complaint(name, given, "must hold keys of its own", cure)))


def _take(name: str, given: Given, base: Path, chosen: dict[str, Any], origins: dict[str, str]) -> None:
    """Let one value replace what earlier sources gave for its key."""
    key = KEYS[name]
    origins[name] = given.origin
    if given.value is REFUSED:
        return
    if is_left_out(key, given):
        chosen.pop(name, None)
        return
    value = read_value(name, key, given, base)
    if name == _OPTIONS:
        value = merge_options(chosen.get(name, {}), value)
        origins.update({f"{name}.{option}": item.origin for option, item in option_entries(given)})
    chosen[name] = value


def _take_results_along(old: Path | None, chosen: dict[str, Any]) -> None:
    """Results that a file puts into its `work_dir` follow to another one: else they would replace those of that run."""
    results = chosen.get("test_results_path")
    if old and results and results.is_relative_to(old):
        chosen["test_results_path"] = chosen.get("work_dir", old) / results.relative_to(old)


def _build(chosen: dict[str, Any], origins: dict[str, str], file: Path | None) -> Settings:
    base = Path.cwd() if file is None else file.parent
    values = {name: chosen.get(name, key.default) for name, key in KEYS.items()}
    values["work_dir"] = absolute(str(values["work_dir"]), base)
    # Results that were given no place of their own belong to the run.
    values["test_results_path"] = absolute(str(values["test_results_path"]), values["work_dir"])
    sections = {
        section: kind(
            **{name.partition(".")[2]: value for name, value in values.items() if name.startswith(f"{section}.")}
        )
        for section, kind in SECTIONS.items()
    }
    top = {name: value for name, value in values.items() if "." not in name}
    known = {*KEYS, *(f"{_OPTIONS}.{option}" for option in top[_OPTIONS])}
    origins = {name: origin for name, origin in origins.items() if name in known}
    return Settings(**top, **sections, config_path=file, origins=origins)
