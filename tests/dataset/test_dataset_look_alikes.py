from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import write_video

from autox_video.dataset.frame_hashes import BITS, frame_hashes
from autox_video.dataset.look_alikes import MAX_BITS, find_look_alikes, similar
from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.demo_data import MOTIONS, render_clip


def hashes(frames: np.ndarray) -> list[str]:
    return frame_hashes(frames[[0, len(frames) // 2, len(frames) - 1]])


def encode(path: Path, frames: np.ndarray, *, codec: str = "mp4v", fps: float = 10, size: int = 64) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (size, size))
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.resize(frame[..., ::-1], (size, size), interpolation=cv2.INTER_AREA))
    writer.release()
    return path


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    return [render_clip(name, "train", number) for name in MOTIONS for number in range(6)]


def test_clips_of_other_content_are_never_alike(clips):
    assert similar([hashes(clip) for clip in clips]) == [[position] for position in range(len(clips))]
    second = [
        sorted(bin(int(a, 16) ^ int(b, 16)).count("1") for a, b in zip(one, other, strict=True))[1]
        for one, other in combinations([hashes(clip) for clip in clips], 2)
    ]
    assert min(second) > MAX_BITS + 10


def test_noise_of_one_brightness_is_not_alike(tmp_path):
    files = [str(write_video(tmp_path / f"{seed}.mp4", frames=6, seed=seed)) for seed in range(12)]
    known = probe_videos(files, tmp_path / "cache.json")
    assert find_look_alikes(known).look == {}


@pytest.mark.parametrize(
    "change",
    [
        {"codec": "MJPG", "name": "b.avi"},
        {"size": 160},
        {"fps": 5, "every": 2},
        {"brighter": 40},
        {"cut": 1},
    ],
    ids=lambda change: ", ".join(f"{key}={value}" for key, value in change.items()),
)
def test_a_copy_encoded_anew_is_found(tmp_path, clips, change):
    frames = clips[7][change.get("cut", 0) :: change.get("every", 1)]
    frames = np.clip(frames.astype(int) * 0.9 + change.get("brighter", 0), 0, 255).astype(np.uint8)
    how = {key: change[key] for key in ("codec", "fps", "size") if key in change}
    copy = encode(tmp_path / change.get("name", "b.mp4"), frames, **how)
    files = [str(encode(tmp_path / f"{index}.mp4", clip)) for index, clip in enumerate(clips[5:10])]
    known = probe_videos([*files, str(copy)], tmp_path / "cache.json")
    alike = find_look_alikes(known)
    assert alike.look.keys() == {files[2], str(copy)}
    assert len(set(alike.look.values())) == 1
    assert len(set(alike.content.values())) == 6


def test_equal_files_have_one_content(tmp_path, clip):
    copy = str(shutil.copy(clip, tmp_path / "copy.mp4"))
    alike = find_look_alikes(probe_videos([str(clip), copy], tmp_path / "cache.json"))
    assert alike.content[str(clip)] == alike.content[copy]
    assert alike.look == {}


def test_frames_of_one_colour_tell_nothing():
    plain = np.zeros((3, 48, 64, 3), np.uint8)
    assert frame_hashes(plain) == ["", "", ""]
    assert similar([["", "", "ff" * (BITS // 8)]] * 2) == [[0], [1]]


@pytest.mark.parametrize("shape", [(1, 1), (2, 500), (8, 9), (7, 7), (1080, 1920)])
def test_frames_of_any_size_have_a_hash(shape):
    frame = np.random.default_rng(0).integers(0, 255, (1, *shape, 3), dtype=np.uint8)
    text = frame_hashes(frame)[0]
    assert len(text) in ((0,) if shape == (1, 1) else (0, BITS // 4))


def flipped(text: str, count: int) -> str:
    return f"{int(text, 16) ^ ((1 << count) - 1):0{BITS // 4}x}"


@pytest.mark.parametrize(
    ("changes", "alike"),
    [
        ((MAX_BITS, MAX_BITS, MAX_BITS), True),
        ((0, 0, BITS), True),
        ((MAX_BITS, BITS, MAX_BITS), True),
        ((MAX_BITS, MAX_BITS + 1, MAX_BITS + 1), False),
        ((0, BITS, BITS), False),
    ],
)
def test_two_frames_of_three_decide(changes, alike):
    one = ["0123456789abcdef" * 2, "fedcba9876543210" * 2, "00ff00ff00ff00ff" * 2]
    other = [flipped(text, count) for text, count in zip(one, changes, strict=True)]
    assert similar([one, other]) == ([[0, 1]] if alike else [[0], [1]])


def test_among_many_videos_the_copies_are_found():
    rng = np.random.default_rng(0)
    videos = [[rng.bytes(BITS // 8).hex() for _ in range(3)] for _ in range(5000)]
    copies = [[flipped(text, 5) for text in hashes] for hashes in videos[:50]]
    found = [members for members in similar([*videos, *copies]) if len(members) > 1]
    assert found == [[index, 5000 + index] for index in range(50)]


def test_one_place_from_a_fixed_camera_is_not_a_set_of_copies():
    look = ("ab" * 16, "cd" * 16, "ef" * 16)
    known = {
        f"/v/{index}.mp4": VideoFacts(1, 1.0, 9, 9, 1, digest=f"{index:032x}", frame_hashes=look) for index in range(9)
    }
    alike = find_look_alikes(known)
    assert alike.look == {}
    assert alike.notes == (
        "9 videos look alike, too many to be copies of one: if they show one place from a fixed camera, "
        "name their recordings with data.group_pattern",
    )
    assert len(find_look_alikes(dict(list(known.items())[:8])).look) == 8
