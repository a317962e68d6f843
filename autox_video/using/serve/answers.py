"""What the engine says of one video. Runs in the process of the engine, the only one that opens files from outside."""

from __future__ import annotations

import base64
import dataclasses
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autox_video import explanations
from autox_video.decoding import DecodingError, FramesReader, Reader, open_file
from autox_video.errors import AutoXVideoError, Problem
from autox_video.plan.make_predict_plan import make_predict_plan
from autox_video.progress import Bar
from autox_video.report.explanations import encoded, strip
from autox_video.report.filmstrips import NUM_FRAMES, filmstrip
from autox_video.report.results import to_plain
from autox_video.using.explain import explain
from autox_video.using.predict.asked import Asked, results_of
from autox_video.using.predict.inputs import Inputs, Video
from autox_video.using.predict.journal import Row
from autox_video.using.serve.limits import in_json
from autox_video.using.timeline.looking import look_through
from autox_video.using.timeline.record import Model, Settings
from autox_video.using.timeline.timelines import BATCH_SIZE, Wishes, prepare
from autox_video.using.timeline.windows import Span

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor

Answer = dict[str, Any]
CURE = "Send a video that a player shows"


def answer(predictor: Predictor, task: str, name: str, path: str, options: dict[str, Any]) -> tuple[int, Answer]:
    """One answer, with the status of HTTP that it is sent with.

    Args:
        predictor: The model.
        task: One of `TASKS`.
        name: What the client calls the video.
        path: Where it can be opened.
        options: Those of the task, checked.
    """
    begun = time.perf_counter()
    try:
        said = TASKS[task](predictor, name, path, **options)
    except DecodingError as error:
        return 422, in_json(Problem(name, str(error), CURE))
    except OSError as error:
        return 422, in_json(Problem(name, f"cannot be read: {error.strerror}", CURE))
    except MemoryError:
        return 422, in_json(Problem(name, "does not fit into memory", "Send a smaller video"))
    except AutoXVideoError as error:
        return 422, in_json(error.problems[0])
    except Exception as error:
        # One strange video must not cost the next one a start of the process.
        wrong = f"the model fails on it: {type(error).__name__}"
        return 500, in_json(Problem(name, wrong, "Report it, with the video", str(error)[:200] or None))
    return 200, {**said, "seconds": round(time.perf_counter() - begun, 3)}


def warm_up(predictor: Predictor) -> None:
    """Score something, so that the first answer takes no longer than those after it."""
    black = FramesReader(np.zeros((predictor.plan.clip_len.value, 64, 64, 3), np.uint8), 25.0)
    predictor.score([predictor.clips_of(black)])


def about(predictor: Predictor) -> Answer:
    """The model, for the page and for /health."""
    plan = predictor.plan
    return {
        "name": plan.model.value,
        "task": plan.task,
        "classes": list(predictor.classes),
        "sha256": predictor.trained.sha256,
        "epoch": predictor.trained.epoch,
        "num_clips": plan.test_num_clips.value,
        "num_crops": plan.test_num_crops.value,
        "device": plan.device.value,
    }


def _predict(predictor: Predictor, name: str, path: str) -> Answer:
    reader = open_file(path)
    scores = predictor.score([predictor.clips_of(reader)])[0]
    named = Inputs("", (Video(path, name),), {}, (), ())
    video = to_plain(results_of(Asked(()), predictor, named, [Row(scores)]))["videos"][0]
    return {"video": video, "classes": list(predictor.classes), "facts": _facts(reader, path), "strip": _strip(path)}


def _explain(predictor: Predictor, name: str, path: str, **options: Any) -> Answer:
    found = explain(predictor, open_file(path), name, **options)
    return {"explanation": explanations.to_plain(found), "strip": {"image": _image(encoded(strip(found)))}}


def _prepare(predictor: Predictor, name: str, path: str) -> Answer:
    """What comes before a timeline and has nothing to do with the video."""
    _looking(predictor)
    return {}


def _timeline(predictor: Predictor, name: str, path: str) -> Answer:
    looking, model, settings, span = _looking(predictor)
    batch = BATCH_SIZE[predictor.plan.device.value]
    row = look_through(Path(path), name, looking, model, settings, span, batch, Bar())
    if row.error is not None:
        raise DecodingError(row.error)
    told = ("duration_seconds", "window_seconds", "stride_seconds", "still", "segments")
    plain = dataclasses.asdict(row)
    return {"timeline": {"file": row.file, **{key: plain[key] for key in told}}, "strip": _strip(path)}


@functools.cache
def _looking(predictor: Predictor) -> tuple[Predictor, Model, Settings, Span]:
    """What looks through long videos, in one view at a time. The first time, validation videos say what decides."""
    from autox_video.runner.predictor import Predictor

    plan, trained = predictor.plan, predictor.trained
    if (plan.test_num_clips.value, plan.test_num_crops.value) != (1, 1):
        plan = make_predict_plan(trained.plan, plan.hardware, plan.device.value, (1, 1))
        predictor = Predictor(trained, plan)
    return predictor, *prepare(predictor, Wishes())


def _facts(reader: Reader, path: str) -> Answer:
    times = reader.times()
    frame = 1 / reader.fps if reader.fps else 0.0
    return {
        "duration_seconds": round(float(times[-1]) + frame, 3),
        "num_frames": reader.num_frames,
        "fps": reader.fps and round(reader.fps, 3),
        "width": reader.width,
        "height": reader.height,
        "num_bytes": Path(path).stat().st_size,
    }


def _strip(path: str) -> Answer:
    return {"image": _image(filmstrip(path)), "num_frames": NUM_FRAMES}


def _image(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


TASKS: dict[str, Callable[..., Answer]] = {
    "predict": _predict,
    "explain": _explain,
    "prepare": _prepare,
    "timeline": _timeline,
}
