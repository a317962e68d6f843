"""Peak memory and time of `autox-video timeline` on one scene of growing length: memory must not grow with it.

Generated videos of 320x240 at 25 frames a second, in which a shape goes around; each in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from measuring import ROOT, markdown, write_result

FPS, WIDTH, HEIGHT = 25, 320, 240


def write(path: Path, minutes: float) -> None:
    """A shape that goes around once in four seconds."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(round(minutes * 60 * FPS)):
            picture = np.full((HEIGHT, WIDTH, 3), 80, np.uint8)
            angle = 2 * np.pi * number / (4 * FPS)
            left, top = round(140 + 100 * np.cos(angle)), round(100 + 70 * np.sin(angle))
            picture[top : top + 40, left : left + 40] = 220
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def measure(model: Path, minutes: float) -> dict[str, float]:
    """What the command takes."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "long.mp4"
        write(video, minutes)
        command = ["timeline", str(video), "--model", str(model), "-o", folder, "--device", "cpu"]
        begin = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([sys.executable, "-m", "autox_video", *command], env=environment)
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0, "the command found segments"
        seconds = time.perf_counter() - begin
    return {"minutes": minutes, "seconds": seconds, "cpu": used.ru_utime, "peak_mib": used.ru_maxrss / 1024}


def table(record: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows = [
        [
            f"{one['minutes']:g} min",
            f"{one['minutes'] * 60 * FPS:,.0f}",
            f"{one['peak_mib']:.0f} MiB",
            f"{one['cpu']:.0f} s",
        ]
        for one in record["lengths"]
    ]
    return markdown(["video", "frames", "peak memory", "CPU time"], rows)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "work_dirs" / "demo")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10, 60])
    arguments = parser.parse_args()
    found = [measure(arguments.model, minutes) for minutes in arguments.minutes]
    print(table(write_result("timeline_memory", {"lengths": found}, ("torch", "av"))))


if __name__ == "__main__":
    main()
