from __future__ import annotations

import os

import av
import cv2  # noqa: F401  # before decord, whose zlib would take the place of its own: it would read no PNG
import decord
import numpy as np
import pytest
import videos
from odd_videos import NUM_FRAMES, OPEN_GROUPS, indices_of, turn, uneven_times, write_odd

from autox_video.dataset.probe import probe_videos
from autox_video.decoding import FILES, DecodingError, open_video, piece_of

ORDERS = ([0, 39, 20, 5, 30, 30, 38, 1, 19], list(range(40)), [39], [11, 12, 13], list(range(38, 0, -7)))
# name, how it is written, why decord must not read it (None: it may)
KINDS = {
    "plain.mp4": ({}, None),
    "plain.mkv": ({}, None),
    "mpeg4.avi": ({"codec": "mpeg4"}, None),
    "vp9.webm": ({"codec": "libvpx-vp9"}, None),
    "av1.mp4": ({"codec": "libsvtav1"}, "it does not know av1"),
    "fields.mp4": ({"options": {"x264-params": "interlaced=1"}}, None),
    "stream.ts": ({"container": "mpegts"}, "its container is mpegts"),
    "uneven.mp4": ({"milliseconds": uneven_times()}, "its frame rate varies"),
    "open.mp4": (
        {"options": OPEN_GROUPS},
        "its key frames are preceded by frames that need them (open groups of pictures)",
    ),
    "raw.h264": ({"container": "h264"}, "its container is h264"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("odd")
    for name, (how, _) in KINDS.items():
        write_odd(root / name, **how)
    return root


def test_writing_them_gives_the_tests_no_priority(folder):
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize("name", KINDS)
def test_the_probe_knows_which_of_them_decord_may_read(folder, tmp_path, name):
    facts = probe_videos([str(folder / name)], tmp_path / "cache.json")[str(folder / name)]
    assert (facts.num_frames, facts.decoder, facts.unfit) == (NUM_FRAMES, "pyav", KINDS[name][1])


@pytest.mark.parametrize("name", KINDS)
def test_pyav_reads_every_kind_rightly_in_any_order(folder, name):
    video = open_video(str(folder / name), FILES)
    assert video.num_frames == NUM_FRAMES
    for order in ORDERS:
        assert indices_of(video.frames(order)) == order


@pytest.mark.parametrize("name", ["stream.ts", "open.mp4", *(name for name in KINDS if KINDS[name][1] is None)])
def test_decord_gives_the_right_frames_of_those_it_may_read(folder, name):
    """The reason for leaving them out of a stock list: when this fails, they may stand there."""
    order = list(range(NUM_FRAMES - 1, 0, -3))
    video = decord.VideoReader(str(folder / name), num_threads=1)
    assert (indices_of(video.get_batch(order).asnumpy()) == order) == (KINDS[name][1] is None)


def test_frames_have_their_exact_times_also_at_an_uneven_rate(folder):
    times = open_video(str(folder / "uneven.mp4"), FILES).times()
    assert np.abs(times - np.array(uneven_times()) / 1000).max() < 1e-3


def test_times_count_from_the_first_frame(folder):
    assert open_video(str(folder / "stream.ts"), FILES).times()[:3] == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize(("degrees", "corner"), [(90, "upper right"), (180, "lower right"), (270, "lower left")])
def test_a_video_is_turned_upright(tmp_path, degrees, corner):
    path = turn(write_odd(tmp_path / "turned.mp4"), degrees)
    facts = probe_videos([str(path)], tmp_path / "cache.json")[str(path)]
    sideways = (48, 64, "its width and height are to change places")
    assert (facts.width, facts.height, facts.unfit) == ((64, 48, None) if degrees == 180 else sideways)
    picture = open_video(str(path), FILES).frames([30])[0]
    dark = {
        f"{row} {column}"
        for row, y in (("upper", 4), ("lower", -4))
        for column, x in (("left", 4), ("right", -4))
        if picture[y, x].mean() < 60
    }
    assert dark == {corner}


def test_a_frame_that_is_damaged_is_the_one_before_it(tmp_path):
    path = write_odd(tmp_path / "a.avi", codec="mjpeg")
    with av.open(str(path)) as file:
        packets = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    position, size = packets[20]
    content = bytearray(path.read_bytes())
    content[position + 8 : position + 8 + size] = bytes(size)  # behind the head of the chunk
    path.write_bytes(content)
    assert indices_of(open_video(str(path), FILES).frames([19, 20, 21])) == [19, 19, 21]
    # The probe looks at the first, the middle and the last.
    assert probe_videos([str(path)], tmp_path / "cache.json")[str(path)].unfit == "it is damaged"


@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile 'secret.mp4'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
    ids=["concat", "sdp"],
)
def test_a_file_that_names_other_files_or_streams_is_not_followed(tmp_path, content):
    videos.write_video(tmp_path / "secret.mp4")
    (tmp_path / "a.mp4").write_text(content)
    with pytest.raises(DecodingError) as caught:
        open_video(str(tmp_path / "a.mp4"), FILES)
    assert str(caught.value) == "is a list of other files or streams, and no video"


def test_a_file_whose_headers_have_lost_the_size_is_refused(tmp_path):
    path = videos.write_video(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    # Width and height in the description of the samples, and the codec's own header.
    size = content.index(b"mp4v", content.index(b"stsd")) + 28
    content[size : size + 4] = bytes(4)
    header = content.index(bytes.fromhex("000001b0"))
    content[header : header + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(DecodingError) as caught:
        open_video(str(path), FILES)
    assert str(caught.value) == "is damaged: the size of its frames is lost"


@pytest.mark.parametrize("content", [b"this is no video" * 99, b""])
def test_what_is_no_video_is_refused_in_words(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DecodingError) as caught:
        open_video(str(tmp_path / "a.mp4"), FILES)
    assert str(caught.value) == "is no video, or its header is damaged or cut off"


@pytest.mark.parametrize(
    ("start", "end", "piece"),
    [
        (None, None, (0, 5)),
        (0.0, 0.3, (0, 1)),
        (0.3, 1.0, (1, 2)),
        (0.3, None, (1, 4)),
        (None, 0.8, (0, 2)),
        (0.31, 0.9, (2, 1)),  # no frame begins in it but 0.8
        (0.4, 0.7, (1, 1)),  # none at all: the one on the screen
        (9.0, 9.5, (4, 1)),
    ],
)
def test_a_piece_is_the_frames_that_are_shown_within_it(start, end, piece):
    assert piece_of(np.array([0.0, 0.3, 0.8, 1.0, 2.0]), start, end) == piece
