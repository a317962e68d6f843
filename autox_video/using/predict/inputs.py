"""What a user names to have predicted, as one list of videos: files, folders, globs, lists, URLs, standard input."""

from __future__ import annotations

import dataclasses
import glob
import os
import re
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlparse

from autox_video.dataset.annotations import canonical_path
from autox_video.dataset.classes import find_classes
from autox_video.dataset.entries import Entry, Label, Part
from autox_video.dataset.formats import read_source
from autox_video.dataset.messages import in_short, missing_path, plural, shorten
from autox_video.dataset.multi_label import MULTI, labels_of, separated
from autox_video.dataset.sources import Source
from autox_video.dataset.video_files import as_text, find_videos, is_image_folder, is_video_name, natural_key
from autox_video.errors import Problem, RequestError
from autox_video.settings.load import load_settings

STANDARD_INPUT = "-"
LIST_ENDINGS = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".lst", ".list")
_URL = re.compile(r"https?://", re.IGNORECASE)
_STREAM = re.compile(r"(rtsps?|rtmps?|udp|tcp|srt|rtp)://", re.IGNORECASE)


Key = tuple[str, float | None, float | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Video:
    """One video to predict.

    Attributes:
        file: Its absolute path, or its URL.
        name: How the results call it: relative to their `data_root`, absolute, or the URL.
        label: True class id, or ids where videos have several labels; None where it is not known.
        start_seconds: Where the piece that counts begins; None for the whole video.
        end_seconds: Where it ends.
    """

    file: str
    name: str
    label: Label | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None

    @property
    def key(self) -> Key:
        """What it is known by: a video is predicted once, however often it is named."""
        return key_of(self.file, self.start_seconds, self.end_seconds)


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Everything that was named, in a stable order, each video once.

    Attributes:
        data_root: Folder that the names of the videos start from.
        videos: What to predict; without labels until `with_labels` has read them.
        entries: Of the videos that a list named, its line, by their keys.
        notes: What a person should know of the reading.
        folders: Those that were searched for videos.
    """

    data_root: str
    videos: tuple[Video, ...]
    entries: Mapping[Key, Entry]
    notes: tuple[str, ...]
    folders: tuple[str, ...]


def key_of(file: str, start_seconds: float | None, end_seconds: float | None) -> Key:
    """What a video is known by, also in a file: its name as text, and the piece of it."""
    return as_text(file), start_seconds, end_seconds


def is_url(text: str) -> bool:
    """Whether a video is to be downloaded."""
    return _URL.match(text) is not None


def path_in(file: str) -> str:
    """The path of a file, or that in a URL, as a relative one."""
    # No file is called by a name with a NUL in it, as a URL may have one.
    return (unquote(urlparse(file).path).replace("\0", "") if is_url(file) else file).lstrip("/")


def stream_of(given: Sequence[str]) -> str | None:
    """The camera or stream that is named, in FFmpeg's words; None where files are named.

    Raises:
        RequestError: A stream is named beside something else.
    """
    streams = [found for text in given if (found := _stream(text)) is not None]
    if not streams:
        return None
    if len(given) > 1:
        cure = "Name the stream alone; start a second command for the rest"
        raise RequestError(
            Problem("INPUT", "a stream never ends, so nothing can come beside it", cure, in_short(given))
        )
    return streams[0]


def find_inputs(given: Sequence[str], data_root: Path | None = None) -> Inputs:
    """List the videos that a user names; no video is opened.

    Args:
        given: Files, folders (searched through), globs, lists, http(s) URLs, or `-` for a list on standard input.
        data_root: Folder that the paths in lists start from; None: the folder of each list, and of standard input
            the current one.

    Raises:
        RequestError: Something that is named does not exist, or holds no video; all of it is told together.
    """
    finding = _Finding(data_root)
    for text in given:
        finding.add(text)
    if finding.problems:
        raise RequestError(shorten(finding.problems))
    found: dict[Key, Video] = {}
    root = finding.roots[0] if len(given) == 1 and len(finding.roots) == 1 else os.getcwd()
    for file, entry in finding.found:
        piece = (entry.start_seconds, entry.end_seconds) if entry else (None, None)
        found.setdefault(key_of(file, *piece), Video(file, as_text(_name(file, root)), None, *piece))
    notes = list(finding.notes)
    if again := len(finding.found) - len(found):
        notes.append(f"{plural(again, 'video')} named more than once, and taken once")
    if finding.passed_over:
        kinds = in_short([f"{kind or 'no ending'} {count}" for kind, count in finding.passed_over.most_common()])
        notes.append(f"{plural(finding.passed_over.total(), 'file')} passed over, by their endings no videos ({kinds})")
    entries = {key_of(file, entry.start_seconds, entry.end_seconds): entry for file, entry in finding.found if entry}
    return Inputs(root, tuple(found.values()), entries, tuple(notes), tuple(finding.folders))


def with_labels(inputs: Inputs, classes: tuple[str, ...], task: str) -> Inputs:
    """The same with the labels of lists read against the classes of a model.

    Raises:
        RequestError: A label is none of the classes; all such lines are told together.
    """
    entries = [entry for entry in inputs.entries.values() if entry.label is not None]
    if not entries:
        return inputs
    part = Part(tuple(entries), "the lists", named=False)
    settings = load_settings(None, values={"data_root": inputs.data_root})
    parts = separated({"test": part}) if task == MULTI else {"test": part}
    known = find_classes(settings, classes, parts)
    labels, wrong = labels_of(part, known, task)
    if problems := [*known.problems, *wrong]:
        way_out = "; or add --ignore-labels"
        raise RequestError(shorten(dataclasses.replace(one, cure=one.cure + way_out) for one in problems))
    of_entry = {id(entry): label for entry, label in zip(entries, labels, strict=True)}
    videos = (
        dataclasses.replace(video, label=of_entry.get(id(inputs.entries.get(video.key)))) for video in inputs.videos
    )
    return dataclasses.replace(inputs, videos=tuple(videos))


class _Finding:
    """What has been found so far.

    Attributes:
        found: Files or URLs, each with its line where a list names it.
        roots: The folders that were searched and those that lists start from.
        folders: The former alone.
        passed_over: Files that are no videos by their endings, counted by these.
        notes: What to tell.
        problems: What is wrong.
    """

    def __init__(self, data_root: Path | None) -> None:
        self._data_root = data_root
        self.found: list[tuple[str, Entry | None]] = []
        self.roots: list[str] = []
        self.folders: list[str] = []
        self.passed_over: Counter[str] = Counter()
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def add(self, text: str) -> None:
        """One argument."""
        path = os.path.expanduser(text)
        if text == STANDARD_INPUT:
            self._add_standard_input()
        elif is_url(text):
            self.found.append((text, None))
        elif os.path.isdir(path):
            self._add_folder(path)
        elif os.path.lexists(path):
            if path.casefold().endswith(LIST_ENDINGS):
                self._add_list(Path(path), self._data_root or Path(path).absolute().parent)
            else:
                self.found.append((os.path.abspath(path), None))
        elif glob.has_magic(path):
            self._add_glob(text, path)
        else:
            cure = "Name a video, a folder, a list, a quoted pattern or an http(s) URL"
            self.problems.append(missing_path("INPUT", Path(path).absolute(), cure))

    def _add_folder(self, folder: str) -> None:
        root = os.path.abspath(folder)
        self.roots.append(root)
        self.folders.append(root)
        videos = find_videos(Path(root))
        if not videos.paths and is_image_folder(root):
            self.found.append((root, None))
            return
        self.passed_over += videos.other_endings
        self.notes += [f"a folder cannot be listed: {closed}" for closed in videos.closed_folders]
        self.found += [(os.path.join(root, path), None) for path in videos.paths]
        if not videos.paths:
            cure = "Name a folder with videos in it or below it"
            self.problems.append(Problem("INPUT", "is a folder without a video", cure, folder))

    def _add_glob(self, text: str, pattern: str) -> None:
        matches = sorted(glob.glob(pattern, recursive=True), key=natural_key)
        if not matches:
            self.problems.append(Problem("INPUT", "no file fits the pattern", "Correct the pattern", text))
        for match in matches:
            if os.path.isdir(match):
                # Of `videos/*` the folders are meant as well, of `videos/**` they come by themselves.
                if "**" not in pattern:
                    self._add_folder(match)
            elif is_video_name(match):
                self.found.append((os.path.abspath(match), None))
            else:
                self.passed_over[os.path.splitext(match)[1].casefold()] += 1

    def _add_standard_input(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "standard_input"
            path.write_bytes(sys.stdin.buffer.read())
            self._add_list(path, self._data_root or Path.cwd())

    def _add_list(self, path: Path, root: Path) -> None:
        if not root.is_dir():
            self.problems.append(missing_path("--data-root", root, "Name the folder that the paths start from"))
            return
        root = root.absolute()
        self.roots.append(str(root))
        settings = load_settings(None, values={"data_root": str(root), "ann_file_test": str(path)})
        listing = read_source(Source(settings, "test", path.absolute(), dict), ["test"])
        self.problems += listing.problems
        self.notes += listing.notes
        entries = listing.parts["test"].entries if "test" in listing.parts else ()
        if not entries and not listing.problems:
            cure = "Write one path a line"
            self.problems.append(Problem("INPUT", "is a list without a video", cure, str(path)))
        self.found += ((_listed(entry.path, str(root)), entry) for entry in entries)


def _listed(path: str, root: str) -> str:
    """The file of a path in a list, or the URL."""
    return path if is_url(path) else os.path.normpath(os.path.join(root, canonical_path(path, root)))


def _name(file: str, root: str) -> str:
    """How results call a file."""
    return file[len(root) :].lstrip("/") if file.startswith(root.rstrip("/") + "/") else file


def _stream(text: str) -> str | None:
    """A camera by its number or device, a stream by its URL, or a named pipe; None of anything else."""
    if _STREAM.match(text):
        return text
    try:
        mode = os.stat(text).st_mode
    except (OSError, ValueError):
        return f"/dev/video{int(text)}" if text.isascii() and text.isdecimal() else None
    return text if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) else None
