"""`autox-video serve` as a process of its own, with a trained run: labels, the browser, files that kill, load, its end."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from processes_of_their_own import still_alive
from runs import ROOT, Run

MAX_MB, MAX_SECONDS = 1, 8
# What decodes videos in the engine, with two that no decoder of today minds as much as it should.
PLUGIN = """
import os, signal, time
from autox_video.using.serve import answers
opened = answers.open_file
def open_file(path):
    with open(path, "rb") as file:
        begins = file.read(5)
    if begins == b"HANGS":
        time.sleep(600)
    if begins == b"KILLS":
        os.kill(os.getpid(), signal.SIGSEGV)
    return opened(path)
answers.open_file = open_file
"""


@dataclass(frozen=True)
class Served:
    """A server, and what it left in its folder for temporary files."""

    process: subprocess.Popen[str]
    address: str
    temporary: Path

    def post(self, name: str, content: bytes, task: str = "predict") -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=120)
        try:
            connection.request("POST", f"/api/{task}?grid=1&moments=2&name={quote(name)}", content)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def files(self) -> list[str]:
        """All but what torch 2.4 writes where it is imported, and removes only where it is not killed."""
        found = (str(path) for path in self.temporary.rglob("*") if path.is_file())
        return sorted(path for path in found if not path.endswith("_remote_module_non_scriptable.py"))


@pytest.fixture(scope="module")
def served(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    # No socket has a name as long as this.
    temporary = folder / ("temporary" * 12)
    temporary.mkdir()
    # What a first timeline finds out is kept beside the model.
    shutil.copytree(trained.work_dir, folder / "run")
    (folder / "plugin.py").write_text(PLUGIN)
    options = ["--port", "0", "--max-mb", str(MAX_MB), "--max-seconds", str(MAX_SECONDS), "--device", "cpu"]
    plugin = ["--plugin", str(folder / "plugin.py")]
    process = subprocess.Popen(
        [sys.executable, "-m", "autox_video", "serve", "--model", str(folder / "run"), *options, *plugin],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"loading  {folder / 'run'}\n"
    first = process.stdout.readline()
    assert first.startswith("serving  http://127.0.0.1:"), first
    yield Served(process, first.split()[1], temporary)
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def videos(trained: Run) -> dict[str, bytes]:
    rows = json.loads((trained.work_dir / "results.json").read_text())["videos"]
    return {
        row["file"]: (trained.folder / "videos" / row["file"]).read_bytes() for row in rows if row["status"] == "ok"
    }


def test_an_answer_is_a_row_of_the_results(served: Served, trained: Run, videos: dict[str, bytes]) -> None:
    results = json.loads((trained.work_dir / "results.json").read_text())
    rows = {row["file"]: row for row in results["videos"]}
    name = "light_test_1.mp4"
    status, said = served.post(name, videos[name])
    assert status == 200
    assert said["classes"] == results["classes"]
    row, got = rows[name], said["video"]
    assert list(got) == list(row)
    assert got["predicted_label"] == row["predicted_label"]
    assert got["scores"] == pytest.approx(row["scores"], abs=1e-4)
    assert (got["file"], got["status"], got["true_label"]) == (name, "ok", None)
    facts = {"duration_seconds": 1.0, "num_frames": 12, "fps": 12.0, "width": 32, "height": 32}
    assert said["facts"] == {**facts, "num_bytes": len(videos[name])}
    assert said["strip"]["image"].startswith("data:image/jpeg;base64,")


def test_the_process_that_forks_does_not_initialise_cuda(served: Served) -> None:
    """MMEngine asks for GPUs when it is imported; then CUDA could not be used by the process that is forked."""
    own = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
    forking = [child for child in own if b"forkserver" in Path(f"/proc/{child}/cmdline").read_bytes()]
    assert len(forking) == 1
    given = Path(f"/proc/{forking[0]}/environ").read_text().split("\0")
    assert "PYTORCH_NVML_BASED_CUDA_CHECK=1" in given


def test_a_video_is_looked_through(served: Served, videos: dict[str, bytes]) -> None:
    status, said = served.post("a.mp4", videos["light_test_0.mp4"], "timeline")
    assert status == 200, said
    found = said["timeline"]
    assert (found["file"], found["duration_seconds"]) == ("a.mp4", 1.0)
    assert {segment["label"] for segment in found["segments"]} <= {"dark", "light"}


@pytest.mark.parametrize(
    ("content", "status", "wrong"),
    [
        (b"this is no video", 422, "is no video, or its header is damaged or cut off"),
        (b"ffconcat version 1.0\nfile 'a.mp4'\n", 422, "is a list of other files or streams, and no video"),
        (b"KILLS", 422, "ends the process that reads it (status -11)"),
        (b"HANGS", 504, f"takes longer than {MAX_SECONDS} s"),
    ],
)
def test_a_file_that_harms_costs_only_itself(
    served: Served, videos: dict[str, bytes], content: bytes, status: int, wrong: str
) -> None:
    got, said = served.post("a.mp4", content)
    assert (got, said["error"]["where"], said["error"]["wrong"]) == (status, "a.mp4", wrong)
    assert served.post("b.mp4", videos["dark_test_0.mp4"])[0] == 200


def test_uploads_at_the_same_time_with_bad_ones_among_them(served: Served, videos: dict[str, bytes]) -> None:
    good = list(videos.items())[:3] * 4
    whole = good[0][1]
    bad = [
        *[("cut.mp4", whole[: len(whole) // 3], 422), ("empty.mp4", b"", 400), ("text.mp4", b"text" * 99, 422)] * 2,
        *[("large.mp4", b"x" * (MAX_MB * 2**20 + 1), 413), ("kills.mp4", b"KILLS", 422)],
    ]
    asked = [*((name, content, 200) for name, content in good), *bad]
    random.Random(0).shuffle(asked)
    alone = {name: served.post(name, content)[1]["video"] for name, content in videos.items() if name in dict(good)}
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda one: served.post(*one[:2]), asked))
    assert [status for status, _ in answers] == [expected for *_, expected in asked]
    assert Counter(status for status, _ in answers) == {200: 12, 422: 5, 400: 2, 413: 1}
    for (name, _, status), (_, said) in zip(asked, answers, strict=True):
        assert said["video"] == alone[name] if status == 200 else said["error"]["cure"], name


NAME = "\"><img src=x onerror=alert(1)>' & <b>.mp4"


def test_in_the_browser(served: Served, videos: dict[str, bytes], page: Any) -> None:
    page.goto(served.address)
    page.locator("#model", has_text="video_swin_nano · 2 classes").wait_for()
    video = {"name": NAME, "mimeType": "video/mp4", "buffer": videos["light_test_0.mp4"]}
    page.set_input_files("#files", [video])
    card = page.locator("article")
    card.locator("table").wait_for()
    assert card.locator("h2").inner_text() == NAME
    _, said = served.post(NAME, videos["light_test_0.mp4"])
    best = said["video"]["top5"][0]
    assert card.locator("tr").first.inner_text().split("\t")[:2] == [best["label"], f"{100 * best['score']:.1f} %"]
    sure = f"{best['label']} confidence {100 * said['video']['confidence']:.1f} %"
    assert card.locator(".best").inner_text() == sure
    card.locator("button.explain").click()
    card.locator("img.explanation").wait_for()
    shown = card.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(shown) == 2
    assert min(shown) > 100
    card.locator("button.timeline").click()
    card.locator(".track").wait_for()
    # Nothing of the name became HTML, and nothing was complained of.
    assert page.locator("img[src=x]").count() == 0
    assert page.errors == []
    page.locator("#language").click()
    assert card.locator("button.explain").inner_text() == "依据是什么？"
    page.set_input_files("#files", [{"name": "bad.mp4", "mimeType": "video/mp4", "buffer": b"no video"}])
    error = page.locator("article p.error")
    error.wait_for()
    assert error.inner_text() == (
        "bad.mp4: is no video, or its header is damaged or cut off. Send a video that a player shows."
    )
    page.set_input_files(
        "#files", [{"name": "big.mp4", "mimeType": "video/mp4", "buffer": b"x" * (MAX_MB * 2**20 + 1)}]
    )
    page.locator("article .error", has_text=f"超过 {MAX_MB} MiB 的上限").wait_for()
    # What a browser itself says of an answer with an error, and nothing else.
    assert [said for said in page.errors if "status of 422" not in said] == []


def test_a_signal_ends_it_though_it_is_busy_and_nothing_is_left(served: Served) -> None:
    """The last test of the file: it ends the server."""
    with ThreadPoolExecutor(1) as caller:
        waits = caller.submit(served.post, "a.mp4", b"HANGS")
        connection = http.client.HTTPConnection(urlsplit(served.address).netloc)
        while True:
            connection.request("GET", "/health")
            if json.loads(connection.getresponse().read())["waiting"]:
                break
        served.process.send_signal(signal.SIGTERM)
        assert waits.result()[0] == 503
    assert served.process.wait(60) == 128 + signal.SIGTERM
    assert still_alive(served.process.pid) == []
    assert served.files() == []
