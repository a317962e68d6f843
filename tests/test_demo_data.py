"""The demo videos: what they show, what they do not give away, and that a user's folder is safe from them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import decord
import numpy as np
import pytest
from runs import run_cli

from autox_video import demo_data
from autox_video.demo_data import CLIPS_PER_CLASS, MOTIONS, NUM_FRAMES, SIDE_PX, DemoData, render_clip, write_demo_data
from autox_video.errors import RequestError, RunError

CENTRED = {"across": 0.5, "down": 0.5, "turned": 0.0, "size": 0.5}
SPREAD = np.linspace(0, 1, 40, endpoint=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DemoData:
    return write_demo_data(tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture
def few(monkeypatch) -> None:
    """One clip of each class and split, for tests of what happens to a folder."""
    monkeypatch.setattr(demo_data, "CLIPS_PER_CLASS", {"train": 1, "val": 1, "test": 1})


def draw(**phases: float) -> np.ndarray:
    look = demo_data._Look(np.array([0.1, 0.25, 0.05]), np.array([0.3, 1.0, 2.0]), np.full(3, 60.0), np.full(3, 230.0))
    return demo_data._draw(np.zeros((SIDE_PX, SIDE_PX, 3)), look, **CENTRED | phases).astype(int)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_lists_name_every_video_with_its_class(data):
    listed = {}
    for split, ann_file in data.ann_files.items():
        lines = [line.split() for line in ann_file.read_text(encoding="utf-8").splitlines()]
        assert Counter(name for _, name in lines) == dict.fromkeys(MOTIONS, CLIPS_PER_CLASS[split])
        listed |= dict(lines)
    assert sorted(listed) == sorted(path.name for path in data.data_root.iterdir())
    assert data.classes == tuple(MOTIONS)


def test_the_whole_folder_is_small(data):
    assert sum(len(content) for content in contents(data.folder).values()) < 6e6


def test_no_two_videos_are_the_same(data):
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in data.data_root.iterdir()]
    assert len(set(digests)) == len(digests) == len(MOTIONS) * sum(CLIPS_PER_CLASS.values())


@pytest.mark.parametrize("class_name", MOTIONS)
def test_a_file_holds_the_frames_it_was_made_from(data, class_name):
    reader = decord.VideoReader(str(data.data_root / f"test_{class_name}_03.mp4"))
    decoded = reader.get_batch(range(len(reader))).asnumpy()
    frames = render_clip(class_name, "test", 3)
    assert decoded.shape == frames.shape == (NUM_FRAMES, SIDE_PX, SIDE_PX, 3)
    assert reader.get_avg_fps() == demo_data.FPS
    loss = np.abs(decoded.astype(int) - frames).mean(axis=(1, 2, 3))
    change = np.abs(frames[NUM_FRAMES // 2].astype(int) - frames[0]).mean()
    assert loss.max() < change / 2


def test_frames_are_the_same_on_every_machine():
    clips = [render_clip("turn_clockwise", "train", 7), render_clip("grow", "test", 9, seed=5)]
    assert [hashlib.sha256(clip.tobytes()).hexdigest()[:16] for clip in clips] == [
        "2fc45149b8dee9b7",
        "936972f83cf9833d",
    ]


@pytest.mark.parametrize(
    ("phase", "step", "expected"),
    [
        ("across", 8 / SIDE_PX, lambda frame: np.roll(frame, 8, axis=1)),
        ("down", 8 / SIDE_PX, lambda frame: np.roll(frame, 8, axis=0)),
        ("across", -0.5, lambda frame: np.roll(frame, SIDE_PX // 2, axis=1)),
        ("turned", 0.25, lambda frame: np.rot90(frame, k=-1)),
    ],
    ids=["right", "downwards", "over the border", "clockwise"],
)
def test_a_phase_does_what_its_name_says(phase, step, expected):
    moved = draw(**{phase: CENTRED[phase] + step})
    assert np.abs(moved - expected(draw())).max() <= 1
    assert np.abs(moved - draw()).max() > 100


def test_a_larger_size_covers_more():
    covered = [int((draw(size=size) > 0).any(axis=-1).sum()) for size in SPREAD]
    assert covered == sorted(covered)
    assert covered[-1] > 4 * covered[0]


@pytest.mark.parametrize(
    ("class_name", "moving", "step"),
    [
        ("move_left", "across", -0.03),
        ("move_right", "across", 0.03),
        ("move_up", "down", -0.03),
        ("move_down", "down", 0.03),
        ("turn_clockwise", "turned", 0.03),
        ("turn_counter_clockwise", "turned", -0.03),
        ("grow", "size", 0.03),
        ("shrink", "size", -0.03),
    ],
)
def test_a_class_moves_one_phase_and_no_single_frame_tells_which(class_name, moving, step):
    clips = [demo_data.move(class_name, CENTRED | {moving: start}, travel=0.6) for start in SPREAD]
    for start, clip in zip(SPREAD, clips, strict=True):
        assert [now[moving] for now in clip] == pytest.approx([(start + step * t) % 1 for t in range(NUM_FRAMES)])
        assert all(now | {moving: 0} == CENTRED | {moving: 0} for now in clip)
    # Starts spread evenly over the circle stay so in every frame, whichever way they move.
    for time in range(NUM_FRAMES):
        phases = np.sort([clip[time][moving] for clip in clips])
        gaps = np.diff([*phases, phases[0] + 1])
        assert gaps == pytest.approx(np.full(len(SPREAD), 1 / len(SPREAD)))


def test_two_runs_write_the_same_bytes_and_another_seed_others(few, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_demo_data(tmp_path / name, seed=seed)
    first, again, other = (contents(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if name.endswith(".mp4"))


def test_data_that_is_there_already_is_left_alone(few, tmp_path):
    data = write_demo_data(tmp_path / "new" / "demo")
    (data.folder / "notes.txt").write_text("mine")
    before = {path: path.stat().st_mtime_ns for path in data.folder.rglob("*")}
    assert write_demo_data(tmp_path / "new" / "demo") == data
    assert {path: path.stat().st_mtime_ns for path in data.folder.rglob("*")} == before


def test_an_empty_folder_is_filled(few, tmp_path):
    (tmp_path / "demo").mkdir()
    data = write_demo_data(tmp_path / "demo")
    assert len(list(data.data_root.iterdir())) == 3 * len(MOTIONS)


def test_the_folder_is_as_readable_as_any_other(few, tmp_path):
    (tmp_path / "plain").mkdir()
    assert write_demo_data(tmp_path / "demo").folder.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("make", [lambda f: (f.mkdir(), (f / "mine.txt").write_text("")), lambda f: f.write_text("")])
def test_what_is_not_demo_data_is_not_touched(few, tmp_path, make):
    folder = tmp_path / "demo"
    make(folder)
    before = contents(tmp_path)
    with pytest.raises(RequestError) as caught:
        write_demo_data(folder)
    assert str(caught.value) == (
        f"{folder}: exists and is not demo data. Choose another folder, or remove this one; nothing in it was changed."
    )
    assert contents(tmp_path) == before


def test_every_changed_file_is_named(few, tmp_path):
    data = write_demo_data(tmp_path / "demo")
    edited, lost = data.ann_files["train"], data.data_root / "val_grow_00.mp4"
    edited.write_text("mine")
    lost.unlink()
    with pytest.raises(RequestError) as caught:
        write_demo_data(tmp_path / "demo")
    cure = "Choose another folder, or remove this one; nothing in it was changed."
    assert str(caught.value).splitlines() == [
        f"{path}: is not as the demo data was written. {cure}" for path in (edited, lost)
    ]
    assert edited.read_text() == "mine"


def test_data_of_another_seed_is_refused(few, tmp_path):
    write_demo_data(tmp_path / "demo", seed=3)
    with pytest.raises(RequestError) as caught:
        write_demo_data(tmp_path / "demo")
    assert str(caught.value) == (
        f"{tmp_path / 'demo'}: holds other demo data than version 1, seed 0 (got version 1, seed 3). "
        "Choose another folder, or remove this one; nothing in it was changed."
    )


def test_an_interruption_leaves_nothing(few, tmp_path, monkeypatch):
    encode, written = demo_data._encode, []

    def interrupted(path: Path, frames: np.ndarray) -> None:
        encode(path, frames)
        written.append(path)
        assert not (tmp_path / "demo").exists()
        if len(written) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(demo_data, "_encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_demo_data(tmp_path / "demo")
    assert len(written) == 5
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(few, tmp_path):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "demo"
    with pytest.raises(RunError) as caught:
        write_demo_data(folder)
    assert str(caught.value) == f"{folder}: cannot be written: File exists. Free space or choose another folder."


def test_a_video_that_was_not_written_is_named(tmp_path):
    frames = render_clip("grow", "val", 0)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(RunError) as caught:
        demo_data._encode(tmp_path / "folder.mp4", frames)
    assert str(caught.value) == (
        f"{tmp_path / 'folder.mp4'}: OpenCV cannot open it to write MPEG-4 video. "
        "Run `autox-video doctor`; see whether the folder may be written."
    )
    # The encoder drops frames of another size without a word, as it does where the disk is full.
    with pytest.raises(RunError) as caught:
        demo_data._encode(tmp_path / "cut.mp4", frames[:, :32])
    assert str(caught.value) == (f"{tmp_path / 'cut.mp4'}: was not written whole. Free space or choose another folder.")


def test_the_command_says_where_the_data_is(few, tmp_path):
    assert run_cli("demo-data", str(tmp_path / "demo")) == f"demo data: {tmp_path / 'demo'}\n"
    manifest = json.loads((tmp_path / "demo" / "manifest.json").read_text())
    assert (manifest["version"], manifest["seed"], len(manifest["sha256"])) == (1, 0, 3 * len(MOTIONS) + 3)
