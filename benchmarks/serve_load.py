"""What `autox-video serve` bears: latency and throughput of uploads from several clients, with bad files among them.

python benchmarks/serve_load.py --model work_dirs/demo --data data/demo/videos [--uploads 200] [--clients 8]
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from measuring import ROOT, markdown, write_result

# Of ten uploads one is bad: cut off, text, empty, larger than the limit; in turn.
BAD_EVERY, MAX_MB = 10, 5
CLIENTS = (1, 8)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("work_dirs/demo"))
    parser.add_argument("--data", type=Path, default=Path("data/demo/videos"), help="a folder of videos")
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    arguments = parser.parse_args()
    videos = [path.read_bytes() for path in sorted(arguments.data.rglob("*.mp4"))[: arguments.uploads]]
    figures = {}
    with serving(arguments.model) as address:
        for clients in arguments.clients:
            figures[str(clients)] = load(address, list(uploads(videos, arguments.uploads)), clients)
    print(table(write_result("serve_load", {"uploads": arguments.uploads, "clients": figures}, ("torch", "uvicorn"))))


def uploads(videos: list[bytes], count: int) -> Iterator[tuple[bytes, int]]:
    """What is sent, and the status that is to come back."""
    whole = videos[0]
    bad = itertools.cycle(
        [(whole[: len(whole) // 3], 422), (b"text", 422), (b"", 400), (b"x" * (MAX_MB * 2**20 + 1), 413)]
    )
    good = itertools.cycle(videos)
    for number in range(count):
        yield next(bad) if number % BAD_EVERY == BAD_EVERY - 1 else (next(good), 200)


def load(address: str, sent: list[tuple[bytes, int]], clients: int) -> dict[str, Any]:
    """Send everything, so many at a time."""

    def one(upload: tuple[bytes, int]) -> tuple[float, int]:
        started = time.perf_counter()
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
        connection.request("POST", "/api/predict", upload[0])
        answer = connection.getresponse()
        json.loads(answer.read())
        connection.close()
        return time.perf_counter() - started, answer.status

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as callers:
        answers = list(callers.map(one, sent))
    seconds = time.perf_counter() - started
    wrong = [got for (_, got), (_, expected) in zip(answers, sent, strict=True) if got != expected]
    assert not wrong, f"{len(wrong)} answers with another status than expected: {Counter(wrong)}"
    good = sorted(took for took, status in answers if status == 200)
    hundredths = statistics.quantiles(good, n=100)
    statuses = {str(status): count for status, count in sorted(Counter(status for _, status in answers).items())}
    return {"p50": hundredths[49], "p95": hundredths[94], "per_second": len(sent) / seconds, "statuses": statuses}


def table(record: dict[str, Any]) -> str:
    """A row for each number of clients."""
    rows = [
        [
            clients,
            f"{1000 * found['p50']:.0f} ms",
            f"{1000 * found['p95']:.0f} ms",
            f"{found['per_second']:.1f}",
            ", ".join(f"{count} x {status}" for status, count in found["statuses"].items()),
        ]
        for clients, found in record["clients"].items()
    ]
    return markdown(["clients", "good ones, p50", "p95", "uploads a second", "answers"], rows)


@contextmanager
def serving(model: Path) -> Iterator[str]:
    """The server while the block runs; its address."""
    command = [
        sys.executable,
        "-m",
        "autox_video",
        "serve",
        "--model",
        str(model),
        "--port",
        "0",
        "--max-mb",
        str(MAX_MB),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in ("loading", "serving")]
        assert lines[1].startswith("serving"), lines
        # What it says of each request is read, or the pipe would fill.
        with ThreadPoolExecutor(1) as reader:
            reader.submit(process.stdout.read)
            yield lines[1].split()[1]
            process.terminate()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
