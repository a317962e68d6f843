"""Frames of a clip at the same times in every video, however many it has a second."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from autox_video.decoding.reader import TIME_TOLERANCE_SECONDS


@TRANSFORMS.register_module()
class SampleAtRate(BaseTransform):
    """Takes the frames that are on the screen so many times a second.

    MMAction2's `SampleFrames(target_fps=...)` counts in frames of the average rate, spreads those of a clip a bit wider
    than asked for, and knows nothing of uneven rates; here the time that each frame is shown at decides.

    Required keys: `video_reader`, `total_frames`, `start_index`. Added keys: `frame_inds` (int32, clip after clip),
    `clip_len`, `frame_interval` (None: it is the video's own), `num_clips`. After the end of a video its last frame is
    repeated.

    Args:
        clip_len: Frames of a clip.
        target_fps: Of them, frames a second.
        num_clips: Clips of a video: at random times, or spread evenly over it.
        test_mode: Whether nothing is left to chance; a single clip is then from the middle.
    """

    def __init__(self, clip_len: int, target_fps: float, num_clips: int = 1, test_mode: bool = False) -> None:
        self.clip_len, self.target_fps = clip_len, target_fps
        self.num_clips, self.test_mode = num_clips, test_mode

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose the frames."""
        first, count = results["start_index"], results["total_frames"]
        times = results["video_reader"].times()[first : first + count]
        times = times - times[0]
        # The last frame is on the screen for as long as the others are on average.
        duration = times[-1] * count / max(1, count - 1)
        room = max(0.0, duration - self.clip_len / self.target_fps)
        if self.test_mode:
            starts = np.linspace(0.0, room, self.num_clips) if self.num_clips > 1 else np.array([room / 2])
        else:
            starts = np.sort(np.random.uniform(0.0, room, self.num_clips))
        wanted = starts[:, None] + np.arange(self.clip_len) / self.target_fps
        shown = np.searchsorted(times, wanted.ravel() + TIME_TOLERANCE_SECONDS, side="right") - 1
        return {
            **results,
            "frame_inds": (first + np.clip(shown, 0, count - 1)).astype(np.int32),
            "clip_len": self.clip_len,
            "frame_interval": None,
            "num_clips": self.num_clips,
        }
