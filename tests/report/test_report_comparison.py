from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from runs import run_cli
from test_report_folds import pooled, scored
from test_report_motion_probe import CLASSES, vote

from autox_video.errors import RequestError
from autox_video.predictions import Prediction, Predictions, mark_recordings
from autox_video.report.comparison import compare_runs, comparison_lines, holm
from autox_video.report.outcome import make_outcome
from autox_video.report.side_by_side import aligned, predictions_of
from autox_video.report.writers import write_results
from autox_video.using.compare import compare


def said(*digits: str, task: str = "single_label") -> Predictions:
    """Videos whose true class and predicted one a pair of digits says."""
    rows = tuple(
        Prediction(f"{number}.mp4", (int(true),) if task == "multi_label" else int(true), vote(int(taken)))
        for number, (true, taken) in enumerate(digits)
    )
    thresholds = (0.5,) * 3 if task == "multi_label" else None
    return Predictions(task, "nano", CLASSES, "/best.pth", "0" * 64, 3, "/videos", 1, 1, rows, thresholds)


POOR, GOOD = ["00"] * 20 + ["12"] * 10, ["00"] * 20 + ["11"] * 10


def test_a_difference_that_shows_is_told_with_its_interval_and_its_chance():
    (found,) = compare_runs({"A": said(*POOR), "B": said(*GOOD)})
    assert (found.only_first_right, found.only_second_right) == (0, 10)
    assert found.p == pytest.approx(2 / 2**10)
    assert (found.gain.figure, found.gain.value) == ("top1", pytest.approx(1 / 3))
    assert found.gain.low > 0
    assert found.told == "B is better, and more than the chance of which 30 videos were tested"
    assert [(one.label, one.num_videos, one.first, one.second, one.difference) for one in found.per_class] == [
        ("ball", 20, 1.0, 1.0, 0.0),
        ("left", 10, 0.0, 1.0, 1.0),
    ]
    first = found.changed[0]
    assert len(found.changed) == 10
    assert (first.file, first.true, first.first, first.second, first.right) == (
        "20.mp4",
        ("left",),
        ("jump",),
        ("left",),
        "second",
    )
    (other,) = compare_runs({"B": said(*GOOD), "A": said(*POOR)})
    assert other.told == "A is worse, and more than the chance of which 30 videos were tested"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (GOOD, GOOD, "none of the 30 videos is right in one and wrong in the other: this test cannot tell them apart"),
        # Both are wrong on it, each in its own way.
        (
            [*GOOD, "12"],
            [*GOOD, "10"],
            "none of the 31 videos is right in one and wrong in the other: this test cannot tell them apart",
        ),
        (
            [*GOOD[:-3], "12", "12", "12"],
            GOOD,
            "too few to tell: the 30 videos do not show which is better; the two are unlike on 3 only, which can show "
            "nothing (six to none could)",
        ),
        (
            [*GOOD[:-3], "12", "12", "12", *["00"] * 6],
            [*GOOD, *["02"] * 6],
            "too few to tell: the 36 videos do not show which is better; as they are unlike on 9, a difference of 0.194 "
            "is the smallest that could have shown",
        ),
    ],
)
def test_where_the_test_cannot_tell_it_says_so_and_what_it_could_have_told(first, second, told):
    (found,) = compare_runs({"A": said(*first), "B": said(*second)})
    assert found.told == told


def test_videos_of_one_recording_show_less():
    runs = {"A": said(*POOR), "B": said(*GOOD)}
    films = {("test", f"{number}.mp4"): "a film" if number >= 20 else f"film {number}" for number in range(30)}
    (found,) = compare_runs({name: mark_recordings(run, films) for name, run in runs.items()})
    assert found.gain.num_groups == 21
    assert found.gain.low == 0.0
    assert (found.p, found.test) == (1.0, "exact sign-flip test, each of 21 recordings as a whole")
    assert found.told == (
        "too few to tell: the 30 videos of 21 recordings do not show which is better; the two are unlike on 10 "
        "(on balance in 1 recording) only, which can show nothing (six to none could)"
    )


def test_several_comparisons_are_corrected_for_their_number():
    runs = {"A": said(*POOR), "B": said(*GOOD), "C": said(*GOOD[:-2], "12", "12")}
    b, c = compare_runs(runs)
    assert (b.p, c.p) == (pytest.approx(2 * 2 / 2**10), pytest.approx(2 / 2**8))
    assert holm([0.01, 0.04, 0.03, 0.6]) == pytest.approx([0.04, 0.09, 0.09, 0.6])
    assert holm([]) == []


def test_several_labels_are_compared_by_all_labels_of_a_video_and_each_label_by_itself():
    (found,) = compare_runs({"A": said(*POOR, task="multi_label"), "B": said(*GOOD, task="multi_label")})
    assert (found.gain.figure, found.first_right, found.second_right) == (
        "mean_average_precision",
        pytest.approx(2 / 3),
        1.0,
    )
    assert [(one.label, one.first, one.second) for one in found.per_class] == [("ball", 1.0, 1.0), ("left", 0.0, 1.0)]


@pytest.mark.parametrize("own", [((0.5, 0.4), (0.8, 0.2)), ((0.5, 0.3), None)])
def test_each_fold_is_judged_by_its_own_thresholds_whatever_the_order_of_the_classes(own):
    folds = (
        (scored("a.mp4", (0,), 0.9, 0.25), scored("b.mp4", (0, 1), 0.6, 0.45)),
        (scored("c.mp4", (1,), 0.45, 0.3), scored("d.mp4", (1,), 0.1, 0.35)),
    )
    first = make_outcome(pooled("multi_label", ("run", "jump"), *folds, thresholds=own))
    turned = [
        [dataclasses.replace(row, label=tuple(1 - n for n in row.label), scores=row.scores[::-1]) for row in rows]
        for rows in folds
    ]
    turned_levels = tuple(level and level[::-1] for level in own)
    second = make_outcome(pooled("multi_label", ("jump", "run"), *turned, thresholds=turned_levels))
    assert first.metrics.exact_match == second.metrics.exact_match == 1.0
    runs = aligned({"A": predictions_of(first), "B": predictions_of(second)}, "test videos", "")
    (found,) = compare_runs(runs)
    assert (found.first_right, found.second_right, found.changed) == (1.0, 1.0, ())


def test_without_labels_there_is_nothing_to_compare():
    bare = Predictions(
        "single_label", "nano", CLASSES, "", "", 0, "/", 1, 1, (Prediction("a.mp4", None, np.float32([1, 0, 0])),)
    )
    with pytest.raises(RequestError) as caught:
        compare_runs({"A": bare, "B": bare})
    assert (
        str(caught.value) == "compare: no labelled video is scored by every run. Test the runs on a list with labels."
    )


def test_the_command_prints_a_table_and_writes_it(tmp_path):
    for name, digits in (("A", POOR), ("B", GOOD)):
        write_results(make_outcome(said(*digits)), tmp_path / name / "results.json")
    runs = (str(tmp_path / "A"), str(tmp_path / "B" / "results.json"))
    output = run_cli("compare", *runs, "-o", str(tmp_path / "out"))
    found = json.loads((tmp_path / "out" / "compare.json").read_text())
    gain = found["comparisons"][0]["gain"]
    assert output.splitlines() == [
        f"{runs[0]} -> {runs[1]}",
        f"  top1 +0.333, 95 % interval {gain['low']:+.3f} to {gain['high']:+.3f}; right on 0.667 -> 1.000 of 30 videos",
        "  only the first is right on 0, only the second on 10; p = 0.00195 (McNemar's exact test)",
        f"  {runs[1]} is better, and more than the chance of which 30 videos were tested",
        "  class  videos  first  second  difference (95 % interval)",
        "  left       10  0.000   1.000  +1.000 (+0.445 to +1.000)",
        "  10 videos changed:",
        *[f"    {number}.mp4: jump -> left (it is left)" for number in range(20, 30)],
        f"compare  {tmp_path / 'out' / 'compare.json'}",
        f"page     {tmp_path / 'out' / 'comparison.html'}",
    ]
    assert found["comparisons"][0]["verdict"] == "better"
    assert comparison_lines([]) == []


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (("A",), "compare: needs at least two runs (got 1). Name their work dirs."),
        (("A", "A"), "compare: names a run twice (got A, A). Name each once."),
        (
            ("A", "gone"),
            "gone: does not exist. Test the run first, or name the JSON file that test_results_path says.",
        ),
        (("A", "B"), "B: has other test videos than A: 0 more, 1 fewer (29.mp4). Test all of them on one list."),
    ],
)
def test_runs_that_do_not_go_together_are_refused(runs, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, digits in (("A", GOOD), ("B", GOOD[:-1])):
        write_results(make_outcome(said(*digits)), tmp_path / name / "results.json")
    from pathlib import Path

    with pytest.raises(RequestError) as caught:
        compare([Path(run) for run in runs], tmp_path)
    assert str(caught.value) == told
