"""Folders of numbered images in the place of video files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping

from autox_video.dataset.entries import Part, Sample
from autox_video.dataset.messages import plural
from autox_video.dataset.probe import VideoFacts
from autox_video.dataset.video_files import is_video_name
from autox_video.decoding import IMAGES
from autox_video.settings.schema import Settings

# So many entries of a list tell whether it names files of which only the frames are there.
ENTRIES_TO_JUDGE = 20


def with_rate(known: Mapping[str, VideoFacts | str], fps: float) -> dict[str, VideoFacts | str]:
    """Answers of `probe_videos`, in which folders of images have the frame rate that is taken for them."""
    return {
        file: _at_rate(facts, fps) if isinstance(facts, VideoFacts) and facts.decoder == IMAGES else facts
        for file, facts in known.items()
    }


def _at_rate(facts: VideoFacts, fps: float) -> VideoFacts:
    duration = round(facts.num_frames / fps, 6)
    return dataclasses.replace(facts, fps=fps, duration_seconds=duration, decoder=f"{IMAGES}@{fps:.10g}")


def miscounted(sample: Sample, found: VideoFacts | str | None) -> VideoFacts | str | None:
    """The facts of a whole video that was opened, or why it is out if its list says another number of frames."""
    if found is None or isinstance(found, str) or sample.num_frames in (None, found.num_frames):
        return found
    cure = "correct the list, or extract them again"
    return f"holds {plural(found.num_frames, 'image')} where the list says {sample.num_frames}: {cure}"


def rate_note(settings: Settings, videos: Iterable[VideoFacts]) -> list[str]:
    """What is said of folders of images to which nobody gave a frame rate.

    Args:
        settings: The rate, and whether it was given.
        videos: What was opened.
    """
    count = sum(facts.decoder.startswith(IMAGES) for facts in videos)
    if not count or "data.image_fps" in settings.origins:
        return []
    what = f"{plural(count, 'video')} in folders of images: {settings.data.image_fps:g} frames a second are assumed"
    return [f"{what}, unless data.image_fps is given"]


def folders_for_files(part: Part, root: str) -> Part:
    """A part in which a file that is gone, but of which a folder of its name without the ending exists, is that folder.

    So the official lists of UCF101, which name `.avi`, fit the frames of its videos.

    Args:
        part: As a format read it.
        root: Folder that its paths start from.
    """
    if not any(_is_folder_instead(entry.path, root) for entry in part.entries[:ENTRIES_TO_JUDGE]):
        return part
    entries = (
        dataclasses.replace(entry, path=os.path.splitext(entry.path)[0])
        if _is_folder_instead(entry.path, root)
        else entry
        for entry in part.entries
    )
    return dataclasses.replace(part, entries=tuple(entries))


def _is_folder_instead(path: str, root: str) -> bool:
    full = os.path.join(root, path)
    return is_video_name(path) and os.path.isdir(os.path.splitext(full)[0]) and not os.path.exists(full)
