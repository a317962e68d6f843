"""Which videos of a run have a proxy, and under which name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autox_video.dataset.annotations import Row, read_rows
from autox_video.dataset.folders import Folders
from autox_video.dataset.probe import VideoFacts, remembered_videos
from autox_video.decoding import FILES
from autox_video.proxies.sizes import BITS_PER_PIXEL, VERSION, frame_size, is_worthwhile, writing_seconds
from autox_video.work_dir import WorkDir
from autox_video.writing import write_text

SPLITS = ("train", "val")
# A video of which pieces of less than this share are used is read as it is: most of its proxy would never be.
LEAST_SHARE_USED = 0.25


@dataclass(frozen=True)
class Proxied:
    """A video that has a proxy, or is to get one.

    Attributes:
        file: The original.
        proxy: The file of its proxy.
        side: The short side of that in pixels.
        frames: How many it has.
    """

    file: str
    proxy: str
    side: int
    frames: int


@dataclass(frozen=True)
class Listing:
    """The proxies of a run.

    Attributes:
        proxied: Each proxy once.
        num_bytes: About what a proxy takes on disk, by its file.
        seconds: About what writing it takes of one core, by its file.
        num_videos: Videos of train and val in all.
        num_pieces: Those left out because too little of them is used.
    """

    proxied: tuple[Proxied, ...]
    num_bytes: Mapping[str, float]
    seconds: Mapping[str, float]
    num_videos: int
    num_pieces: int

    def to_write(self, work_dir: WorkDir) -> list[Proxied]:
        """Those that are not there, and that the run in this work dir has not given up."""
        given_up = read_originals(work_dir.read_as_they_are)
        return [one for one in self.proxied if one.proxy not in given_up and not os.path.exists(one.proxy)]


def list_proxies(work_dir: WorkDir, data_root: str, side: int) -> Listing:
    """Decide which videos of train and val are read from proxies, and write it down in `annotations/proxies.tsv`.

    Those are the files that were opened and are larger than training needs them. A name tells the content of the
    original and how the proxy is made, so a changed video has another one, and runs share what they have in common.

    Args:
        work_dir: Of the run, with its canonical lists.
        data_root: Folder that their relative paths start from.
        side: Short side of a proxy in pixels.
    """
    folders = Folders()
    used: dict[str, list[Row]] = {}
    for split in SPLITS:
        for row in read_rows(work_dir.annotations(split)):
            used.setdefault(row.path, []).append(row)
    files = {path: folders.real(os.path.join(data_root, path)) for path in used}
    known = remembered_videos(set(files.values()), work_dir.probe_cache)
    proxied: dict[str, Proxied] = {}
    num_bytes: dict[str, float] = {}
    seconds: dict[str, float] = {}
    lines, num_pieces = [], 0
    for path, rows in used.items():
        facts = known.get(files[path])
        if facts is None or rows[0].decoder != FILES or not facts.digest:
            continue
        if not is_worthwhile(min(facts.width, facts.height), side):
            continue
        if _share_used(rows, facts) < LEAST_SHARE_USED:
            num_pieces += 1
            continue
        name = str(work_dir.proxies / f"{facts.digest}-{side}px-v{VERSION}.mp4")
        lines.append(f"{path}\t{name}\n")
        proxied.setdefault(name, Proxied(files[path], name, side, facts.num_frames))
        width, height = frame_size(facts.width, facts.height, side)
        num_bytes[name] = facts.num_frames * width * height * BITS_PER_PIXEL / 8
        seconds[name] = writing_seconds(facts.num_frames, facts.width, facts.height, side)
    write_text(work_dir.proxy_list, "".join(lines))
    return Listing(tuple(proxied.values()), num_bytes, seconds, len(used), num_pieces)


def read_proxies(path: Path) -> dict[str, str]:
    """The file of a proxy by the path of its video in the canonical lists; nothing where no list was written."""
    return _read_pairs(path)


def read_originals(path: Path) -> dict[str, str]:
    """Why a proxy could not be written in this run, by its file: its original is read to the end of the run."""
    return _read_pairs(path)


def write_originals(path: Path, reasons: Mapping[str, str]) -> None:
    """Remember what `read_originals` gives."""
    write_text(path, "".join(f"{proxy}\t{reason}\n" for proxy, reason in reasons.items()))


def _read_pairs(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return dict(line.split("\t", 1) for line in text.split("\n") if line)


def _share_used(rows: Iterable[Row], facts: VideoFacts) -> float:
    """The share of a video that its pieces cover, those that overlap counted twice; 1 where it is used whole."""
    whole = facts.duration_seconds
    if not whole or any(row.start_seconds is row.end_seconds is None for row in rows):
        return 1.0
    ends = ((row.start_seconds or 0.0, whole if row.end_seconds is None else row.end_seconds) for row in rows)
    return sum(min(end, whole) - start for start, end in ends) / whole
