"""`autox-video embed`: what a trained model sees in each video, as a vector of features."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autox_video.dataset.annotations import Row, read_rows
from autox_video.dataset.entries import SPLITS, ids_of
from autox_video.dataset.facts import Fingerprint
from autox_video.dataset.messages import in_short, plural
from autox_video.dataset.video_files import as_text
from autox_video.decoding import FILES, IMAGES, open_video
from autox_video.errors import Problem, RequestError, RunError
from autox_video.extras import check_packages
from autox_video.features import Features, read_features, write_features, write_parquet
from autox_video.progress import progress_bar
from autox_video.records import read_record
from autox_video.settings.schema import Settings
from autox_video.stopping import stoppable
from autox_video.tasks import load_task
from autox_video.work_dir import WorkDir

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor

logger = logging.getLogger(__name__)
# Split, or an empty text, and the row.
Listed = tuple[str, Row]
# One that cannot be read, with the reason.
Bad = tuple[str, Row, str]


@stoppable()
def embed(
    predictor: Predictor, listed: Sequence[Listed], bad: Iterable[Bad] = (), workers: int | None = None
) -> Features:
    """Compute the features of videos.

    Args:
        predictor: The model.
        listed: The videos, each with its split; relative paths start from the data root of the model's plan.
        bad: Videos that are known to be unreadable, and so not in `listed`.
        workers: Processes that decode; None for what the machine has.

    Returns:
        One row for each video that can be read, in their order; the others are named in it with the reason.

    Raises:
        RunError: No video can be read.
    """
    from autox_video.runner.predicting import score_videos

    root = predictor.trained.plan.data_root

    def clips_of(number: int) -> Any:
        row = listed[number][1]
        return predictor.clips_of(
            open_video(os.path.join(root, row.path), row.decoder), row.start_seconds, row.end_seconds
        )

    vectors: list[np.ndarray] = []
    positions: list[int] = []
    bad = list(bad)
    with progress_bar(len(listed), "embedding") as bar:
        found = score_videos(predictor, range(len(listed)), clips_of, num_workers=workers, compute=predictor.features)
        for number, vector in found:
            if isinstance(vector, str):
                bad.append((*listed[number], vector))
            else:
                vectors.append(vector)
                positions.append(number)
            bar.advance()
    if bad:
        some = in_short([f"{row.path} ({reason})" for _, row, reason in bad])
        logger.warning("warning  %s cannot be read, and named as bad_files: %s", plural(len(bad), "video"), some)
    if not vectors:
        cure = "Run `autox-video check`, which says of every video what is wrong"
        raise RunError(Problem("embed", f"none of {plural(len(listed), 'video')} can be read", cure))
    return _table(predictor, [listed[at] for at in positions], np.stack(vectors), bad)


def embed_to_files(
    settings: Settings | None,
    model: Path | None,
    inputs: Sequence[str] = (),
    split: str | None = None,
    output: Path | None = None,
    parquet: Path | None = None,
    *,
    device: str = "auto",
    plugins: Sequence[str] = (),
    workers: int | None = None,
) -> list[str]:
    """Compute features and write them.

    Args:
        settings: Of a run whose best model is used; None where `model` is given.
        model: A model: see `open_predictor`.
        inputs: Videos and folders of videos; none for those of the run.
        split: Of the run's videos: `train`, `val`, `test` or `all`.
        output: The .npz; None for one in the work dir, or in the current folder where `inputs` are given.
        parquet: Where to write the same as a table; None for nowhere.
        device: Where `model` is given, what to compute on.
        plugins: Where `model` is given, those that it was trained with.
        workers: Processes that decode; None for what the machine has.

    Returns:
        What was written, in lines.

    Raises:
        RequestError: Both videos and a split are named, a package is missing, or there is no such model or list.
    """
    if inputs and split:
        cure = "Name videos, or a split of the run"
        raise RequestError(Problem("embed", "is given videos and a split", cure, f"--split {split}"))
    if parquet is not None:
        check_packages("--parquet", "pyarrow")
    if model is None:
        assert settings is not None, "one of the two is given"
        model, device, plugins = settings.work_dir, settings.runtime.device, settings.plugins
    from autox_video.runner.predictor import open_predictor

    predictor = open_predictor(model, device, None, plugins)
    work_dir = WorkDir(model if model.is_dir() else model.parent)
    if inputs:
        features = embed(predictor, videos_of(inputs), workers=workers)
        output = output or Path("features.npz")
    elif split in (None, "all") and output is None:
        features, output = features_of_run(work_dir, predictor, workers), work_dir.features
    else:
        splits = SPLITS if split in (None, "all") else (split,)
        features = embed(predictor, *rows_of_run(work_dir, splits), workers)
        output = output or work_dir.features.with_name(f"features_{split}.npz")
    if output != work_dir.features:
        write_features(features, output)
    told = [f"features {output}: {len(features)} videos, {features.features.shape[1]} numbers each"]
    if parquet is not None:
        write_parquet(features, parquet)
        told.append(f"table    {parquet}")
    return told


def rows_of_run(work_dir: WorkDir, splits: Sequence[str] = SPLITS) -> tuple[list[Listed], list[Bad]]:
    """The videos that a run was trained, validated and tested on, and those that could not be read then.

    Args:
        work_dir: Of the run.
        splits: Which of them; one of several that has no list is passed over.

    Raises:
        RequestError: There is no list of what is asked for.
    """
    listed: list[Listed] = []
    for split in splits:
        kept = work_dir.list_of_run(split)
        path = kept if kept.is_file() else work_dir.annotations(split)
        if path.is_file():
            listed += [(split, row) for row in read_rows(path)]
    if not listed:
        wrong = f"has no list of its {' or '.join(splits)} videos"
        raise RequestError(Problem(str(work_dir.root), wrong, "Name the work_dir of a training, or videos"))
    known = {(split, row.path, row.start_seconds, row.end_seconds) for split, row in listed}
    bad: list[Bad] = []
    if work_dir.fingerprint.is_file():
        for video in read_record(work_dir.fingerprint, Fingerprint).bad_videos:
            key = (video.split, video.path, video.start_seconds, video.end_seconds)
            if video.split in splits and key not in known:
                row = Row(video.path, video.label, FILES, video.start_seconds, video.end_seconds)
                bad.append((video.split, row, video.reason))
    return listed, bad


def features_of_run(work_dir: WorkDir, predictor: Predictor, workers: int | None = None) -> Features:
    """The features of all videos of a run; computed and written where they are not there, or of another model."""
    listed, bad = rows_of_run(work_dir)
    if work_dir.features.is_file():
        try:
            known = read_features(work_dir.features)
        except RunError:
            known = None  # not whole: it is written anew
        if known is not None and _is_of(known, predictor, listed):
            return known
    features = embed(predictor, listed, bad, workers)
    write_features(features, work_dir.features)
    return features


def videos_of(inputs: Sequence[str]) -> list[Listed]:
    """The videos that a user names.

    Args:
        inputs: Files, folders, patterns and lists, as `autox-video predict` takes them, but no URL.

    Raises:
        RequestError: Something of it does not exist, or holds no video.
    """
    from autox_video.using.predict.inputs import find_inputs, is_url

    if urls := [text for text in inputs if is_url(text)]:
        raise RequestError(Problem("INPUT", "is a URL", "Download it, and name the file", in_short(urls)))
    found = find_inputs(inputs)
    for note in found.notes:
        logger.info("note     %s", note)
    return [
        ("", Row(video.file, None, IMAGES if os.path.isdir(video.file) else FILES, *video.key[1:]))
        for video in found.videos
    ]


def _is_of(features: Features, predictor: Predictor, listed: Sequence[Listed]) -> bool:
    """Whether features are of a model and of these videos with these labels."""
    if str(features.model_sha256) != predictor.trained.sha256 or features.views.tolist() != _views(predictor):
        return False
    bad = set(features.bad_keys())
    read = [
        one for one in listed if (one[0], as_text(one[1].path), one[1].start_seconds, one[1].end_seconds) not in bad
    ]
    wanted = _table(predictor, read, np.zeros((len(read), 1), np.float32), ())
    return all(
        np.array_equal(getattr(features, name), getattr(wanted, name), equal_nan=name.endswith("seconds"))
        for name in ("files", "splits", "labels", "start_seconds", "end_seconds")
    )


def _views(predictor: Predictor) -> list[int]:
    return [predictor.plan.test_num_clips.value, predictor.plan.test_num_crops.value]


def _table(predictor: Predictor, listed: Sequence[Listed], vectors: np.ndarray, bad: Sequence[Bad]) -> Features:
    plan = predictor.trained.plan
    if plan.task == "multi_label":
        labels = load_task(plan.task).label_array([ids_of(row.label) for _, row in listed], len(plan.classes))
    else:
        labels = np.array([-1 if row.label is None else row.label for _, row in listed], dtype=np.int64)
    start, end = _pieces(row for _, row in listed)
    bad_start, bad_end = _pieces(row for _, row, _ in bad)
    return Features(
        vectors,
        _texts(row.path for _, row in listed),
        _texts(split for split, _ in listed),
        labels,
        start,
        end,
        classes=_texts(plan.classes),
        bad_files=_texts(row.path for _, row, _ in bad),
        bad_splits=_texts(split for split, _, _ in bad),
        bad_reasons=_texts(reason for _, _, reason in bad),
        bad_start_seconds=bad_start,
        bad_end_seconds=bad_end,
        model_sha256=np.array(predictor.trained.sha256),
        views=np.array(_views(predictor)),
        data_root=np.array(as_text(plan.data_root)),
    )


def _pieces(rows: Iterable[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Where pieces begin and end; NaN for the whole."""
    bounds = [(row.start_seconds, row.end_seconds) for row in rows]
    start, end = np.array(bounds, dtype=np.float64).reshape(-1, 2).T
    return start, end


def _texts(texts: Iterable[str]) -> np.ndarray:
    # Not even an empty array may be one of objects.
    return np.array([as_text(text) for text in texts], dtype=np.str_)
