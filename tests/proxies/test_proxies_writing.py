"""A proxy has its original's frames at their times, whatever the original is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import odd_videos
import pytest
from moving import NUM_FRAMES, WAYS, write_moving
from odd_videos import OPEN_GROUPS, indices_of, turn, uneven_times, write_odd

from autox_video.decoding import DecodingError, open_video
from autox_video.proxies.writing import write_proxy

SIDE = 24
# Name: how it is written, and how far it is turned.
ORIGINALS = {
    "even.mp4": ({}, 0),
    "uneven.mp4": ({"milliseconds": uneven_times()}, 0),
    "uneven.mkv": ({"milliseconds": uneven_times()}, 0),
    "late.ts": ({"container": "mpegts"}, 0),
    "full_range.mkv": ({"codec": "mjpeg"}, 0),
    "simple.avi": ({"codec": "mpeg4"}, 0),
    "open_groups.mp4": ({"options": OPEN_GROUPS}, 0),
    "turned_90.mp4": ({}, 90),
    "turned_180.mp4": ({}, 180),
    "turned_270.mp4": ({"milliseconds": uneven_times()}, 270),
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_a_proxy_has_the_frames_of_its_original_at_their_times_and_upright(name, tmp_path):
    written, degrees = ORIGINALS[name]
    file = write_odd(tmp_path / name, **written)
    if degrees:
        turn(file, degrees)
    told: list[int] = []
    write_proxy(str(file), tmp_path / "proxies" / "p.mp4", SIDE, told.append)
    original, proxy = (open_video(str(path), "pyav") for path in (file, tmp_path / "proxies" / "p.mp4"))
    assert proxy.num_frames == original.num_frames == odd_videos.NUM_FRAMES
    np.testing.assert_allclose(proxy.times(), original.times(), atol=1e-6)
    # The last first: frames are found, and not only decoded one after the other.
    backwards = range(odd_videos.NUM_FRAMES - 1, -1, -1)
    large, small = (reader.frames(backwards) for reader in (original, proxy))
    assert small.shape[1:3] == ((32, 24) if degrees in (90, 270) else (24, 32))
    for rows in (slice(0, 4), slice(-4, None)):
        for columns in (slice(0, 4), slice(-4, None)):
            # The same grey tells the same frame, and one of the corners is black in both.
            means = [frames[:, rows, columns].mean(axis=(1, 2, 3)) for frames in (large, small)]
            np.testing.assert_allclose(means[1], means[0], atol=2)
    assert [path.name for path in (tmp_path / "proxies").iterdir()] == ["p.mp4"]


@pytest.mark.parametrize("name", WAYS)
def test_each_frame_stands_in_its_place_however_the_original_stores_them(name, tmp_path):
    file, copy = write_moving(tmp_path / name, name), tmp_path / "proxy.mp4"
    write_proxy(str(file), copy, 48)
    large, small = (open_video(str(path), "pyav") for path in (file, copy))
    wanted = large.frames(range(NUM_FRAMES), None, (64, 48)).astype(float)
    found = small.frames(range(NUM_FRAMES)).astype(float)
    alike = [int(np.abs(wanted - frame).mean(axis=(1, 2, 3)).argmin()) for frame in found]
    assert alike == list(range(NUM_FRAMES))


def test_frames_that_are_damaged_are_the_ones_before_them_as_in_the_original(tmp_path):
    file = write_odd(tmp_path / "a.avi", codec="mpeg4")
    content = bytearray(file.read_bytes())
    third = len(content) // 3
    content[third : third + 400] = b"\0" * 400
    file.write_bytes(content)
    write_proxy(str(file), tmp_path / "p.mp4", SIDE)
    original, proxy = (open_video(str(path), "pyav") for path in (file, tmp_path / "p.mp4"))
    assert proxy.num_frames == original.num_frames
    # Every twelfth frame can be decoded by itself.
    later = range(24, original.num_frames)
    assert indices_of(proxy.frames(later)) == indices_of(original.frames(later))


def test_what_is_no_video_leaves_nothing_behind(tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"this is no video")
    with pytest.raises(DecodingError, match="is no video, or its header is damaged or cut off"):
        write_proxy(str(file), tmp_path / "proxies" / "p.mp4", SIDE)
    assert not (tmp_path / "proxies").exists()


def test_colours_stay(tmp_path):
    import av

    file = tmp_path / "a.mp4"
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[:, :64], picture[:, 64:] = (200, 40, 60), (30, 90, 220)
    with av.open(str(file), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.colorspace = 1  # BT.709, which a small video is not taken for unless it says so
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            output.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))
        output.mux(stream.encode(None))
    write_proxy(str(file), Path(tmp_path / "p.mp4"), SIDE)
    large, small = (open_video(str(path), "pyav").frames([2])[0] for path in (file, tmp_path / "p.mp4"))
    for left in (slice(0, 8), slice(-8, None)):
        np.testing.assert_allclose(small[:, left].mean(axis=(0, 1)), large[:, left].mean(axis=(0, 1)), atol=3)
