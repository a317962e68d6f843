from __future__ import annotations

import pytest

from autox_video.dataset.entries import Sample
from autox_video.dataset.groups import find_groups, pattern_problems, summary, too_few_groups
from autox_video.dataset.look_alikes import LookAlikes
from autox_video.settings.schema import DataSettings, Settings

NOTHING_ALIKE = LookAlikes({}, {})


def samples(*paths: str, label: int | None = 0, groups: tuple[str | None, ...] = ()) -> list[Sample]:
    given = groups or (None,) * len(paths)
    return [Sample(path, label, "list", f"/v/{path}", group=group) for path, group in zip(paths, given, strict=True)]


def grouped(rows: list[Sample], pattern: str = "auto", alike: LookAlikes = NOTHING_ALIKE, guess: bool = True):
    grouping = find_groups(rows, Settings("/v", data=DataSettings(group_pattern=pattern)), alike, guess=guess)
    sets: dict[str, list[str]] = {}
    for row in rows:
        if row.file in grouping.group_of:
            sets.setdefault(grouping.group_of[row.file], []).append(row.path)
    return sets, grouping


@pytest.mark.parametrize(
    ("paths", "pattern", "groups"),
    [
        (
            ["v_Run_g01_c01.avi", "v_Run_g01_c02.avi", "v_Run_g02_c01.avi", "v_Jump_g01_c01.avi"],
            "auto",
            {"v_Run_g01": ["v_Run_g01_c01.avi", "v_Run_g01_c02.avi"]},
        ),
        (
            [
                "run/-pXXPvIyxPc_000106_000108.mp4",
                "run/-pXXPvIyxPc_000200_000210.mp4",
                "run/BJ50i-ceuZc_000133_000135.mp4",
            ],
            "auto",
            {"-pXXPvIyxPc": ["run/-pXXPvIyxPc_000106_000108.mp4", "run/-pXXPvIyxPc_000200_000210.mp4"]},
        ),
        (["s1_a.mp4", "s1_b.mp4", "s2_a.mp4"], r"^(s\d+)_", {"s1": ["s1_a.mp4", "s1_b.mp4"]}),
        (["s1_a.mp4", "s1_b.mp4", "s2_a.mp4"], r"s\d+", {"s1": ["s1_a.mp4", "s1_b.mp4"]}),
        (["x/s1_a.mp4", "y/s1_b.mp4", "x/s1_c.mp4"], r"^(\w)/(s\d+)_", {"x s1": ["x/s1_a.mp4", "x/s1_c.mp4"]}),
        (["v_Run_g01_c01.avi", "v_Run_g01_c02.avi"], "none", {}),
        (["v_Run_g01_c01.avi", "v_Run_g01_c02.avi"], "None", {}),
    ],
)
def test_names_tell_recordings(paths, pattern, groups):
    assert grouped(samples(*paths), pattern)[0] == groups


def test_the_column_goes_before_the_pattern_and_the_pattern_before_the_name():
    names = [f"v_Run_g01_c0{index}.avi" for index in range(5)]
    rows = samples(*names, groups=("tape 1", "tape  1", None, None, None))
    assert grouped(rows, "none")[0] == {"tape 1": names[:2]}
    assert grouped(rows, "c0[23]$")[0] == {"tape 1": names[:2]}
    sets, grouping = grouped(rows, "_c0[234]")
    assert sets == {"tape 1": names[:2]}
    assert grouping.notes == ()
    assert grouped(rows, "(Run)_g01_c0[23]")[0] == {"tape 1": names[:2], "Run": names[2:4]}
    assert grouped(rows)[0] == {"tape 1": names[:2], "v_Run_g01": names[2:]}


def test_what_the_pattern_does_not_match_stands_alone_and_is_told():
    sets, grouping = grouped(samples("s1_a.mp4", "s1_b.mp4", "x.mp4"), r"^s\d+")
    assert sets == {"s1": ["s1_a.mp4", "s1_b.mp4"]}
    assert grouping.notes == ("data.group_pattern matches all but 1 video",)


def test_a_pattern_that_is_none_is_a_problem():
    settings = Settings("/v", data=DataSettings(group_pattern="(s"), origins={"data.group_pattern": "config.yaml:3"})
    assert [str(problem) for problem in pattern_problems(settings)] == [
        "config.yaml:3: data.group_pattern: is not a regular expression: missing ), unterminated subpattern at position 0 "
        r"(got '(s'). Write one such as '^(.*)_clip\d+'."
    ]
    assert pattern_problems(Settings("/v")) == []


def classes(*names: str, clips: int = 2, pieces: str = "{cls}/{name}/{clip}.mp4") -> list[Sample]:
    return [
        row
        for label, cls in enumerate(("run", "jump"))
        for row in samples(
            *(pieces.format(cls=cls, name=name, clip=clip) for name in names for clip in range(clips)), label=label
        )
    ]


@pytest.mark.parametrize(
    ("rows", "number", "reason"),
    [
        (classes("r1", "r2", "r3"), 6, "shared folder"),
        (classes("r1", "r2"), 0, None),
        (classes("r1", "r2", "r3", clips=1), 0, None),
        (
            classes("p01", "p02", "p03", pieces="{cls}/{name}_{cls}_d{clip}.avi"),
            3,
            "number at the beginning of the name",
        ),
        (classes("p01", "p02", "p03", pieces="{cls}/{name}{clip}.avi"), 0, None),
        (classes("p", "q", "r", pieces="{cls}/{name}_{clip}.avi"), 0, None),
    ],
    ids=["folders", "two folders", "a clip each", "persons", "one number", "numbered clips"],
)
def test_folders_and_numbers_are_recordings_where_they_divide_every_class(rows, number, reason):
    sets, grouping = grouped(rows)
    assert len(sets) == number
    assert set(grouping.reasons.values()) == ({reason} if reason else set())
    assert grouped(rows, guess=False)[0] == {}


def test_equal_and_similar_videos_join_recordings():
    rows = samples("v_Run_g01_c01.avi", "v_Run_g01_c02.avi", "copy.mp4", "again.mp4", "other.mp4")
    alike = LookAlikes(
        {row.file: "same" if row.path in ("copy.mp4", "again.mp4") else row.path for row in rows},
        {"/v/v_Run_g01_c02.avi": "look", "/v/copy.mp4": "look", "/v/again.mp4": "look"},
    )
    sets, grouping = grouped(rows, alike=alike)
    assert sets == {"v_Run_g01": [row.path for row in rows[:4]]}
    assert grouping.reasons == {
        "/v/v_Run_g01_c01.avi": "gNN_cNN in the name",
        "/v/v_Run_g01_c02.avi": "gNN_cNN in the name, look-alike frames",
        "/v/copy.mp4": "same content, look-alike frames",
        "/v/again.mp4": "same content, look-alike frames",
    }
    assert summary(grouping, {row.file for row in rows}, "groups.tsv") == [
        "4 of 5 videos form 1 group, none of which is divided between splits, by look-alike frames (3), "
        "gNN_cNN in the name (2), same content (2): see groups.tsv"
    ]


def test_too_few_recordings_are_told_with_how_many_more():
    run, jump = samples(*"abcdef", label=0), samples(*"ghijkl", label=1)
    rows = [*run, *jump]
    one_each = {row.file: str(row.label) for row in rows}
    problems, notes = too_few_groups(rows, ["val", "test"], one_each, ("run", "jump"))
    assert notes == []
    assert [str(problem) for problem in problems] == [
        "val and test: 2 of 2 classes cannot be divided into train and val and test by recording: "
        "run needs 2 more, jump needs 2 more. "
        "Add videos of other recordings, correct data.group_pattern, or give ann_file_val and ann_file_test."
    ]
    assert too_few_groups(rows, ["val"], {row.file: row.path[:1] for row in rows}, ("run", "jump")) == ([], [])


def test_two_recordings_a_class_are_enough_for_folds():
    rows = [row for label in range(2) for row in samples(*(f"{label}{clip}" for clip in range(4)), label=label)]
    group_of = {row.file: f"{row.label} {row.path[1] in '01'}" for row in rows}
    problems, notes = too_few_groups(rows, ["val", "test"], group_of, ("run", "jump"))
    assert notes == []
    assert [str(problem) for problem in problems] == [
        "val and test: 2 of 2 classes cannot be divided into train and val and test by recording: "
        "run needs 1 more, jump needs 1 more. "
        "Add videos of other recordings, correct data.group_pattern, or give ann_file_val and ann_file_test; "
        "or set test.folds: 4, to test every video once."
    ]


def test_a_few_classes_of_too_few_recordings_are_only_noted():
    rows = [row for label in range(10) for row in samples(*(f"{label}{clip}" for clip in range(4)), label=label)]
    group_of = {row.file: "one" for row in rows if row.label == 3}
    problems, notes = too_few_groups(rows, ["val"], group_of, [f"class {label}" for label in range(10)])
    assert problems == []
    assert notes == ["1 of 10 classes cannot be divided into train and val by recording: class 3 needs 1 more"]


def test_a_class_of_few_videos_is_no_matter_of_groups():
    rows = samples("a", "b", label=0)
    problems, notes = too_few_groups(rows, ["val", "test"], {row.file: "g" for row in rows}, ("run",))
    assert problems == []
    assert notes == ["too few videos for train and val and test in 1 of 1 class: run needs 1 more"]
