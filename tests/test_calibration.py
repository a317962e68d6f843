from __future__ import annotations

import numpy as np
import pytest

from autox_video.calibration import calibrate, certain_from, find_temperature, fit_temperature, is_uncertain
from autox_video.predictions import Calibration
from autox_video.tasks import load_task, multi_label, single_label


def sharpened(num_videos: int, factor: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of four classes whose logits are `factor` times those that the labels were drawn by."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (num_videos, 4))
    true = single_label.tempered(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 1)
    labels = np.array([generator.choice(4, p=row) for row in true])
    return single_label.tempered(true, 1 / factor).astype(np.float32), labels


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_the_temperature_undoes_what_made_the_scores_too_sharp_or_too_flat(factor):
    temperature, note = find_temperature("single_label", *sharpened(4000, factor))
    assert temperature == pytest.approx(factor, rel=0.1)
    assert note.startswith("fitted to 4000 validation videos: the loss of videos that it was not fitted to falls from ")


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_the_logits_of_labels_that_do_not_exclude_each_other_have_one_too(factor):
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (1500, 3))
    labels = generator.random(logits.shape) < multi_label.probabilities(logits)
    scores = multi_label.probabilities(logits * factor).astype(np.float32)
    temperature, _ = find_temperature("multi_label", scores, labels)
    assert temperature == pytest.approx(factor, rel=0.1)
    assert multi_label.tempered(scores, temperature) == pytest.approx(multi_label.probabilities(logits), abs=0.05)


def test_many_videos_are_more_than_it_takes():
    scores, labels = sharpened(10001, 3.0)
    temperature, note = find_temperature("single_label", scores, labels)
    assert temperature == find_temperature("single_label", scores[::3], labels[::3])[0]
    assert note.startswith("fitted to 3334 of 10001 validation videos: ")


def test_no_other_temperature_has_a_smaller_loss():
    scores, labels = sharpened(300, 2.0)
    logs = np.log(scores.astype(np.float64))[:, None]
    found = fit_temperature(logs, labels[:, None])

    def loss(temperature: float) -> float:
        return single_label.score_metrics(single_label.tempered(scores, temperature), labels)["loss"]

    assert loss(found) <= min(loss(other) for other in (found * 0.99, found * 1.01, 0.05, 1.0, 20.0))


ALWAYS_RIGHT = (np.tile(np.float32([0.6, 0.4]), (30, 1)), np.zeros(30, dtype=int))
ALWAYS_WRONG = (np.tile(np.float32([0.6, 0.4]), (30, 1)), np.ones(30, dtype=int))


@pytest.mark.parametrize(
    ("scores", "labels", "note"),
    [
        (*sharpened(19, 3.0), "19 validation videos are fewer than the 20 that a temperature takes"),
        (*ALWAYS_RIGHT, "it is right on all 30 validation videos, and they say nothing of its doubts"),
        (*ALWAYS_WRONG, "30 validation videos ask for the highest that is tried, 20"),
        (
            *sharpened(40, 1.0),
            "with another, the loss of videos that it was not fitted to rises from 1.0214 to 1.0494 "
            "(40 validation videos, 5-fold cross-validation)",
        ),
    ],
)
def test_where_no_temperature_can_be_known_the_scores_stay_and_it_is_said_why(scores, labels, note):
    assert find_temperature("single_label", scores, labels) == (1.0, f"1, as in the model: {note}")


def test_a_label_that_is_always_right_leaves_nothing_to_fit():
    labels = np.random.default_rng(0).random((40, 3)) < 0.5
    scores = np.where(labels, 0.9, 0.1).astype(np.float32)
    assert find_temperature("multi_label", scores, labels) == (
        1.0,
        "1, as in the model: it is right on all 40 validation videos, and they say nothing of its doubts",
    )


@pytest.mark.parametrize("task", ["single_label", "multi_label"])
def test_temperature_one_changes_no_score_and_another_no_order(task):
    scores = np.random.default_rng(0).dirichlet(np.ones(5), 50).astype(np.float32)
    module = load_task(task)
    assert module.tempered(scores, 1.0) is scores
    for temperature in (0.3, 4.0):
        tempered = module.tempered(scores, temperature)
        assert (np.argsort(tempered, axis=1) == np.argsort(scores, axis=1)).all()
        assert ((tempered >= 0) & (tempered <= 1)).all()


def test_scores_of_exactly_0_and_1_can_be_tempered():
    exact = np.float32([[1, 0, 0]])
    assert np.isfinite(single_label.tempered(exact, 2.0)).all()
    assert multi_label.tempered(exact, 2.0) == pytest.approx(np.array([[0.99968, 0.00032, 0.00032]]), abs=1e-5)


@pytest.mark.parametrize(
    ("sure", "right", "level"),
    [
        # 20 of 20, then 21 of 22 with one mistake: 95 % is reached down to 0.3, and no further.
        ([0.9] * 20 + [0.4, 0.3, 0.2, 0.1], [1] * 20 + [0, 1, 0, 0], 0.3),
        ([0.9] * 20 + [0.4, 0.3], [1] * 22, 0.3),
        # Nineteen cannot show it; nor can 18 of 20.
        ([0.9] * 19, [1] * 19, None),
        ([0.9] * 20, [1] * 18 + [0] * 2, None),
        # Videos of one confidence are not divided: 19 of these 20 and the one before are 20 of 21.
        ([0.9] + [0.5] * 20, [1] * 20 + [0], 0.5),
        ([], [], None),
    ],
)
def test_the_lowest_confidence_that_is_right_often_enough(sure, right, level):
    assert certain_from(np.array(sure, dtype=float), np.array(right, dtype=bool)) == level


def test_of_each_class_the_videos_that_were_taken_for_it_decide():
    scores = np.tile(np.float32([0.7, 0.2, 0.1]), (50, 1))
    scores[25:] = [0.2, 0.8, 0.0]
    labels = np.repeat([0, 1], 25)
    labels[:5] = 2
    found = calibrate("single_label", scores, labels)
    assert found.class_num_predicted == (25, 25, 0)
    assert found.class_certain_from == (
        None,
        pytest.approx(float(single_label.tempered(scores, found.temperature)[49, 1])),
        None,
    )
    assert found.certain_from == found.class_certain_from[1]
    assert found.certain_note == "25 of the 25 that reach it are right, of 50 validation videos: 95% are asked for"


@pytest.mark.parametrize(
    ("num_videos", "level", "note"),
    [
        (10, None, "10 validation videos are fewer than the 20 that can show 95%"),
        (40, None, "from no confidence on are 95% of 20 or more right, of 40 validation videos"),
    ],
)
def test_where_no_confidence_is_enough_it_is_said_why(num_videos, level, note):
    scores = np.tile(np.float32([0.7, 0.3]), (num_videos, 1))
    found = calibrate("single_label", scores, np.arange(num_videos) % 2)
    assert (found.certain_from, found.certain_note) == (level, note)


@pytest.mark.parametrize(
    ("num_videos", "level", "confidence", "uncertain"),
    [(100, 0.8, 0.8, False), (100, 0.8, 0.79, True), (100, None, 1.0, True), (19, None, 1.0, None)],
)
def test_a_video_is_uncertain_below_the_level_and_unknown_where_nothing_could_be_learned(
    num_videos, level, confidence, uncertain
):
    known = Calibration(1.0, "", num_videos, 0.95, level, "")
    assert is_uncertain(known, confidence) is uncertain
    assert is_uncertain(None, confidence) is None


def test_the_confidence_in_several_labels_is_that_in_each_of_them_together():
    scores = np.float32([[0.9, 0.2, 0.3]])
    assert multi_label.confidences(scores, 1.0, (0.5, 0.5, 0.25)) == pytest.approx([0.9 * 0.8 * 0.3])
    assert multi_label.are_right(scores, np.array([[True, False, True]]), (0.5, 0.5, 0.25)).tolist() == [True]
    assert multi_label.are_right(scores, np.array([[True, False, True]]), None).tolist() == [False]
