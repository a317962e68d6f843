from __future__ import annotations

import cv2
import numpy as np
import pytest
from videos import write_image, write_images

from autox_video.dataset.probe import VideoFacts, probe_videos
from autox_video.decoding import DecodingError, open_video


@pytest.mark.parametrize(
    ("name", "start"),
    [("img_{:05}.jpg", 1), ("frame_{:06}.png", 0), ("{}.jpg", 8), ("{:04}_rgb.JPEG", 997), ("a{{1}} {:03}.bmp", 5)],
)
def test_frames_come_in_the_order_of_their_numbers(tmp_path, name, start):
    for index in range(6):
        write_image(tmp_path / "v" / name.format(start + index), brightness=40 * index + 20)
    (tmp_path / "v" / "notes.txt").touch()
    (tmp_path / "v" / ".img_00009.jpg").touch()
    video = open_video(str(tmp_path / "v"), "images@10")
    assert (video.num_frames, video.fps) == (6, 10.0)
    assert video.times() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    order = [5, 0, 3, 3, 1]
    assert (np.round(video.frames(order).mean(axis=(1, 2, 3)) - 20) // 39).astype(int).tolist() == order
    assert np.array_equal(video.frames(order), open_video(str(tmp_path / "v"), "images").frames(order))


def test_images_become_upright_rgb_of_eight_bits(tmp_path):
    red = np.zeros((20, 30, 3), np.uint8)
    red[..., 2] = 200
    cv2.imwrite(str(tmp_path / "1.png"), red)
    cv2.imwrite(str(tmp_path / "2.png"), np.full((20, 30), 51400, np.uint16))
    frames = open_video(str(tmp_path), "images").frames([0, 1])
    assert (frames.dtype, frames.shape) == (np.uint8, (2, 20, 30, 3))
    assert frames[0, 0, 0].tolist() == [200, 0, 0]
    assert frames[1, 0, 0].tolist() == [200, 200, 200]


def test_images_of_optical_flow_are_passed_over(tmp_path):
    for name in ("img_{:05}.jpg", "flow_x_{:05}.jpg", "flow_y_{:05}.jpg"):
        write_images(tmp_path, name=name, frames=3, brightness=200 if "img" in name else 50)
    video = open_video(str(tmp_path), "images")
    assert video.num_frames == 3
    assert video.frames([0, 1, 2]).mean() > 150


def cut(path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


DEFECTS = {
    "gap": "holds images with a gap, 2 missing from img_00004.jpg on: extract them again, or number them anew",
    "twice": "holds images of one number, img_00003.jpg and img_3.jpg: take one of them out",
    "kinds": "holds images of 2 kinds (img_*.jpg, thumb*.png): leave one kind in the folder",
    "none": "is a folder without numbered images",
    "text": "holds an image that is damaged or cut off, img_00002.jpg: extract it again",
    "empty": "holds an image that is damaged or cut off, img_00005.jpg: extract it again",
    "cut": "holds an image that is damaged or cut off, img_00002.jpg: extract it again",
    "cut_png": "holds an image that is damaged or cut off, 2.png: extract it again",
    "sizes": "holds images of several sizes (img_00001.jpg of 32x32 and img_00002.jpg of 32x24): scale them to one",
}


@pytest.fixture(scope="module")
def defects(tmp_path_factory):
    root = tmp_path_factory.mktemp("defects")
    for name in DEFECTS:
        write_images(root / name, frames=8, name="{}.png" if name == "cut_png" else "img_{:05}.jpg")
    for number in (4, 6):
        (root / "gap" / f"img_{number:05}.jpg").unlink()
    write_image(root / "twice" / "img_3.jpg")
    write_image(root / "kinds" / "thumb1.png")
    for path in (root / "none").iterdir():
        path.rename(path.with_suffix(".txt"))
    (root / "text" / "img_00002.jpg").write_text("this is no image")
    (root / "empty" / "img_00005.jpg").write_bytes(b"")
    cut(root / "cut" / "img_00002.jpg", 0.9)
    cut(root / "cut_png" / "2.png", 0.9)
    write_image(root / "sizes" / "img_00002.jpg", size=(32, 24))
    return root


def test_the_probe_names_what_is_wrong_in_a_folder_also_beyond_the_three_frames(defects, tmp_path):
    found = probe_videos([str(defects / name) for name in DEFECTS], tmp_path / "cache.json")
    assert {file.rpartition("/")[2]: answer for file, answer in found.items()} == DEFECTS


@pytest.mark.parametrize("name", ["text", "empty", "cut", "cut_png", "sizes"])
def test_training_meets_the_same_defects(defects, name):
    with pytest.raises(DecodingError) as caught:
        open_video(str(defects / name), "images@25").frames(range(8))
    assert str(caught.value) == DEFECTS[name]


def test_a_folder_that_was_read_is_known_again_until_an_image_changes(tmp_path):
    folder, cache = write_images(tmp_path / "v", frames=4, start=0), tmp_path / "cache.json"
    facts = probe_videos([str(folder)], cache)[str(folder)]
    assert isinstance(facts, VideoFacts)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert (facts.num_frames, facts.width, facts.height, facts.size_bytes) == (4, 32, 32, size)
    assert (facts.decoder, facts.fps, facts.unfit) == ("images", None, None)
    written = cache.stat().st_mtime_ns
    assert probe_videos([str(folder)], cache) == {str(folder): facts}
    assert cache.stat().st_mtime_ns == written
    write_image(folder / "img_00002.jpg", seed=99)
    changed = probe_videos([str(folder)], cache)[str(folder)]
    assert isinstance(changed, VideoFacts)
    assert changed.digest != facts.digest
