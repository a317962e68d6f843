from __future__ import annotations

import os
from pathlib import Path

import pytest
from odd_videos import write_odd
from videos import write_images

from autox_video.dataset.annotations import write_annotations
from autox_video.dataset.entries import Sample
from autox_video.dataset.probe import probe_videos
from autox_video.proxies.listing import Proxied, list_proxies, read_originals, read_proxies, write_originals
from autox_video.proxies.sizes import frame_size, is_worthwhile, proxy_side
from autox_video.work_dir import WorkDir

SIDE = 24
FPS = 10  # of `write_odd`: 40 frames, 4 s


def listed(work_dir: WorkDir, data: Path, train: list[Sample], decoders: list[str] | None = None):
    """List the proxies of such a training list."""
    files = [os.path.join(data, sample.path) for sample in train]
    probe_videos(files, work_dir.probe_cache)
    write_annotations(work_dir.annotations("train"), train, decoders or ["pyav"] * len(train))
    write_annotations(work_dir.annotations("val"), train[:1], ["pyav"])
    return list_proxies(work_dir, str(data), SIDE)


def test_a_changed_video_has_another_proxy_and_a_copy_of_it_the_same(tmp_path):
    work_dir, data = WorkDir(tmp_path / "runs" / "run"), tmp_path / "data"
    file = write_odd(data / "a.mp4")
    (data / "same.mp4").write_bytes(file.read_bytes())
    samples = [Sample("a.mp4", 0, "", ""), Sample("same.mp4", 0, "", "")]
    first = listed(work_dir, data, samples)
    (one,) = first.proxied
    assert one == Proxied(str(file), one.proxy, SIDE, 40)
    assert Path(one.proxy).parent == tmp_path / "runs" / "proxies"
    assert read_proxies(work_dir.proxy_list) == {"a.mp4": one.proxy, "same.mp4": one.proxy}
    assert first.to_write(work_dir) == [one]
    write_odd(file, milliseconds=range(0, 8000, 200))
    second = listed(work_dir, data, samples)
    assert {other.file: other.proxy == one.proxy for other in second.proxied} == {
        str(file): False,
        str(data / "same.mp4"): True,
    }


def test_small_videos_folders_of_images_and_little_used_ones_have_none(tmp_path):
    work_dir, data = WorkDir(tmp_path / "run"), tmp_path / "data"
    write_odd(data / "large.mp4")
    write_odd(data / "long.mp4", milliseconds=range(0, 4040, 101))
    write_odd(data / "small.mp4", width=40, height=28)
    write_images(data / "images", size=(64, 48))
    train = [
        Sample("large.mp4", 0, "", "", 0.0, 0.5),
        Sample("large.mp4", 1, "", "", 2.0, 2.5),
        Sample("long.mp4", 0, "", "", 1.0, 1.9),
        Sample("small.mp4", 0, "", ""),
        Sample("images", 0, "", ""),
    ]
    found = listed(work_dir, data, train, ["pyav"] * 4 + ["images@25"])
    assert list(read_proxies(work_dir.proxy_list)) == ["large.mp4"]
    assert (found.num_videos, found.num_pieces) == (4, 1)


def test_proxies_that_were_given_up_are_remembered(tmp_path):
    file = tmp_path / "of_run" / "no_proxy.tsv"
    assert read_originals(file) == {}
    write_originals(file, {"/proxies/é.mp4": "no proxy: the disk is full"})
    assert read_originals(file) == {"/proxies/é.mp4": "no proxy: the disk is full"}


@pytest.mark.parametrize(
    ("input_size", "min_crop_area", "side"), [(224, 0.08, 256), (112, 0.5, 128), (32, 0.08, 38), (224, 1, 224)]
)
def test_a_proxy_is_as_large_as_the_crops_need_it(input_size, min_crop_area, side):
    assert proxy_side(input_size, min_crop_area) == side


@pytest.mark.parametrize(
    ("width", "height", "size"), [(1920, 1080, (456, 256)), (1080, 1920, (256, 456)), (341, 333, (262, 256))]
)
def test_a_proxy_has_the_shape_of_its_original_and_even_sides(width, height, size):
    assert frame_size(width, height, 256) == size


def test_a_video_hardly_larger_than_its_proxy_gets_none():
    assert [is_worthwhile(side, 256) for side in (240, 307, 308, 1080)] == [False, False, True, True]
