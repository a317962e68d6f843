"""Downloads that broke off, and checksums behind a URL."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from local_site import Site, files_in

from autox_video.errors import RequestError
from autox_video.runner.partial_file import open_part
from autox_video.runner.weights import cache_path, fetch_weights

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def body(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "any.pth"
    torch.save({"state_dict": {"weight": torch.arange(600.0)}}, path)
    return path.read_bytes()


def named_after(body: bytes) -> str:
    return f"/net-{hashlib.sha256(body).hexdigest()[:8]}.pth"


def break_off(site: Site, page: str, body: bytes) -> str:
    """Download the first 1000 bytes; returns the URL, which has the whole file from then on."""
    url = site.put(page, body[:1000], Content_Length=str(len(body)))
    with pytest.raises(RequestError, match=f"the connection ended after 1000 of {len(body)} bytes"):
        fetch_weights(url)
    return site.put(page, body)


def test_what_came_before_the_connection_broke_is_gone_on_with(site, cache, body):
    url = break_off(site, named_after(body), body)
    assert [name.endswith(".part") for name in files_in(cache)] == [True]
    assert fetch_weights(url).read_bytes() == body
    assert site.ranges == ["bytes=1000-"]
    assert files_in(cache) == [Path(url).name]


def test_a_server_that_knows_no_ranges_is_asked_for_all_of_it(site, cache, body):
    url = break_off(site, named_after(body), body)
    site.gives_ranges = False
    assert fetch_weights(url).read_bytes() == body
    assert files_in(cache) == [Path(url).name]


def test_a_part_that_is_longer_than_the_file_is_begun_anew(site, cache, body):
    url = site.put(named_after(body), body)
    with open_part(cache_folder(url), keep=True) as part:
        part.file.write(body + b"more")
    assert fetch_weights(url).read_bytes() == body
    assert site.ranges == [f"bytes={len(body) + 4}-"]
    assert files_in(cache) == [Path(url).name]


def test_a_part_of_another_file_is_found_out_and_removed(site, cache, body):
    url = site.put(named_after(body), body)
    with open_part(cache_folder(url), keep=True) as part:
        part.file.write(b"x" * 1000)
    with pytest.raises(RequestError, match="what came is not a PyTorch checkpoint"):
        fetch_weights(url)
    assert files_in(cache) == []
    assert fetch_weights(url).read_bytes() == body


def test_without_a_known_checksum_a_part_is_removed(site, cache, body):
    url = break_off(site, "/best.pth", body)
    assert files_in(cache) == []
    with open_part(cache_folder(url), keep=True) as part:
        part.file.write(body[:1000])
    assert fetch_weights(url).read_bytes() == body
    assert site.ranges == []
    assert files_in(cache) == ["best.pth"]


def cache_folder(url: str) -> Path:
    path = cache_path(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


CODE = "import sys; from autox_video.runner.weights import fetch_weights; fetch_weights(sys.argv[1])"


def test_a_killed_download_is_gone_on_with_by_the_next_run(site, cache, body):
    # The server says that more will come, and keeps the connection open.
    page = named_after(body)
    url = site.put(page, body[:1000], Content_Length=str(len(body)))
    site.holds_open = True
    process = subprocess.Popen([sys.executable, "-c", CODE, url], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        while not list(cache.rglob("*.part")) and process.poll() is None:
            time.sleep(0.01)
        held = open_part(cache_path(url), keep=True)
        with held as part:
            mine = part.path
            assert len(list(cache.rglob("*.part"))) == 2, "another process's part is not touched"
            part.keep = False
        assert not mine.exists()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        site.holds_open = False
    assert len(files_in(cache)) == 1
    site.put(page, body)
    assert fetch_weights(url).read_bytes() == body
    assert files_in(cache) == [Path(url).name]


def test_a_checksum_behind_the_url_is_verified(site, cache, body):
    digest = hashlib.sha256(body).hexdigest()
    url = site.put("/best.pth", body)
    path = fetch_weights(f"{url}#sha256={digest}")
    assert path.read_bytes() == body
    assert path != cache_path(url)
    wrong = f"{url}#sha256={'0' * 64}"
    with pytest.raises(RequestError) as caught:
        fetch_weights(wrong)
    assert str(caught.value) == (
        f"{wrong}: cannot be downloaded: what came has the sha256 {digest}, not {'0' * 64}. "
        f"Put the file at {cache_path(wrong)}, or write `model.load_from: none` to train from scratch."
    )
    assert files_in(cache) == ["best.pth"]


@pytest.mark.parametrize("behind", ["sha256=12ab", "md5=0", "sha256=" + "G" * 64])
def test_something_else_behind_the_url_is_refused(behind):
    with pytest.raises(RequestError) as caught:
        fetch_weights(f"https://site/best.pth#{behind}")
    assert str(caught.value) == (
        f"model.load_from: has something behind the # that is no checksum (got {behind!r}). "
        "Write #sha256= and its 64 hex digits."
    )
