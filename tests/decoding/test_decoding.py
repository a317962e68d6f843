from __future__ import annotations

import av
import numpy as np
import pytest
from odd_videos import NUM_FRAMES, OPEN_GROUPS, indices_of, turn, uneven_times, write_odd

from autox_video.dataset.probe import probe_videos
from autox_video.decoding import DECODERS, DecodingError, open_video, piece_of

ORDERS = ([0, 39, 20, 5, 30, 30, 38, 1, 19], list(range(40)), [39], [11, 12, 13], list(range(38, 0, -7)))
# name, how it is written, why decord does not read it (None: it does)
KINDS = {
    "plain.mp4": ({}, None),
    "plain.mkv": ({}, None),
    "mpeg4.avi": ({"codec": "mpeg4"}, None),
    "vp9.webm": ({"codec": "libvpx-vp9"}, None),
    "av1.mp4": (
        {"codec": "libsvtav1"},
        "with decord it has no video stream that a decoder knows (only sound, or cut off)",
    ),
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


@pytest.mark.parametrize("name", KINDS)
def test_the_chosen_decoder_gives_the_very_frames_that_are_asked_for(folder, tmp_path, name):
    facts = probe_videos([str(folder / name)], tmp_path / "cache.json")[str(folder / name)]
    assert (facts.num_frames, facts.unfit) == (NUM_FRAMES, KINDS[name][1])
    assert facts.decoder == ("pyav" if facts.unfit else "decord")
    for order in ORDERS:
        assert indices_of(open_video(str(folder / name), facts.decoder).frames(order)) == order


@pytest.mark.parametrize("name", KINDS)
def test_pyav_reads_every_kind_rightly_in_any_order(folder, name):
    video = open_video(str(folder / name), "pyav")
    assert video.num_frames == NUM_FRAMES
    for order in ORDERS:
        assert indices_of(video.frames(order)) == order


@pytest.mark.parametrize("name", ["stream.ts", "open.mp4"])
def test_decord_gives_wrong_frames_of_these(folder, name):
    """The reason for two decoders: when this fails, they may be read with decord."""
    order = list(range(NUM_FRAMES - 1, 0, -3))
    assert indices_of(open_video(str(folder / name), "decord").frames(order)) != order


@pytest.mark.parametrize("decoder", DECODERS)
def test_frames_have_their_exact_times_also_at_an_uneven_rate(folder, decoder):
    times = open_video(str(folder / "uneven.mp4"), decoder).times()
    assert np.abs(times - np.array(uneven_times()) / 1000).max() < 1e-3


def test_times_count_from_the_first_frame(folder):
    assert open_video(str(folder / "stream.ts"), "pyav").times()[:3] == pytest.approx([0, 0.1, 0.2])


@pytest.mark.parametrize(("degrees", "corner"), [(90, "upper right"), (180, "lower right"), (270, "lower left")])
def test_a_video_is_turned_upright_by_whichever_decoder_reads_it(tmp_path, degrees, corner):
    path = turn(write_odd(tmp_path / "turned.mp4"), degrees)
    facts = probe_videos([str(path)], tmp_path / "cache.json")[str(path)]
    # decord fails where width and height change places.
    assert (facts.decoder, facts.width, facts.height) == (("decord", 64, 48) if degrees == 180 else ("pyav", 48, 64))
    for decoder in {facts.decoder, "pyav"}:
        picture = open_video(str(path), decoder).frames([30])[0]
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
    assert indices_of(open_video(str(path), "pyav").frames([19, 20, 21])) == [19, 19, 21]


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("content", [b"this is no video" * 99, b""])
def test_what_is_no_video_is_refused_in_words(tmp_path, decoder, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DecodingError) as caught:
        open_video(str(tmp_path / "a.mp4"), decoder)
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
