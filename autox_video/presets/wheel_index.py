"""Models that MMAction2's wheel lists, found without importing it: its folder `.mim` holds an index and all configs."""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from autox_video.errors import Problem, RequestError

# How a name of the index is told from a preset of ours.
PREFIX = "mmaction::"
RECOGNITION = "recognition"
# What the folders of the index are for. Only the first is classified from frames alone.
OTHER_KINDS = {
    "detection": "says who does what where in a frame",
    "localization": "finds actions in the features of a long video",
    "multimodal": "learns from videos and texts",
    "recognition_audio": "listens to the sound",
    "retrieval": "finds a video to a text",
    "skeleton": "looks at skeletons",
}


@dataclass(frozen=True)
class Entry:
    """A model of the index.

    Attributes:
        name: As the index has it.
        kind: The folder: `recognition` or another.
        collection: What it belongs to, e.g. `SlowFast`.
        paper: URL.
        config: Its config in MMAction2's own words; None where the wheel has none.
        facts: What the index says beside that.
    """

    name: str
    kind: str
    collection: str
    paper: str
    config: Path | None
    facts: Mapping[str, Any]


def entry_names() -> tuple[str, ...]:
    """All recognition models, with the prefix that makes them a model's name."""
    return tuple(sorted(f"{PREFIX}{entry.name}" for entry in _entries().values() if entry.kind == RECOGNITION))


def find_entry(name: str) -> Entry:
    """Look a model up; only names of the index are, never a path.

    Args:
        name: With the prefix.

    Raises:
        RequestError: There is none of that name, or it is for something else than classifying frames.
    """
    entry = _entries().get(name.removeprefix(PREFIX))
    if entry is None:
        close = difflib.get_close_matches(name, entry_names(), n=1, cutoff=0.75)
        cure = f"Did you mean {close[0]!r}" if close else "Run `autox-video models mmaction::` to see which there are"
        raise RequestError(Problem("model.name", "is not in the index of the installed MMAction2", cure, repr(name)))
    if entry.kind != RECOGNITION:
        raise refused(name, f"it {OTHER_KINDS.get(entry.kind, 'does not classify the frames of a video')}")
    return entry


def refused(name: str, why: str) -> RequestError:
    """The error for a model that is in the index and cannot be used.

    Args:
        name: With the prefix.
        why: A sentence without a full stop.
    """
    return RequestError(Problem("model.name", f"cannot be trained here: {why}", "Choose another model", repr(name)))


@lru_cache(maxsize=1)
def _entries() -> dict[str, Entry]:
    """By name; of two of a name the last counts: the first `tsm_imagenet-pretrained-r101` has MobileNetV2's figures."""
    root = _index_folder()
    entries: dict[str, Entry] = {}
    for file in sorted(root.glob("configs/*/*/metafile.yml")):
        index = yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        papers = {part["Name"]: (part.get("Paper") or {}).get("URL", "") for part in index["Collections"]}
        for facts in index["Models"]:
            # Each of these files has one collection; UniFormerV2's calls one of its models a UniFormer.
            collection = next(iter(papers))
            where = _config_of(facts, root)
            kind = file.parent.parent.name
            entries[facts["Name"]] = Entry(facts["Name"], kind, collection, papers[collection], where, facts)
    return entries


def _index_folder() -> Path:
    spec = importlib.util.find_spec("mmaction")
    if spec is None or spec.origin is None:
        wrong, cure = "MMAction2 is not installed", "Run `autox-video doctor` to see what else is missing"
        raise RequestError(Problem("model.name", wrong, cure))
    return Path(spec.origin).parent / ".mim"


def _config_of(facts: Mapping[str, Any], root: Path) -> Path | None:
    """The config of an entry.

    The index writes some without `.py` and one with `.py.py`; gives one the config of another model, where the entry's
    own name has a file; and names one that is found under the name of its weights only.
    """
    folder, written = root / Path(facts["Config"]).parent, re.sub(r"(\.py)*$", "", Path(facts["Config"]).name)
    weights = Path(str(facts.get("Weights"))).parent.name
    files = (folder / f"{stem}.py" for stem in (facts["Name"], written, weights))
    return next((file for file in files if file.is_file()), None)
