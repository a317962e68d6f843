"""Many videos through one predictor: processes decode ahead, the network computes, and no video ends the run."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from autox_video.decoding import DecodingError
from autox_video.errors import Problem, RunError
from autox_video.plan.rules import testing, workers
from autox_video.plan.rules.batch import training_memory_gib
from autox_video.presets import load_preset
from autox_video.runner.loading import END_SECONDS, files_being_read, left_unread, loaders_end, reading
from autox_video.runner.predictor import Predictor
from autox_video.runner.scoring_loops import in_order, scoring_threads

logger = logging.getLogger(__name__)
# Of processes that die without a video to blame for it; then memory is short, or something worse.
MAX_DEATHS = 3
LOOK_EVERY_SECONDS = 1.0
# What a video is, once it is done: its number, and its scores or why there are none.
Scored = tuple[int, np.ndarray | str]
# What is computed of N videos: an array of N rows.
Compute = Callable[[Sequence[torch.Tensor]], np.ndarray]


def score_videos(
    predictor: Predictor,
    numbers: Sequence[int],
    clips_of: Callable[[int], torch.Tensor],
    *,
    num_workers: int | None = None,
    videos_per_batch: int | None = None,
    max_seconds: float = 300.0,
    compute: Compute | None = None,
) -> Generator[Scored, None, None]:
    """Score videos in their order, as they are done.

    A video that cannot be decoded, that takes too long or that kills the process that decodes it gets its reason in
    place of scores. Only so many videos are in memory as are being decoded and scored.

    Args:
        predictor: The model.
        numbers: What to hand to `clips_of`, one number a video.
        clips_of: Makes the clips of a video, as `Predictor.clips_of` does. It runs in a process of its own.
        num_workers: Processes that decode; None for what the machine has; 0 decodes in this one, without the guard
            against videos that hang or kill it.
        videos_per_batch: Videos that are scored together; None for what fits.
        max_seconds: A video that takes longer to be decoded is given up.
        compute: What to compute of a batch instead of its scores, one batch at a time.

    Raises:
        RunError: The processes that decode die again and again, whatever they read.
    """
    batch, threads = _batch_of(predictor, videos_per_batch)
    if compute is not None:
        threads = 1
    at_work, prefetch = _loading_of(predictor, batch, threads, num_workers)
    done = deaths = 0
    blamed: dict[int, str] = {}
    with _computing(compute or predictor.score, threads) as begin:
        while done < len(numbers):
            loader = _loader(numbers[done:], _guarded(clips_of, blamed), batch, at_work, prefetch)
            with _deaths_told_late() as batches_of, loaders_end(), _watched(max_seconds) as overdue:
                try:
                    for _, loaded, scores in in_order(batches_of(loader), begin, threads if threads > 1 else 0):
                        yield from _rows(loaded, scores)
                        done += len(loaded[0])
                except (RuntimeError, EOFError, ConnectionError) as error:
                    if not isinstance(error, RuntimeError):
                        _wait_for_a_death()
                    elif "DataLoader worker" not in str(error):
                        raise
                    found = _found_guilty(overdue, max_seconds)
                    blamed |= found
                    deaths = 0 if found else deaths + 1
                    if deaths > MAX_DEATHS:
                        wrong = f"the processes that decode have died {deaths} times, without a video to blame for it"
                        cure = "Give them more memory, or start fewer with --workers; the same command goes on"
                        raise RunError(Problem("predict", wrong, cure, repr(error))) from error


class _Videos(Dataset):
    """What the processes that decode are given."""

    def __init__(self, numbers: Sequence[int], clips_of: Callable[[int], torch.Tensor]) -> None:
        self._numbers, self._clips_of = numbers, clips_of

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> tuple[int, torch.Tensor | str]:
        number = self._numbers[place]
        try:
            # What is being read is known by its number: several pieces are of one file.
            with reading(str(number)):
                return number, self._clips_of(number)
        except DecodingError as error:
            return number, str(error)
        except OSError as error:
            return number, f"cannot be read: {error.strerror or error}"
        except MemoryError:
            return number, "needs more memory than there is"
        # Whatever a decoder, a plugin or we ourselves did not think of: the other videos are not to suffer.
        except Exception as error:
            return number, f"cannot be prepared: {type(error).__name__}: {error}"


Loaded = tuple[list[int], list[str | None], Any]


def _collated(samples: Sequence[tuple[int, torch.Tensor | str]]) -> Loaded:
    """Numbers, reasons, and the clips of those without one: in one tensor where they are alike."""
    clips = [found for _, found in samples if not isinstance(found, str)]
    alike = len({one.shape for one in clips}) == 1
    reasons = [found if isinstance(found, str) else None for _, found in samples]
    return [number for number, _ in samples], reasons, default_collate(clips) if alike else clips


def _rows(loaded: Loaded, scores: np.ndarray) -> Iterator[Scored]:
    numbers, reasons, _ = loaded
    left = iter(scores)
    for number, reason in zip(numbers, reasons, strict=True):
        yield number, next(left) if reason is None else reason


def _loader(
    numbers: Sequence[int], clips_of: Callable[[int], torch.Tensor], batch: int, at_work: int, prefetch: int
) -> DataLoader:
    ahead = {"prefetch_factor": prefetch, "multiprocessing_context": "fork"} if at_work else {}
    return DataLoader(
        _Videos(numbers, clips_of),
        batch,
        num_workers=at_work,
        collate_fn=_collated,
        worker_init_fn=_prepare_process,
        **ahead,
    )


@contextmanager
def _deaths_told_late() -> Iterator[Callable[[DataLoader], Iterator[Loaded]]]:
    """Gives the batches of a loader, which tells of a dead process where the next is asked for, and nowhere else.

    torch raises an error from a signal's handler, in the middle of whatever is being done: the writing of a row, say.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    handled = signal.getsignal(signal.SIGCHLD)

    def batches_of(loader: DataLoader) -> Iterator[Loaded]:
        nonlocal handled
        batches = iter(loader)
        if in_main_thread:
            handled = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return batches

    try:
        yield batches_of
    finally:
        if in_main_thread:
            signal.signal(signal.SIGCHLD, handled)


def _found_guilty(overdue: Collection[int], max_seconds: float) -> dict[int, str]:
    """The videos over which processes have died, and how."""
    found = {}
    for one in left_unread():
        number = int(one.file)
        late = f"takes more than {max_seconds:g} s to decode (see --time-limit)"
        found[number] = late if number in overdue else "kills the process that decodes it"
    return found


def _wait_for_a_death() -> None:
    """A process that dies while it hands over a batch breaks the connection, a moment before it counts as dead."""
    alive, deadline = len(multiprocessing.active_children()), time.monotonic() + END_SECONDS
    while len(multiprocessing.active_children()) == alive and not left_unread() and time.monotonic() < deadline:
        time.sleep(0.1)


def _prepare_process(number: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


def _guarded(clips_of: Callable[[int], torch.Tensor], blamed: dict[int, str]) -> Callable[[int], torch.Tensor]:
    """The same, but for videos that have brought a process down."""

    def guarded(number: int) -> torch.Tensor:
        if number in blamed:
            raise DecodingError(blamed[number])
        return clips_of(number)

    return guarded


@contextmanager
def _computing(compute: Compute, threads: int) -> Iterator[Callable[[int, Loaded], Future[np.ndarray]]]:
    """What scores a batch: on a processor in a thread for each core, which do not wait for each other."""

    def score(loaded: Loaded) -> np.ndarray:
        return _of_batch(compute, list(loaded[2]))

    with scoring_threads(threads) as pool:
        yield lambda _, loaded: pool.submit(score, loaded)


def _of_batch(compute: Compute, clips: Sequence[torch.Tensor]) -> np.ndarray:
    if not clips:
        return np.empty((0, 0), np.float32)
    if len({one.shape for one in clips}) > 1:
        return np.concatenate([compute([one]) for one in clips])
    return compute(clips)


def _batch_of(predictor: Predictor, asked: int | None) -> tuple[int, int]:
    """Videos of a batch, and batches that are scored at a time."""
    plan = predictor.plan
    views = plan.test_num_clips.value * plan.test_num_crops.value
    card = load_preset(plan.model.value).card
    shape = (plan.clip_len.value, plan.input_size.value)
    none, one = (training_memory_gib(card, *shape, videos) for videos in (0, 1))
    threads = testing.choose_scoring_threads(plan.hardware, views, one - none).value if _on_cpu(plan) else 1
    return asked or testing.choose_test_videos_per_gpu(plan.videos_per_gpu.value, views, threads).value, threads


def _loading_of(predictor: Predictor, batch: int, threads: int, asked: int | None) -> tuple[int, int]:
    """Processes that decode and the batches that each makes ahead: no more than shared memory holds."""
    plan = predictor.plan
    cores = plan.hardware.num_cpus
    usual = max(1, cores // 2) if _on_cpu(plan) else max(1, min(workers.MAX_WORKERS_PER_GPU, cores - 1))
    at_work = usual if asked is None else asked
    views = plan.test_num_clips.value * plan.test_num_crops.value
    size = workers.batch_bytes(batch * views, plan.clip_len.value, plan.input_size.value)
    room, in_use = workers.SHM_SHARE * plan.hardware.shm_gib * workers.GIB, workers.BATCHES_IN_USE + threads
    for prefetch in (workers.PREFETCHED, workers.LEAST_PREFETCHED):
        if workers.shm_bytes(size, at_work, prefetch, in_use) <= room:
            return at_work, prefetch
    fit = max(0, int(room // size) - in_use)
    logger.info("note     %d processes decode, not %d: there is no more room in %s", fit, at_work, workers.SHM)
    return fit, workers.LEAST_PREFETCHED


def _on_cpu(plan: Any) -> bool:
    return bool(plan.device.value == "cpu")


@contextmanager
def _watched(max_seconds: float) -> Iterator[set[int]]:
    """While the block runs, processes that take too long over a video are killed; the numbers of such videos."""
    overdue: set[int] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_EVERY_SECONDS):
            for one in files_being_read():
                if one.process != os.getpid() and time.monotonic() - one.since > max_seconds:
                    overdue.add(int(one.file))
                    with suppress(ProcessLookupError):
                        os.kill(one.process, signal.SIGKILL)

    thread = threading.Thread(target=watch, name="overdue videos", daemon=True)
    thread.start()
    try:
        yield overdue
    finally:
        over.set()
        thread.join()
