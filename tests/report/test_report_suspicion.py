"""Suspicious labels and nearest videos, on features whose right labels are known."""

from __future__ import annotations

import numpy as np
import pytest

from autox_video.features import Features
from autox_video.report.label_audit import digest_of_rows, find_suspects, unjudged_classes
from autox_video.report.neighbours import BLOCK, nearest
from autox_video.report.suspicion import ranking, suspect, worsened


def blobs(seed: int, per_class: int = 30, num_classes: int = 4, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Features of classes around points of their own, and the right labels."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(num_classes), per_class)
    centres = draw.normal(0, 2, (num_classes, 16))
    return (centres[labels] + draw.normal(0, spread, (len(labels), 16))).astype(np.float32), labels


def flipped(labels: np.ndarray, seed: int, share: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which some are wrong, and which."""
    draw = np.random.default_rng(seed)
    wrong = draw.choice(len(labels), round(share * len(labels)), replace=False)
    given = labels.copy()
    given[wrong] = (labels[wrong] + draw.integers(1, labels.max() + 1, len(wrong))) % (labels.max() + 1)
    return given, wrong


@pytest.mark.parametrize("seed", range(5))
def test_flipped_labels_come_first_and_the_right_ones_are_suggested(seed):
    features, right = blobs(seed)
    given, wrong = flipped(right, seed)
    found = suspect(features, given, np.arange(len(given)), 4)
    first = ranking(found.score)[: round(0.1 * len(given))]
    assert set(wrong) <= set(first)
    assert (found.suggested[wrong] == right[wrong]).all()
    again = suspect(features, given, np.arange(len(given)), 4)
    assert (again.score == found.score).all()


def test_what_the_training_says_counts_where_it_is_more():
    features, right = blobs(0)
    given, wrong = flipped(right, 0)
    # Learned by heart: the videos stand among those of their wrong labels.
    features[wrong] = blobs(0)[0][[np.flatnonzero((given == label) & (right == label))[0] for label in given[wrong]]]
    found = suspect(features, given, np.arange(len(given)), 4)
    assert (found.score[wrong] < 0).all()
    margins = np.full(len(given), 0.6)
    margins[wrong], margins[:2] = -0.3, np.nan
    worse = worsened(found, margins)
    np.testing.assert_allclose(worse.score[wrong], 0.3)
    np.testing.assert_array_equal(worse.score[:2], found.score[:2])
    assert set(ranking(worse.score)[: len(wrong)]) == set(wrong)


@pytest.mark.parametrize("persons", [2, 4])
def test_recordings_that_each_hold_all_classes_are_judged_by_each_other(persons):
    features, right = blobs(0)
    given, wrong = flipped(right, 0)
    found = suspect(features, given, np.arange(len(given)) % persons, 4)
    assert (found.by_classifier.max(axis=1) > 0).all()
    assert set(wrong) <= set(ranking(found.score)[: round(0.1 * len(given))])


def test_a_single_recording_is_not_judged():
    features, right = blobs(0)
    assert np.isnan(suspect(features, right, np.zeros(len(right), int), 4).score).all()


def test_a_recording_whose_labels_are_all_wrong_does_not_vouch_for_itself():
    features, right = blobs(0)
    given, groups = right.copy(), np.arange(len(right))
    # Nine almost equal clips of one recording, all of them with the same wrong label.
    clips = np.arange(9)
    features[clips] = features[0] + np.random.default_rng(1).normal(0, 0.01, (9, 16))
    given[clips] = 3
    alone = suspect(features, given, groups, 4)
    groups[clips] = 0
    together = suspect(features, given, groups, 4)
    assert (together.score[clips] > 0.6).all()
    assert (alone.score[clips] < 0.3).all()
    assert not np.isin(together.neighbours[clips], clips).any()


def test_a_class_of_one_recording_is_not_judged_and_one_of_two_is():
    features, labels = blobs(0, num_classes=3)
    groups = np.arange(len(labels))
    groups[labels == 2] = 1000
    found = suspect(features, labels, groups, 3)
    assert np.isnan(found.score[labels == 2]).all()
    assert not np.isnan(found.score[labels < 2]).any()
    assert not np.isin(np.flatnonzero(labels == 2), ranking(found.score)).any()
    groups[np.flatnonzero(labels == 2)[15:]] = 1001
    found = suspect(features, labels, groups, 3)
    assert not np.isnan(found.score).any()
    assert (found.score[labels == 2] < 0).all()


def test_features_that_are_all_alike_or_constant_break_nothing():
    labels = np.repeat([0, 1], 5)
    found = suspect(np.ones((10, 3), np.float32), labels, np.arange(10), 2)
    assert np.isfinite(found.score).all()
    assert np.isfinite(suspect(np.zeros((10, 3), np.float32), labels, np.arange(10), 2).score).all()


@pytest.mark.parametrize("known", [1, 7, 3 * BLOCK])
def test_the_nearest_are_those_of_all_cosines(known):
    draw = np.random.default_rng(known)
    queries, vectors = draw.normal(size=(2 * BLOCK + 3, 5)), draw.normal(size=(known, 5))
    indices, cosines = nearest(queries, vectors, 4)
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (queries, vectors)]
    every = unit[0] @ unit[1].T
    assert indices.shape == (len(queries), min(4, known))
    np.testing.assert_array_equal(indices, np.argsort(-every, axis=1)[:, : min(4, known)])
    np.testing.assert_allclose(cosines, -np.sort(-every, axis=1)[:, : min(4, known)], atol=1e-6)


def test_none_of_the_same_recording_is_near():
    vectors = np.eye(3)
    indices, cosines = nearest(vectors, vectors, 3, np.array([0, 0, 1]), np.array([0, 0, 1]))
    assert indices.tolist() == [[2, -1, -1], [2, -1, -1], [0, 1, -1]]
    assert np.isneginf(cosines[indices == -1]).all()


def table_of(features: np.ndarray, labels: np.ndarray, **named: np.ndarray) -> Features:
    count = len(labels)
    values = {
        "files": np.array([f"{place}.mp4" for place in range(count)]),
        "splits": np.array(["train", "val"])[np.arange(count) % 2],
        "start_seconds": np.full(count, np.nan),
        "end_seconds": np.full(count, np.nan),
        "classes": np.array([f"class {number}" for number in range(labels.max() + 1)]),
        **{f"bad_{name}": np.array([], dtype=np.str_) for name in ("files", "splits", "reasons")},
        **{f"bad_{name}_seconds": np.array([]) for name in ("start", "end")},
        **{"model_sha256": np.array("0" * 64), "views": np.array([1, 1]), "data_root": np.array("/videos")},
    }
    return Features(features=features, labels=labels, **{**values, **named})


def test_suspects_are_told_with_their_evidence_and_pieces_of_a_file_are_one_recording():
    features, right = blobs(2)
    given, wrong = flipped(right, 2)
    place = int(wrong[0])
    files = np.array([f"{number}.mp4" for number in range(len(given))])
    start = np.full(len(given), np.nan)
    # A piece of the same file with the same wrong label and almost the same look.
    other = int(np.flatnonzero(~np.isin(np.arange(len(given)), wrong))[0])
    files[other], features[other], given[other] = files[place], features[place], given[place]
    start[place], start[other] = 0.5, 7.25
    table = table_of(features, given, files=files, start_seconds=start)
    suspects, alike, found = find_suspects(table, {}, 0.1)
    assert len(suspects) == len(alike) == round(0.1 * len(given))
    assert [one.rank for one in suspects] == list(range(1, len(suspects) + 1))
    assert [one.score for one in suspects] == sorted((one.score for one in suspects), reverse=True)
    mine = next(one for one in suspects if one.start_seconds == 0.5)
    assert (mine.label, mine.suggested_label) == (f"class {given[place]}", f"class {right[place]}")
    assert mine.near[0] >= 18
    assert mine.near[2] == 20
    assert mine.reason == (
        f"by the other videos it is 'class {right[place]}' ({mine.chances[0]:.2f}) rather than 'class {given[place]}' "
        f"({mine.chances[1]:.2f}); of the 20 most alike, {mine.near[0]} are 'class {right[place]}' and {mine.near[1]} 'class {given[place]}'"
    )
    assert all(near.file != mine.file for near in alike[mine.rank - 1])
    assert unjudged_classes(table, found) == ()


def test_the_digest_of_a_list_is_of_its_content_and_not_of_its_order():
    from autox_video.dataset.annotations import Row

    rows = [Row("a.mp4", 0, "pyav"), Row("b.mp4", 1, "pyav", 1.0, None)]
    known = digest_of_rows(rows, ("x", "y"))
    assert digest_of_rows(rows[::-1], ("x", "y")) == known
    for changed in (
        [rows[0], Row("b.mp4", 0, "pyav", 1.0, None)],
        [rows[0], Row("b.mp4", 1, "pyav", 1.5, None)],
        [*rows, rows[0]],
    ):
        assert digest_of_rows(changed, ("x", "y")) != known
    assert digest_of_rows(rows, ("x", "z")) != known
