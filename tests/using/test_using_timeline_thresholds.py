"""What validation says of the thresholds; a stand-in scores, so that each figure is known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import videos

from autox_video.plan.schema import Decision
from autox_video.tasks import load_task
from autox_video.using.timeline.thresholds import FILE, KEPT, Measured, measure, probabilities
from autox_video.using.timeline.timelines import Wishes, _settings

CLASSES = ("a", "b", "none")


class Clips:
    """What a pipeline gives of a video: as many frames, which all are alike where it is still."""

    def __init__(self, number: int, still: bool) -> None:
        self.number, self._still = number, still

    def numpy(self) -> np.ndarray:
        clips = np.zeros((1, 3, 8, 64, 64), np.uint8)
        if not self._still:
            for frame in range(8):
                clips[:, :, frame, :16, 8 * frame : 8 * frame + 8] = 200
        return clips


def predictor(
    folder: Path, scores: list[list[float]], *, task="single_label", thresholds=None, temperature=None, still=()
):
    """A stand-in: its n-th video has the n-th scores."""
    asked: list[Clips] = []

    def clips_of(reader, start=None, end=None):
        asked.append(Clips(len(asked), len(asked) in still))
        return asked[-1]

    plan = SimpleNamespace(task=task, clip_len=Decision(8, "", ""), data_root=str(folder))
    return SimpleNamespace(
        trained=SimpleNamespace(path=folder / "best.pth", sha256="f" * 64, plan=plan),
        plan=plan,
        task=load_task(task),
        classes=CLASSES,
        thresholds=thresholds,
        temperature=temperature,
        clips_of=clips_of,
        score=lambda batch: np.array([scores[clips.number] for clips in batch], np.float32),
        asked=asked,
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four validation videos of the first class and one that is gone."""
    (tmp_path / "annotations").mkdir()
    lines = []
    for number in range(4):
        videos.write_video(tmp_path / f"{number}.mp4", frames=6)
        lines.append(f"{number}.mp4\t0\tpyav\n")
    (tmp_path / "annotations" / "val.txt").write_text("".join([*lines, "gone.mp4\t1\tpyav\n"]))
    return tmp_path


SCORES = [[0.9, 0.1, 0], [0.7, 0.3, 0], [0.2, 0.8, 0], [0.5, 0.4, 0.1]]


def test_the_threshold_is_what_most_recognised_videos_reach(folder):
    found = measure(predictor(folder, SCORES))
    assert found.num_videos == 4
    assert found.enter == pytest.approx((np.quantile([0.9, 0.7, 0.5], 1 - KEPT),) * 3)
    assert found.source == "98% of 3 validation videos that are recognised reach it"
    assert found.seconds == pytest.approx(0.5)
    assert found.still == ()


def test_calibrated_probabilities_are_what_counts(folder):
    one = predictor(folder, SCORES, temperature=4.0)
    one.task = SimpleNamespace(tempered=lambda scores, temperature: scores / temperature)
    assert measure(one).enter[0] == pytest.approx(np.quantile([0.9, 0.7, 0.5], 1 - KEPT) / 4)


def test_labels_have_the_thresholds_that_validation_chose(folder):
    found = measure(predictor(folder, SCORES, task="multi_label", thresholds=(0.3, 0.6, 0.5)))
    assert found.enter == (0.3, 0.6, 0.5)


def test_of_a_calibrated_model_a_window_has_the_labels_that_predict_gives_it(folder):
    one = predictor(folder, SCORES, task="multi_label", thresholds=(0.7, 0.6, 0.2), temperature=2.0)
    found = measure(one)
    windows = probabilities(one, [Clips(number, False) for number in range(4)])
    given = np.array(SCORES) >= (0.7 - 1e-6, 0.6, 0.2)
    assert (windows >= np.array(found.enter) - 1e-6).tolist() == given.tolist()
    assert found.enter == pytest.approx([1 / (1 + ((1 - level) / level) ** 0.5) for level in (0.7, 0.6, 0.2)])
    assert found.source == "the thresholds of the labels, chosen on validation"


def test_a_class_whose_videos_stand_still_may_stand_still(folder):
    assert measure(predictor(folder, SCORES, still=(2,))).still == (0,)


def test_it_is_asked_once_for_each_model(folder):
    first = measure(predictor(folder, SCORES))
    again = predictor(folder, SCORES)
    assert measure(again) == first
    assert again.asked == []
    other = predictor(folder, SCORES)
    other.trained.sha256 = "0" * 64
    measure(other)
    assert len(other.asked) == 4


def test_without_videos_half_is_taken_and_nothing_is_remembered(tmp_path):
    found = measure(predictor(tmp_path, SCORES))
    assert (found.num_videos, found.enter, found.seconds) == (0, (0.5,) * 3, None)
    assert found.source == "no validation video can be read"
    assert not (tmp_path / FILE).exists()


def test_what_the_user_says_goes_before_what_was_measured(folder):
    one = predictor(folder, SCORES)
    known = Measured(1, "f" * 64, 4, (0.4,) * 3, (1,), 0.5, "measured")
    usual = _settings(one, known, Wishes())
    assert (usual.enter, usual.leave, usual.source) == ((0.4,) * 3, pytest.approx((0.24,) * 3), "measured")
    assert (usual.background, usual.still, usual.window_seconds) == (("none",), ("b",), 0.5)
    asked = _settings(one, known, Wishes(2.0, 3.0, 4.0, 0.7, keep_still=True))
    assert (asked.enter, asked.source, asked.still) == ((0.7,) * 3, "--threshold", None)
    assert (asked.stride_seconds, asked.window_seconds, asked.min_seconds) == (2.0, 3.0, 4.0)
