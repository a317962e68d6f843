"""Preview: run the pipelines of the rendered config on a few videos of each class, and keep what comes out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from autox_video.dataset.entries import ids_of
from autox_video.errors import Problem, RunError
from autox_video.plan.schema import Plan
from autox_video.previews import ClassPreview, Clip
from autox_video.progress import progress_bar
from autox_video.runner import components  # noqa: F401  (registers our parts and applies the upstream fixes)
from autox_video.runner.build import quiet_mmengine
from autox_video.tasks import load_task

NO_LABEL = "(no label)"


def preview(config: Config, plan: Plan, num_videos: int, num_draws: int) -> Iterator[ClassPreview]:
    """Draw the clips of each class, one class at a time.

    The same plan gives the same clips each time; the random state of the process is left as it was.

    Args:
        config: As `render_config` returns it for a plan with the splits `train` and `val`.
        plan: Its plan.
        num_videos: Videos of each class and split, evenly spread over its list.
        num_draws: Random draws of each training video.

    Raises:
        RunError: A pipeline gives no clips of uint8 frames.
    """
    splits = ("train", "test" if "test" in plan.ann_files else "val")
    with DefaultScope.overwrite_default_scope("mmaction"), quiet_mmengine():
        datasets = {split: DATASETS.build(config[f"{split}_dataloader"].dataset) for split in splits}
    positions = {split: _by_label(dataset, plan.task) for split, dataset in datasets.items()}
    labels: list[int | None] = list(range(len(plan.classes)))
    if any(None in found for found in positions.values()):
        labels.append(None)
    with progress_bar(len(labels), "drawing clips") as bar:
        for label in labels:
            clips: list[Clip] = []
            for split, dataset in datasets.items():
                for position in _spread(positions[split].get(label, []), num_videos):
                    # A seed of its own for each video: showing more classes or videos changes none of them.
                    with _seeded(plan.seed.value, position), quiet_mmengine():
                        clips += _views(split, dataset, position, plan, num_draws if split == "train" else 1)
            yield ClassPreview(label, NO_LABEL if label is None else plan.classes[label], tuple(clips))
            bar.advance()


def _by_label(dataset: Any, task: str) -> dict[int | None, list[int]]:
    """Positions in the list, by class id; a video with several labels stands under each."""
    found: dict[int | None, list[int]] = {}
    for position in range(len(dataset)):
        for label in _ids(task, dataset.get_data_info(position)["label"]) or (None,):
            found.setdefault(label, []).append(position)
    return found


def _ids(task: str, encoded: Any) -> tuple[int, ...]:
    return ids_of(load_task(task).read_label(np.asarray(encoded).reshape(-1)))


def _spread(positions: Sequence[int], count: int) -> list[int]:
    """Neighbours in a list are often of one recording, so a few are taken from all over it."""
    count = min(count, len(positions))
    return [positions[len(positions) * index // count] for index in range(count)]


@contextmanager
def _seeded(*seed: int) -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(repr(seed))
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _views(split: str, dataset: Any, position: int, plan: Plan, num_draws: int) -> list[Clip]:
    """Every view of one video, or so many random draws of it."""
    clips: list[Clip] = []
    for draw in range(num_draws):
        facts, views = _run(split, dataset, position, plan)
        frames_of = np.asarray(facts["frame_inds"]).reshape(-1, plan.clip_len.value)
        for number, view in enumerate(views):
            # FormatShape puts the crops around the clips: clip 0 of crop 0, clip 1 of crop 0, ...
            inds = frames_of[number % len(frames_of)]
            clips.append(
                Clip(
                    split=split,
                    file=facts["filename"],
                    frames=np.ascontiguousarray(view.transpose(1, 2, 3, 0)),
                    first_frame=int(inds[0]),
                    last_frame=int(inds[-1]),
                    seconds=_seconds(inds, facts.get("avg_fps")),
                    view=(draw if split == "train" else number) + 1,
                    num_views=num_draws if split == "train" else len(views),
                    mirrored=bool(facts.get("flip", False)),
                    labels=_ids(plan.task, facts["told"]),
                )
            )
    return clips


def _run(split: str, dataset: Any, position: int, plan: Plan) -> tuple[Mapping[str, Any], np.ndarray]:
    """The pipeline on one video: what it noted on the way, and its output of shape (M, 3, T, H, W)."""
    results: Any = dataset.get_data_info(position)
    facts: dict[str, Any] = {}
    for transform in dataset.pipeline.transforms:
        results = transform(results)
        facts |= {key: value for key, value in results.items() if key not in ("inputs", "data_samples", "imgs")}
    views = results["inputs"].numpy()
    if views.ndim == 4 and plan.input_format.value == "NCHW":
        views = views.reshape(-1, plan.clip_len.value, *views.shape[1:]).swapaxes(1, 2)
    if views.ndim != 5 or views.shape[1] != 3 or views.dtype != np.uint8:
        wrong = "gives no clips of RGB frames in bytes, so there is nothing to show"
        cure = "Take what changes the pipeline out of cfg_options"
        raise RunError(Problem(f"{split}_dataloader.dataset.pipeline", wrong, cure, f"{views.dtype} {views.shape}"))
    return {**facts, "told": results["data_samples"].gt_label}, views


def _seconds(inds: np.ndarray, fps: float | None) -> float | None:
    if not fps or len(inds) < 2:
        return None
    # The last frame lasts as long as the distance between two.
    return float((inds[-1] - inds[0]) * len(inds) / (len(inds) - 1) / fps)
