"""The product of a bench: what reading clips and training on them was measured to take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A part of what makes a clip of a video file.

    Attributes:
        name: `open`, `sample`, `decode`, `geometry`, `pack`, or `other` for what is done between them.
        seconds: For a clip, on one core; the mean.
        share: Of all stages, which sum to one.
    """

    name: str
    seconds: float
    share: float


@dataclass(frozen=True)
class Timings:
    """What was measured.

    Attributes:
        clips: Clips that the stages are the means of.
        stages: In the order of the pipeline.
        loader_videos: Videos that the planned loader handed over while the clock ran.
        loader_videos_per_second: How fast, while nothing trained.
        step_videos: Videos of a training step: the planned batch, or fewer where a step would have taken too long.
        step_seconds: Seconds of such a step, on clips that lay ready; the median.
        others_videos_per_second: How fast the step is when planned otherwise, by what would be changed.
    """

    clips: int
    stages: tuple[Stage, ...]
    loader_videos: int
    loader_videos_per_second: float
    step_videos: int
    step_seconds: float
    others_videos_per_second: dict[str, float]

    @property
    def clip_seconds(self) -> float:
        """Seconds of one core for a clip."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def step_videos_per_second(self) -> float:
        """Videos a second that the step could take."""
        return self.step_videos / self.step_seconds
