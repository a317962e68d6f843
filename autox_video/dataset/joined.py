"""Several data sets read as one, joined by class name."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Collection, Mapping, Sequence

from autox_video.dataset.entries import SPLITS, UNDIVIDED, Entry, Listing, Part
from autox_video.dataset.formats import read_listing
from autox_video.dataset.messages import in_short
from autox_video.errors import Problem
from autox_video.settings.schema import Settings

_NUMBERS = re.compile(r"[+-]?[0-9]+([\s,;]+[0-9]+)*")


def read_all(settings: Settings, splits: Collection[str]) -> Listing:
    """Read `data_root` and its lists, and every data set of `more_data`.

    Args:
        settings: Where lists and videos are.
        splits: See `read_listing`.
    """
    listings = [read_listing(settings, splits)]
    for source in settings.more_data:
        paths = {item.name: getattr(source, item.name) for item in dataclasses.fields(source)}
        listing = read_listing(dataclasses.replace(settings, **paths), splits)
        root = str(source.data_root)
        parts = {split: _from_root(part, root) for split, part in listing.parts.items()}
        listings.append(dataclasses.replace(listing, parts=parts))
    return listings[0] if len(listings) == 1 else _join(settings, listings)


def _from_root(part: Part, root: str) -> Part:
    """A part whose paths do not depend on `data_root`."""
    entries = (dataclasses.replace(entry, path=os.path.join(root, entry.path)) for entry in part.entries)
    return dataclasses.replace(part, entries=tuple(entries))


def _join(settings: Settings, listings: Sequence[Listing]) -> Listing:
    notes = [note for listing in listings for note in listing.notes]
    problems = [problem for listing in listings for problem in listing.problems]
    found = [dict(listing.parts) for listing in listings]
    # One undivided folder beside given splits cannot be divided alone: it is all for training.
    if any("train" in parts for parts in found):
        for parts in found:
            if (undivided := parts.pop(UNDIVIDED, None)) is not None:
                parts["train"] = undivided
                notes.append(f"all of {undivided.source} is for training, since another data set has its own splits")
    joined: dict[str, Part] = {}
    for split in (*SPLITS, UNDIVIDED):
        if having := [parts[split] for parts in found if split in parts]:
            joined[split] = _join_parts(having)
            notes += _not_of_all(split, having, found)
            problems += [problem for part in having for problem in _numbered(part)]
    return Listing(joined, tuple(notes), tuple(problems))


def _join_parts(parts: Sequence[Part]) -> Part:
    # An order of classes that only some of the data sets state is no order of all classes.
    stated = [part.classes for part in parts]
    return Part(
        entries=tuple(entry for part in parts for entry in part.entries),
        source=" and ".join(part.source for part in parts),
        named=all(part.named for part in parts),
        classes=tuple(dict.fromkeys(name for names in stated for name in names)) if all(stated) else (),
    )


def _not_of_all(split: str, having: Sequence[Part], found: Sequence[Mapping[str, Part]]) -> list[str]:
    """What is said of val or test where some of the data sets have none."""
    if split not in ("val", "test") or len(having) == len(found):
        return []
    return [f"{split} is of {in_short([part.source for part in having])} alone: the other data sets have none"]


def _numbered(part: Part) -> list[Problem]:
    """Labels that are numbers, which in another data set are other classes."""
    if part.named:
        return []
    cure = "Write the name of the class, since several data sets are joined by class name"
    numbered: list[Entry] = [entry for entry in part.entries if entry.label and _NUMBERS.fullmatch(entry.label)]
    return [Problem(entry.where, "has a number for a label", cure, entry.label) for entry in numbered]
