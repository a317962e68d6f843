"""A folder with every kind of good, odd and unusable video, under awkward names and in untidy lists."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from odd_videos import uneven_times, write_odd
from videos import write_config, write_video

from autox_video.demo_data import render_clip

AWKWARD = (
    "-dash",
    "--help",
    "with space",
    "two  spaces",
    "跳舞",
    "🎬 🎞",
    "a,b;c",
    "#hash",
    "it's",
    "percent%20",
    "$HOME",
    "ünï",
)
NO_VIDEO = "is no video, or its header is damaged or cut off"
LEFT = ": what cannot be decoded shows the frame before"
NO_STREAM = "has no video stream that a decoder knows (only sound, or cut off)"


@dataclass(frozen=True)
class Planted:
    """What `check` must say of one video: nothing of a good one."""

    name: str
    label: str
    level: str = ""
    kind: str = ""
    text: str = ""
    place: str = ""


@dataclass
class Torture:
    """The folder, and what was planted in it."""

    root: Path
    rows: dict[str, list[Planted]] = field(default_factory=dict)
    where: dict[int, str] = field(default_factory=dict)

    def findings(self) -> set[tuple[str, str, str, str]]:
        """Level, kind, place and text of everything that `check` must find, and of nothing else."""
        planted = [row for rows in self.rows.values() for row in rows if row.level]
        return {(row.level, row.kind, row.place or self.where[id(row)], row.text) for row in planted} | {
            ("note", "few videos in a class", "train", "class 'rare' has 2 training videos"),
            ("note", "imbalance", "train", "class 'walk' has 60 training videos, class 'rare' 2"),
            ("note", "class absent from val", "val", "val has no video of class 'rare'"),
        }

    def errors(self, split: str) -> list[str | None]:
        """Of each row of a list why its video cannot be used."""
        return [row.text[len(row.name) + 1 :] if row.level == "left out" else None for row in self.rows[split]]


def make_torture(root: Path) -> Torture:
    """Write videos, three lists and a config.yaml into an empty folder."""
    made, videos = Torture(root), root / "videos"
    made.rows["train"] = [
        *(good(videos, f"{name}.mp4", "walk", seed) for seed, name in enumerate(AWKWARD)),
        *(good(videos, f"walks/clip {index}.mp4", "walk", 100 + index) for index in range(30)),
        *(good(videos, f"跑步/{index}.mp4", "跑步", 200 + index) for index in range(10)),
        *(good(videos, f"rare/{index}.mp4", "rare", 300 + index) for index in range(2)),
        *plant_odd(videos, "odd"),
        *plant_unusable(videos, "bad"),
    ]
    good(videos, "AAAAAAAAAAA_000000_000010.mp4", "walk", 400)
    made.rows["train"].append(Planted("AAAAAAAAAAA_000000_000010.mp4", "walk"))
    write_clip(videos / "shown.mp4", "mp4v", 64)
    made.rows["train"].append(Planted("shown.mp4", "walk"))
    shutil.copy(videos / "walks" / "clip 0.mp4", videos / "clip 0 again.mp4")
    said = "clip 0 again.mp4 has the content of walks/clip 0.mp4 (train.txt:18)"
    made.rows["train"].append(Planted("clip 0 again.mp4", "walk", "note", "copy", said))
    twice = "walks/clip 1.mp4 is listed before, and counts twice"
    made.rows["train"].append(Planted("walks/clip 1.mp4", "walk", "note", "listed twice", twice))
    made.rows["val"] = [
        good(videos, f"val {index}.mp4", ("walk", "跑步")[index % 2], 500 + index) for index in range(6)
    ]
    made.rows["test"] = [
        *(
            good(videos, f"test/{name}.mp4", ("walk", "跑步", "rare")[seed % 3], 600 + seed)
            for seed, name in enumerate(AWKWARD)
        ),
        *(good(videos, f"test/{index}.mp4", ("walk", "跑步", "rare")[index % 3], 700 + index) for index in range(36)),
        *plant_unusable(videos, "test bad"),
        *plant_leaks(videos),
    ]
    write_lists(made)
    lists = {f"ann_file_{split}": f"{split}.txt" for split in made.rows}
    write_config(
        root / "config.yaml",
        **{"data_root": "videos", **lists, "work_dir": "run", "test_results_path": "run/results.json", "epoch": 1},
        model={"name": "video_swin_nano", "load_from": "none"},
        clip={"clip_len": 4},
        videos_per_gpu=8,
        runtime={"device": "cpu", "workers": 0},
    )
    return made


def good(folder: Path, name: str, label: str, seed: int) -> Planted:
    """A video of which nothing is to be said."""
    write_video(folder / name, brightness={"walk": 60, "跑步": 190}.get(label, 128), seed=seed)
    return Planted(name, label)


def plant_odd(folder: Path, below: str) -> list[Planted]:
    """Videos that can be used and are worth a word, and videos that are odd and read all the same."""
    uneven, long = uneven_times(), list(range(0, 4000, 100))
    kinds: dict[str, tuple[dict, str, str]] = {
        "stream.ts": ({"container": "mpegts"}, "", ""),
        "uneven.mp4": ({"milliseconds": uneven}, "", ""),
        "av1.mp4": ({"codec": "libsvtav1"}, "", ""),
        "thin.mp4": ({"width": 400, "height": 16}, "odd size", "has frames of 400x16"),
        "low.mp4": ({"height": 24}, "odd size", "has frames of 64x24"),
        "slow.mp4": ({"milliseconds": [1000 * time for time in range(12)]}, "odd rate", "states 1 frames a second"),
        "vp9.webm": ({"codec": "libvpx-vp9"}, "", ""),
        "old.avi": ({"codec": "mpeg4"}, "", ""),
        "shot.mkv": ({"milliseconds": long}, "", ""),
    }
    planted = []
    for name, (how, kind, text) in kinds.items():
        write_odd(folder / below / name, **how)
        planted.append(odd(f"{below}/{name}", kind, text))
    cut = write_odd(folder / below / "cut.avi", codec="mjpeg")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    planted.append(odd(f"{below}/cut.avi", "damaged", f"is cut off{LEFT}"))
    write_video(folder / below / "fast.mp4", fps=2000.0, seed=41)
    planted.append(odd(f"{below}/fast.mp4", "odd rate", "states 2000 frames a second"))
    write_video(folder / below / "one frame.mp4", frames=1, seed=42)
    short = f"{below}/one frame.mp4 has 1 frame, and a clip spans 10: frames are repeated"
    place = "annotations/train.txt:66"  # no list names a span: it is that of the canonical one
    planted.append(Planted(f"{below}/one frame.mp4", "walk", "note", "shorter than a clip", short, place))
    damage_payload(write_odd(folder / below / "damaged.mp4"))
    planted.append(odd(f"{below}/damaged.mp4", "damaged", f"is damaged{LEFT}"))
    (folder / below / "link.mp4").symlink_to(write_video(folder / ".elsewhere" / "linked.mp4", seed=43))
    planted.append(odd(f"{below}/link.mp4", "", ""))
    return planted


def odd(name: str, kind: str, text: str) -> Planted:
    return Planted(name, "walk", "note" if kind else "", kind, text and f"{name} {text}")


def plant_unusable(folder: Path, below: str) -> list[Planted]:
    """Files that no decoder reads, each for another reason."""
    made = folder / below
    whole = write_odd(made / "whole.mp4").read_bytes()
    (made / "whole.mp4").unlink()
    (made / "zero bytes.mp4").touch()
    (made / "文本.mp4").write_text("no video\n" * 99, encoding="utf-8")
    (made / "🎬 page.mp4").write_text("<!DOCTYPE html><html><body>404</body></html>", encoding="utf-8")
    (made / "-no moov.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    (made / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (made / "zeros.mp4").write_bytes(bytes(5000))
    (made / "head of an avi.avi").write_bytes(b"RIFF\x00\x10\x00\x00AVI LIST")
    write_sound(made / "only sound.mp4")
    write_no_frames(made / "no frames.avi")
    (made / "folder.mp4").mkdir()
    os.mkfifo(made / "pipe.mp4")
    (made / "broken link.mp4").symlink_to(made / "nothing.mp4")
    (made / "loop.mp4").symlink_to(made / "loop.mp4")
    said = {
        "zero bytes.mp4": ("empty file", "is empty"),
        "文本.mp4": ("unreadable", NO_VIDEO),
        "🎬 page.mp4": ("unreadable", NO_VIDEO),
        "-no moov.mp4": ("unreadable", NO_VIDEO),
        "truncated.mp4": ("unreadable", NO_VIDEO),
        "zeros.mp4": ("unreadable", NO_VIDEO),
        "head of an avi.avi": ("unreadable", NO_VIDEO),
        "only sound.mp4": ("no video stream", NO_STREAM),
        "no frames.avi": ("no frames", "has no frames"),
        "folder.mp4": ("not a file", "is a folder without numbered images"),
        "pipe.mp4": ("not a file", "is not a regular file"),
        "broken link.mp4": ("missing", "does not exist"),
        "loop.mp4": ("unreadable", "cannot be read: Too many levels of symbolic links"),
    }
    return [
        Planted(f"{below}/{name}", "walk", "left out", kind, f"{below}/{name} {why}")
        for name, (kind, why) in said.items()
    ]


def plant_leaks(folder: Path) -> list[Planted]:
    """Test videos that training has too: as they are, renamed, encoded anew, from one recording, relabelled."""
    shutil.copy(folder / "walks" / "clip 3.mp4", folder / "renamed.mp4")
    shutil.copy(folder / "walks" / "clip 4.mp4", folder / "relabelled.mp4")
    write_clip(folder / "anew.avi", "MJPG", 96)
    good(folder, "AAAAAAAAAAA_000020_000030.mp4", "walk", 401)
    of_one = "AAAAAAAAAAA_000020_000030.mp4 comes from the recording of a train file: AAAAAAAAAAA_000000_000010.mp4"
    return [
        Planted("walks/clip 2.mp4", "walk", "note", "leak: same file", "walks/clip 2.mp4 is also in train"),
        Planted(
            "renamed.mp4",
            "walk",
            "note",
            "leak: same content",
            "renamed.mp4 has the content of a train file under another name: walks/clip 3.mp4",
        ),
        Planted(
            "anew.avi",
            "walk",
            "note",
            "leak: look-alike frames",
            "anew.avi looks like a train file (near-duplicate frames): shown.mp4",
        ),
        Planted("AAAAAAAAAAA_000020_000030.mp4", "walk", "note", "leak: same group", of_one),
        Planted(
            "relabelled.mp4",
            "跑步",
            "note",
            "copy with another label",
            "relabelled.mp4 has the content of walks/clip 4.mp4 (train.txt:25), which has another label",
        ),
    ]


def write_lists(made: Torture) -> None:
    """Each list is untidy in another way, and says where each of its videos stands."""
    ways = {"train": ("\ufeff", "\t", "\r\n"), "val": ("", ",", "\n"), "test": ("", "  ", "\n")}
    for split, (begin, between, end) in ways.items():
        lines = ["# made by hand", ""]
        for number, row in enumerate(made.rows[split]):
            if number % 10 == 5:
                lines += ["", "   ", "# the next ones"]
            lines.append(f"{row.name}{between}{row.label}")
            made.where[id(row)] = f"{split}.txt:{len(lines)}"
        text = begin + end.join(lines) + end
        (made.root / f"{split}.txt").write_bytes(text.encode("utf-8"))


def write_clip(path: Path, codec: str, size: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, (size, size))
    assert writer.isOpened()
    for frame in render_clip("grow", "train", 1):
        writer.write(np.ascontiguousarray(cv2.resize(frame[..., ::-1], (size, size))))
    writer.release()


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        sound.rate, sound.pts = 8000, 0
        file.mux(stream.encode(sound))
        file.mux(stream.encode(None))


def write_no_frames(path: Path) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        file.start_encoding()


def damage_payload(path: Path) -> None:
    """Spoil some bytes of every frame but the first, and leave the index whole."""
    with av.open(str(path)) as file:
        packets = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for position, size in packets[1:]:
        content[position + size // 2 : position + size // 2 + 8] = bytes(8)
    path.write_bytes(content)
