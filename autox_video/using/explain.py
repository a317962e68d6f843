"""Why a video got its label: its prediction again, with each moment and each region hidden in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autox_video.dataset.multi_label import MULTI
from autox_video.dataset.video_files import is_image_folder
from autox_video.decoding import FILES, IMAGES, DecodingError, Reader, open_video
from autox_video.decoding.pictures import Box, Size
from autox_video.errors import Problem, RequestError
from autox_video.explanations import Explanation, Occlusion
from autox_video.progress import progress_bar
from autox_video.report.explanations import write_explanations
from autox_video.report.multi_label import MultiLabelResults
from autox_video.report.writers import read_results
from autox_video.using.predict.inputs import find_inputs, is_url
from autox_video.work_dir import WorkDir

if TYPE_CHECKING:
    from autox_video.runner.predictor import Predictor

NUM_MOMENTS, GRID = 8, 7


@dataclass(frozen=True)
class Asked:
    """A video to explain: where it lies, and the arguments of `explain` with the same names."""

    path: Path
    file: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    label: str | None = None
    true_label: str | None = None


class NotingReader(Reader):
    """Another reader, which remembers the frames that were asked for last."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.num_frames, self.fps = reader.num_frames, reader.fps
        self.indices = np.zeros(0, int)

    @property
    def width(self) -> int:
        """See `Reader`."""
        return self._reader.width

    @property
    def height(self) -> int:
        """See `Reader`."""
        return self._reader.height

    def times(self) -> np.ndarray:
        """See `Reader`."""
        return self._reader.times()

    def views(
        self, indices: Sequence[int] | np.ndarray, parts: Sequence[tuple[Box | None, Size | None]]
    ) -> list[np.ndarray]:
        """See `Reader`."""
        self.indices = np.asarray(indices, int)
        return self._reader.views(indices, parts)


def explain(
    predictor: Predictor,
    reader: Reader,
    file: str,
    *,
    start_seconds: float | None = None,
    end_seconds: float | None = None,
    label: str | None = None,
    true_label: str | None = None,
    num_moments: int = NUM_MOMENTS,
    grid: int = GRID,
) -> Explanation:
    """Find the moments and regions that a video's label rests on.

    The network runs once for each of them: 1 + num_moments + grid x grid times. Of several crops the middle one is
    explained.

    Args:
        predictor: The model.
        reader: The open video.
        file: What the explanation calls it.
        start_seconds: Where the piece that counts begins; None at the first frame.
        end_seconds: Where it ends; None after the last frame.
        label: The class to explain; None for the most probable one.
        true_label: Its true class, to be told beside it.
        num_moments: Parts that the time is divided into.
        grid: Rows, and columns, that a frame is divided into.

    Raises:
        DecodingError: The video cannot be decoded.
        RequestError: The model does not know the label.
    """
    from autox_video.runner.occlusion import occlude

    plan, classes = predictor.plan, predictor.classes
    noted = NotingReader(reader)
    clips = predictor.clips_of(noted, start_seconds, end_seconds)
    class_id = int(predictor.score([clips])[0].argmax()) if label is None else _class_id(label, classes)
    length = plan.clip_len.value
    seconds = reader.times()[noted.indices].reshape(-1, length)
    frames_alone = clips.ndim == 4
    # Clips of the first crop come first; `ThreeCrop` begins with the ends, and the middle is the last.
    views = (clips.unflatten(0, (-1, length)).movedim(2, 1) if frames_alone else clips)[-len(seconds) :]

    def score(batch: Sequence[Any]) -> np.ndarray:
        scores = predictor.score([one.movedim(1, 2).flatten(0, 1) if frames_alone else one for one in batch])
        # As confidences are told everywhere, where validation has calibrated them.
        calibrated = predictor.temperature is not None
        return predictor.task.tempered(scores, predictor.temperature) if calibrated else scores

    found = occlude(
        score,
        views,
        seconds,
        class_id,
        one_label=plan.task != MULTI,
        num_moments=num_moments,
        grid=(grid, grid),
        batch=max(1, min(8, plan.test_videos_per_gpu.value)),
    )
    return Explanation(
        file=file,
        start_seconds=start_seconds,
        end_seconds=end_seconds,
        classes=classes,
        class_id=class_id,
        true_label=true_label,
        occlusion=found,
        frames=_shown(views.movedim(1, -1).flatten(0, 1).numpy(), seconds.reshape(-1), found),
    )


def _shown(frames: np.ndarray, seconds: np.ndarray, found: Occlusion) -> np.ndarray:
    """The middle one of the frames of each moment."""
    chosen = []
    for number in range(len(found.time.scores)):
        times = found.seconds[found.moment == number]
        chosen.append(int(np.flatnonzero(seconds == times[len(times) // 2])[0]))
    return frames[chosen]


def _class_id(label: str, classes: Sequence[str]) -> int:
    if label not in classes:
        cure = (
            "Name a class of the model: " + ", ".join(map(repr, classes[:20])) + (" ..." if len(classes) > 20 else "")
        )
        raise RequestError(Problem("--label", "the model has no such class", cure, label))
    return list(classes).index(label)


def explain_videos(
    predictor: Predictor, videos: Sequence[Asked], num_moments: int = NUM_MOMENTS, grid: int = GRID
) -> tuple[list[Explanation], list[Problem]]:
    """Explain several videos.

    Args:
        predictor: The model.
        videos: Which.
        num_moments: See `explain`.
        grid: See `explain`.

    Returns:
        The explanations, and of the videos that cannot be read why.

    Raises:
        RequestError: A label is unknown.
    """
    found, problems = [], []
    with progress_bar(len(videos), "explaining") as bar:
        for video in videos:
            try:
                reader = open_video(str(video.path), IMAGES if is_image_folder(str(video.path)) else FILES)
                found.append(
                    explain(
                        predictor,
                        reader,
                        video.file,
                        start_seconds=video.start_seconds,
                        end_seconds=video.end_seconds,
                        label=video.label,
                        true_label=video.true_label,
                        num_moments=num_moments,
                        grid=grid,
                    )
                )
            except DecodingError as error:
                problems.append(Problem(video.file, str(error), "Name another video"))
            except OSError as error:
                problems.append(Problem(video.file, f"cannot be read: {error.strerror}", "Name another video"))
            bar.advance()
    return found, problems


def worst_mistakes(results: Path, count: int) -> list[Asked]:
    """The videos of a test that got a wrong label, the most confident mistakes first.

    Args:
        results: `results.json` of a test.
        count: At most so many.

    Raises:
        RequestError: There is no such file, its videos have several labels, or none is wrong.
        RunError: It is damaged.
    """
    if not results.is_file():
        cure = "Run `autox-video test` first, or name the file with --results"
        raise RequestError(Problem(str(results), "there are no results to take mistakes from", cure))
    found = read_results(results)
    if isinstance(found, MultiLabelResults):
        raise RequestError(Problem(str(results), "is of videos with several labels", "Name videos and a --label"))
    wrong = [row for row in found.videos if row.correct is False]
    if not wrong:
        raise RequestError(Problem(str(results), "holds no mistake", "Name videos instead of --mistakes"))
    return [
        Asked(
            path=Path(found.data_root) / row.file,
            file=row.file,
            start_seconds=row.start_seconds,
            end_seconds=row.end_seconds,
            label=row.predicted_label.name if row.predicted_label else None,
            true_label=row.true_label.name if row.true_label else None,
        )
        for row in sorted(wrong, key=lambda row: -(row.confidence or 0.0))[:count]
    ]


def explain_to_folder(
    model: Path,
    videos: Sequence[str],
    output: Path | None,
    *,
    mistakes: int | None = None,
    results: Path | None = None,
    label: str | None = None,
    device: str = "auto",
    views: tuple[int, int] | None = None,
    plugins: Sequence[str] = (),
    num_moments: int = NUM_MOMENTS,
    grid: int = GRID,
) -> tuple[Path, list[Explanation], list[Problem]]:
    """Explain videos, or the mistakes of a test, and write the page.

    Args:
        model: As of `open_predictor`.
        videos: As of `predict`: files, folders, patterns, lists; no URLs.
        output: Where to write; None: `explanations` in the current folder, of mistakes in the work dir, where the
            report finds them.
        mistakes: Explain so many mistakes instead of `videos`.
        results: The test they are taken from; None: `results.json` in the work dir.
        label: The class to explain; None for the predicted one.
        device: `auto`, `cpu` or `cuda`.
        views: Clips of a video and crops of each; None as in the test.
        plugins: Those of the training.
        num_moments: See `explain`.
        grid: See `explain`.

    Returns:
        The page, what stands on it, and of the videos that cannot be read why.

    Raises:
        RequestError: What is asked for is not there, or no video can be read; all that can be found is told together.
        RunError: The model is damaged, or a file cannot be written.
    """
    if (mistakes is None) == (not videos):
        wrong = "videos and --mistakes are both named" if videos else "nothing is named"
        raise RequestError(Problem("INPUT", wrong, "Name videos, or --mistakes N for those of the test"))
    work_dir = WorkDir(model if model.is_dir() else model.parent)
    if mistakes is None:
        if urls := [video for video in videos if is_url(video)]:
            raise RequestError(Problem("INPUT", "explains files only", "Download it first", url) for url in urls)
        found_videos = find_inputs(videos).videos
        asked = [Asked(Path(v.file), v.name, v.start_seconds, v.end_seconds, label) for v in found_videos]
    else:
        asked = worst_mistakes(results or work_dir.root / "results.json", mistakes)
    from autox_video.runner.predictor import open_predictor

    predictor = open_predictor(model, device, views, plugins)
    found, problems = explain_videos(predictor, asked, num_moments, grid)
    if problems and not found:
        raise RequestError(problems)
    folder = output or (Path("explanations") if mistakes is None else work_dir.explanations)
    return write_explanations(found, folder, predictor.trained.sha256), found, problems
