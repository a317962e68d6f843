from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from local_site import files_in

from autox_video.errors import RequestError, RunError
from autox_video.runner.weight_files import damage, digest_in_name, sha256_of
from autox_video.runner.weights import cache_path, fetch_weights

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("checkpoint") / "any.pth"
    torch.save({"state_dict": {"weight": torch.arange(600.0)}}, path)
    return path.read_bytes()


def named_after(body: bytes) -> str:
    return f"/models/swin-tiny_20220930-{hashlib.sha256(body).hexdigest()[:8]}.pth"


def refused(load_from: str, error: type[Exception] = RequestError) -> str:
    with pytest.raises(error) as caught:
        fetch_weights(load_from)
    return str(caught.value)


def test_none_has_no_file():
    assert fetch_weights("none") is None


def test_a_url_is_downloaded_once(site, cache, checkpoint):
    url = site.put(named_after(checkpoint), checkpoint)
    path = fetch_weights(url)
    assert path == cache / "weights" / Path(url).name
    assert path.read_bytes() == checkpoint
    assert fetch_weights(url) == path
    assert len(site.asked) == 1
    assert files_in(cache) == [path.name]


def test_files_of_one_name_from_two_places_are_two_files(site, checkpoint):
    first = fetch_weights(site.put("/a/best.pth", checkpoint))
    second = fetch_weights(site.put("/b/best.pth", checkpoint))
    assert first != second
    assert first.name == second.name == "best.pth"


def test_a_server_that_tells_no_length_is_put_up_with(site, checkpoint):
    url = site.put("/best.pth", checkpoint, Content_Length="")
    assert fetch_weights(url).read_bytes() == checkpoint


BAD_DOWNLOADS = {
    "a wrong checksum": (
        "/swin-deadbeef.pth",
        lambda good: (good, {}),
        r"what came has the sha256 [0-9a-f]{8}\.\.\., not deadbeef",
    ),
    "a cut connection": (
        "/best.pth",
        lambda good: (good[:1000], {"Content_Length": str(len(good))}),
        r"the connection ended after 1000 of \d+ bytes",
    ),
    "a cut connection without a length": (
        "/best.pth",
        lambda good: (b"1000\r\n" + good[:1000], {"Content_Length": "", "Transfer_Encoding": "chunked"}),
        r"the connection broke: IncompleteRead\(.*\)",
    ),
    "a web page": (
        "/best.pth",
        lambda good: (b"\n<!DOCTYPE html><html>Please log in</html>", {}),
        "what came is a web page, not a checkpoint",
    ),
    "nothing": ("/best.pth", lambda good: (b"", {}), "what came is empty"),
    "half a file": (
        "/best.pth",
        lambda good: (good[: len(good) // 2], {}),
        "what came is cut off or damaged: File is not a zip file",
    ),
}


@pytest.mark.parametrize("case", BAD_DOWNLOADS)
def test_a_bad_download_is_refused_and_not_kept(case, site, cache, checkpoint):
    page, spoil, reason = BAD_DOWNLOADS[case]
    body, headers = spoil(checkpoint)
    url = site.put(page, body, **headers)
    text = refused(url)
    expected = (
        rf"{re.escape(url)}: cannot be downloaded: {reason}\. Put the file at {re.escape(str(cache_path(url)))}, "
        r"or write `model\.load_from: none` to train from scratch\."
    )
    assert re.fullmatch(expected, text), text
    assert files_in(cache) == []


def test_a_missing_page_is_refused(site, cache):
    url = f"{site.root}/best.pth"
    assert refused(url) == (
        f"{url}: cannot be downloaded: the server answered 404 Not Found. Put the file at {cache_path(url)}, "
        "or write `model.load_from: none` to train from scratch."
    )
    assert files_in(cache) == []


def test_offline_it_says_where_to_put_the_file_and_takes_it_from_there(cache, checkpoint):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}" + named_after(checkpoint)
    assert refused(url) == (
        f"{url}: cannot be downloaded: no connection: [Errno 111] Connection refused. "
        f"Put the file at {cache}/weights/{Path(url).name}, or write `model.load_from: none` to train from scratch."
    )
    cache_path(url).write_bytes(checkpoint)
    assert fetch_weights(url) == cache_path(url)


def test_a_cached_file_that_has_changed_is_refused(site, checkpoint):
    path = fetch_weights(site.put(named_after(checkpoint), checkpoint))
    other = path.with_name("other.pth")
    torch.save({"weight": torch.ones(3)}, other)
    other.replace(path)
    text = refused(site.root + named_after(checkpoint))
    assert text == (
        f"{path}: has the sha256 {sha256_of(path)[:8]}..., not {digest_in_name(path.name)}. "
        "Remove it, and it is downloaded again."
    )


def test_a_cache_that_cannot_be_written_fails_the_run(site, cache, checkpoint):
    cache.write_text("a file where the folder should be")
    url = site.put("/best.pth", checkpoint)
    assert refused(url, RunError) == (
        f"{cache_path(url)}: cannot be written: Not a directory. "
        "Free space, or name another folder in the environment variable AUTOX_VIDEO_CACHE."
    )


def flip_a_bit(body: bytes) -> bytes:
    """Spoil the numbers of a checkpoint, and nothing of the zip around them."""
    at = body.index(torch.arange(600.0).numpy().tobytes()) + 700
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


BAD_FILES = {
    "is empty": lambda good: b"",
    "is a web page, not a checkpoint": lambda good: b"<html></html>",
    "is not a PyTorch checkpoint": lambda good: b"epoch: 30\n",
    "is damaged: the checksum of any/data/0 does not match": flip_a_bit,
    "is cut off or damaged: File is not a zip file": lambda good: good[:-100],
}


@pytest.mark.parametrize("wrong", BAD_FILES)
def test_a_path_that_is_no_checkpoint_is_refused(wrong, tmp_path, checkpoint):
    path = tmp_path / "my.pth"
    path.write_bytes(BAD_FILES[wrong](checkpoint))
    cure = "Name another file in model.load_from, or write `model.load_from: none`."
    assert refused(str(path)) == f"{path}: {wrong}. {cure}"


def test_another_zip_archive_is_no_checkpoint(tmp_path):
    with zipfile.ZipFile(tmp_path / "my.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    assert damage(tmp_path / "my.zip") == "is a zip archive, but not a PyTorch checkpoint"


@pytest.mark.parametrize(
    ("name", "wrong"), [("no.pth", "there is no such file"), (".", "cannot be read: Is a directory")]
)
def test_a_path_without_a_file_is_refused(name, wrong, tmp_path):
    path = tmp_path / name
    cure = "Name another file in model.load_from, or write `model.load_from: none`."
    assert refused(str(path)) == f"{path}: {wrong}. {cure}"


def test_a_path_is_taken_whatever_its_name_says_of_a_checksum(tmp_path, checkpoint):
    path = tmp_path / "experiment-deadbeef.pth"
    path.write_bytes(checkpoint)
    assert fetch_weights(str(path)) == path


@pytest.mark.parametrize("load_from", ["weights/my.pth", "ftp://somewhere/my.pth", "file:///my.pth", "auto"])
def test_anything_else_is_refused(load_from):
    wrong = "is neither an absolute path, an http(s) URL nor `none`"
    assert refused(load_from) == f"model.load_from: {wrong} (got {load_from!r}). Write one of them."


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"AUTOX_VIDEO_CACHE": "/big/disk", "XDG_CACHE_HOME": "/x"}, "/big/disk/weights"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/autox_video/weights"),
        ({"HOME": "/home/ada"}, "/home/ada/.cache/autox_video/weights"),
        ({"HOME": "/home/ada", "AUTOX_VIDEO_CACHE": "~/models"}, "/home/ada/models/weights"),
    ],
)
def test_the_cache_is_where_the_environment_says(variables, folder, monkeypatch):
    for name in ("AUTOX_VIDEO_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_path("https://site/models/net-241016b2.pth?download=1") == Path(folder) / "net-241016b2.pth"


@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("swin-tiny_20220930-241016b2.pth", "241016b2"),
        ("resnet50-0676ba61.pth", "0676ba61"),
        ("net-" + 64 * "a" + ".pth", 64 * "a"),
        ("net-20220930.pth", None),
        ("net-12345678.pth", "12345678"),
        ("swin_base_patch244_window877_kinetics600_22k.pth", None),
        ("run-7.pth", None),
        ("241016b2.pth", None),
    ],
)
def test_a_checksum_is_read_from_a_name(name, digits):
    assert digest_in_name(name) == digits


def test_the_digest_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_fetching_weights_needs_no_torch():
    code = "import sys, autox_video.runner.weights; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(root)}).returncode == 0
