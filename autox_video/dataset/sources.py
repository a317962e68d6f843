"""What a format reads: a list or folder of lists that somebody named, or the folder of the videos itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path

from autox_video.dataset.entries import SPLITS, Entry, Listing
from autox_video.dataset.list_lines import encoding_of, read_text
from autox_video.dataset.messages import in_short, list_name, plural, setting_place
from autox_video.dataset.video_files import videos_by_stem
from autox_video.errors import Problem
from autox_video.settings.schema import Settings

# Enough to know a format by; the whole of a list may be a hundred megabytes.
HEAD_BYTES = 65_536

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# Words that stand for a split in a column only: a folder of that name may as well be a class.
SPLIT_WORDS = {**SPLIT_NAMES, "validate": "val", "dev": "val"}


@dataclass(frozen=True)
class Source:
    """One place to read from.

    Attributes:
        settings: All settings.
        split: The split whose `ann_file_...` names it; None for the folder of the videos.
        path: The list or folder.
        stems: The videos under `data_root` by their names without folder and ending; looked for when first asked.
    """

    settings: Settings
    split: str | None
    path: Path
    stems: Callable[[], Mapping[str, Sequence[str]]]

    @property
    def root(self) -> str:
        """The folder of the videos."""
        return str(self.settings.data_root)

    @cached_property
    def name(self) -> str:
        """How messages call the list."""
        return list_name(self.settings, self.split) if self.split else self.path.name

    @property
    def where(self) -> str:
        """How messages call the setting that names it."""
        return setting_place(self.settings, f"ann_file_{self.split}" if self.split else "data_root")

    @cached_property
    def is_list(self) -> bool:
        """Whether it is a list: a file, and not the folder of the videos."""
        return self.split is not None and self.path.is_file()

    @cached_property
    def head(self) -> str:
        """The beginning of a list; empty where it is none, or cannot be read."""
        if not self.is_list:
            return ""
        return read_head(self.path)

    def given_elsewhere(self, split: str) -> bool:
        """Whether another list is named for a split."""
        file = getattr(self.settings, f"ann_file_{split}")
        return split != self.split and file is not None and file != self.path


def sources_of(settings: Settings) -> list[Source]:
    """Everything the settings name, the folder of the videos only where no training list is given."""
    stems = cache(partial(videos_by_stem, settings.data_root))
    files = {split: getattr(settings, f"ann_file_{split}") for split in SPLITS}
    listed = [Source(settings, split, file, stems) for split, file in files.items() if file is not None]
    return listed if files["train"] else [Source(settings, None, settings.data_root, stems), *listed]


def read_head(file: Path) -> str:
    """The beginning of a text file, without what is no text; empty where it cannot be read."""
    try:
        with open(file, "rb") as opened:
            raw = opened.read(HEAD_BYTES)
    except OSError:
        return ""
    return raw.decode(encoding_of(raw), "ignore")


def unlabelled(entries: Sequence[Entry], split: str) -> list[Problem]:
    """Entries without a label, in a split that needs one on every line or has them on other lines."""
    bare = [entry for entry in entries if entry.label is None]
    if split == "test" and len(bare) == len(entries):
        return []
    cure = "Write the class after the path"
    if split == "test":
        cure += ", or take the labels from all lines"
    return [Problem(entry.where, "has no label", cure, repr(entry.path)) for entry in bare]


def find_by_stem(source: Source, stem: str, where: str, folders: Sequence[str]) -> str | Problem | None:
    """The video under `data_root` with a name but for its folder and ending; None where there is none.

    Args:
        source: Where to look.
        stem: The name.
        where: For the problem of having found several.
        folders: Names of folders that are preferred, after `data_root` itself, where there are several.
    """
    found = source.stems().get(stem, ())
    for names in ([""], folders):
        if len(found) > 1:
            found = [path for path in found if os.path.basename(os.path.dirname(path)) in names] or found
    if len(found) > 1:
        return Problem(where, "fits several videos", "Keep one of them in data_root", in_short(found))
    return found[0] if found else None


def read_own(source: Source, splits: Collection[str]) -> tuple[str, str] | Listing:
    """The split that a list is named for and its text; a listing without videos where nobody asks, or it is no text."""
    if source.split is None or source.split not in splits:
        return Listing({})
    text = read_text(source.path, source.name)
    return Listing({}, (), (text,)) if isinstance(text, Problem) else (source.split, text)


def comments_note(source: Source, num_comments: int) -> tuple[str, ...]:
    """What is said of comments in a list."""
    if not num_comments:
        return ()
    return (f"{source.name}: {plural(num_comments, 'line')} beginning with # left out as comments",)
