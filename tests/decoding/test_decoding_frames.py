"""PyAV's frames: those that are asked for and no others, a part of them, in the size that is wanted."""

from __future__ import annotations

import os

import av
import cv2  # before decord, whose zlib would take the place of its own
import decord
import numpy as np
import pytest
from moving import NUM_FRAMES, WAYS, all_frames, moving_pictures, write_moving
from odd_videos import turn

from autox_video.decoding import DecodingError, packets
from autox_video.decoding.pictures import Pictures
from autox_video.decoding.pyav_reader import PyavReader

# Of these every frame from a key frame on is decoded, or from the first: see `PyavReader`.
DECODED_WHOLE = {"fields.mp4", "untimed.avi", "raw.h264"}
LEFT_OUT = {"pyramid.mp4", "open.mp4", "short.mkv", "stream.ts", "between.avi", "mpeg2.ts", "hevc.mp4"}
# Mean absolute difference, of 255, from the whole frame in RGB cut and scaled bilinearly.
TOLERANCE = 2.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("moving")
    for name in WAYS:
        write_moving(root / name, name)
    return root


def orders() -> list[list[int]]:
    rng = np.random.default_rng(3)
    dense = [list(range(first, first + 2 * length, 2)) for first, length in ((0, 8), (23, 16), (11, 3))]
    return [*dense, list(range(NUM_FRAMES))[::-7], [59], [30, 30, 2, 30], *rng.integers(0, NUM_FRAMES, (8, 5)).tolist()]


@pytest.mark.parametrize("name", WAYS)
def test_frames_are_those_of_a_decode_of_the_whole_video_bit_for_bit(folder, name, monkeypatch):
    whole, video = all_frames(folder / name), PyavReader(str(folder / name))
    assert video.num_frames == len(whole) == NUM_FRAMES
    sent: list[int] = []
    with_all = PyavReader._with_all
    monkeypatch.setattr(PyavReader, "_with_all", lambda self, left: sent.extend(left) or with_all(self, left))
    for order in orders():
        assert np.array_equal(video.frames(order), whole[order]), order
    assert (sent != []) == (name in DECODED_WHOLE)


@pytest.mark.parametrize("name", sorted(set(WAYS) - DECODED_WHOLE))
def test_frames_that_no_other_needs_are_left_out_of_codecs_that_name_them(folder, name):
    """What comes out for one frame: by its count alone, what is left out is seen."""
    video = PyavReader(str(folder / name))
    first, last = max(video._stretches(range(NUM_FRAMES)), key=lambda stretch: stretch[1] - stretch[0])
    decoder = video._stream.codec_context
    num_frames = 0
    for packet in video._to_place(first):
        decoder.skip_frame = "NONREF" if video.packets.may_leave_out else "DEFAULT"
        num_frames += len(decoder.decode(packet))
    num_frames += len(decoder.decode(None))
    assert (num_frames < last - first) == (name in LEFT_OUT)


def test_nothing_is_decoded_before_the_key_frame_and_behind_the_last_frame(folder, monkeypatch):
    video = PyavReader(str(folder / "short.mkv"))
    keys = np.flatnonzero(video.packets.keys[video.packets.places])
    assert len(keys) >= 5
    for index in (int(keys[2]), int(keys[2]) + 1):
        ((first, last),) = video._stretches([index])
        assert (first, last) == (video.packets.places[keys[2]], video.packets.places[index])
    assert len(video._stretches([1, int(keys[3])])) == 2


@pytest.mark.parametrize("name", ["pyramid.mp4", "between.avi"])
def test_damage_leads_to_the_same_frames_by_whichever_way(folder, tmp_path, name):
    content = bytearray((folder / name).read_bytes())
    with av.open(str(folder / name)) as file:
        found = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    position, size = found[len(found) // 2]
    content[position + 8 : position + 8 + size // 2] = bytes(size // 2)
    (tmp_path / name).write_bytes(content)
    video = PyavReader(str(tmp_path / name))
    together = video.frames(range(NUM_FRAMES))
    untouched = PyavReader(str(folder / name)).frames(range(10))
    assert np.array_equal(together[:10], untouched)
    assert together.shape == (NUM_FRAMES, 96, 128, 3)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuv420p10le", "gray", "rgb24"])
@pytest.mark.parametrize("size", [(49, 37), (112, 112), (300, 200), None])
def test_a_box_is_cut_and_scaled_as_if_it_were_from_the_whole_frame(pixels, size):
    rgb = next(moving_pictures(322, 242))
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixels)
    whole = frame.reformat(format="rgb24").to_ndarray()
    pictures = Pictures(322, 242, 0)
    for box in ((0, 0, 322, 242), (31, 17, 260, 201), (5, 1, 120, 240)):
        left, top, right, bottom = box
        expected = whole[top:bottom, left:right]
        if size is not None:
            expected = cv2.resize(expected, size, interpolation=cv2.INTER_AREA if size[0] < 60 else cv2.INTER_LINEAR)
        found = drawn(pictures, frame, box, size)
        assert found.shape == expected.shape
        assert difference(found, expected) < TOLERANCE


@pytest.mark.parametrize("space", [1, 2, 5, 6, 7, 9])
@pytest.mark.parametrize("reach", [0, 1, 2])
def test_colours_are_those_of_swscale_in_every_space_and_range(space, reach):
    planes = np.random.default_rng(1).integers(16, 235, (3, 4, 6)).astype(np.uint8)
    smooth = np.stack([cv2.resize(plane, (96, 64), interpolation=cv2.INTER_CUBIC) for plane in planes])
    frame = av.VideoFrame.from_ndarray(smooth, format="yuv444p")
    frame.colorspace, frame.color_range = space, reach
    expected = frame.to_ndarray(format="rgb24")
    found = drawn(Pictures(96, 64, 0), frame, (0, 0, 96, 64), (48, 32))
    assert difference(found, cv2.resize(expected, (48, 32), interpolation=cv2.INTER_AREA)) < 1.2


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_box_is_one_of_the_upright_picture(tmp_path, degrees):
    path = turn(write_moving(tmp_path / "turned.mp4", "short.mkv"), degrees)
    video = PyavReader(str(path))
    assert (video.width, video.height) == ((128, 96) if degrees == 180 else (96, 128))
    left, top, right, bottom = box = (10, 30, 70, 90)
    upright = np.rot90(all_frames(path)[20], {90: 3, 180: 2, 270: 1}[degrees])
    assert np.array_equal(video.frames([20])[0], upright)
    assert np.array_equal(video.frames([20], box)[0], upright[top:bottom, left:right])
    small = cv2.resize(upright[top:bottom, left:right], (48, 40), interpolation=cv2.INTER_LINEAR)
    assert difference(video.frames([20], box, (48, 40))[0], small) < TOLERANCE


@pytest.mark.parametrize("name", ["pyramid.mp4", "short.mkv", "plain.avi", "vp9.webm", "intra.mp4"])
def test_pixels_are_those_of_decord(folder, name):
    order = [0, 20, 21, 40, 59]
    expected = decord.VideoReader(str(folder / name), num_threads=1).get_batch(order).asnumpy()
    assert difference(PyavReader(str(folder / name)).frames(order), expected) < 0.1


def test_frames_that_change_their_size_get_that_of_the_first(tmp_path):
    first, second = (write_moving(tmp_path / f"{w}.ts", "stream.ts", w, 96) for w in (128, 64))
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + second.read_bytes())
    video = PyavReader(str(tmp_path / "both.ts"))
    last = video.num_frames - 1
    assert video.frames([0, last]).shape == (2, 96, 128, 3)
    assert video.frames([last], (0, 0, 64, 48), (32, 24)).shape == (1, 24, 32, 3)


def test_packets_are_read_once_and_again_after_a_change(folder, tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    path.write_bytes((folder / "open.mp4").read_bytes())
    read: list[str] = []
    original = PyavReader._read
    monkeypatch.setattr(PyavReader, "_read", lambda self: read.append(self._file) or original(self))
    for _ in range(3):
        PyavReader(str(path))
    assert len(read) == 1
    os.utime(path, ns=(0, 0))
    PyavReader(str(path))
    assert len(read) == 2


def test_what_is_remembered_of_packets_is_bounded(folder, monkeypatch):
    kept = packets._Kept()
    monkeypatch.setattr(packets, "MAX_KEPT_BYTES", 3 * PyavReader(str(folder / "open.mp4")).packets.num_bytes)
    read: list[str] = []
    for name in [*WAYS, *WAYS]:
        video = PyavReader(str(folder / name))
        kept.of(str(folder / name), lambda name=name, video=video: read.append(name) or video.packets)
    assert len(kept._found) == 3
    assert read == [*WAYS, *WAYS]


def test_frames_of_what_cannot_be_decoded_at_all_are_refused(folder, tmp_path):
    content = bytearray((folder / "intra.mp4").read_bytes())
    with av.open(str(folder / "intra.mp4")) as file:
        for packet in [packet for packet in file.demux(video=0) if packet.size]:
            content[packet.pos + 4 : packet.pos + packet.size] = bytes(packet.size - 4)
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DecodingError, match="is damaged: neither frame 7 nor one before it can be decoded"):
        PyavReader(str(tmp_path / "a.mp4")).frames([7])


def drawn(pictures: Pictures, frame: av.VideoFrame, box: tuple[int, int, int, int], size: tuple | None) -> np.ndarray:
    width, height = size or (box[2] - box[0], box[3] - box[1])
    out = np.zeros((height, width, 3), np.uint8)
    pictures.draw(frame, box, out)
    return out


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())
