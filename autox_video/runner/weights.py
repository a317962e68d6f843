"""From the `load_from` of a plan to a file on this machine: downloaded once, checked every time."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from autox_video.errors import Problem, RequestError, RunError
from autox_video.progress import progress_bar
from autox_video.runner.partial_file import Part, open_part
from autox_video.runner.weight_files import CHUNK, damage, digest_in_name, sha256_of
from autox_video.writing import cache_folder, publish

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 30
DIGEST_BEHIND_URL = re.compile(r"sha256=[0-9a-f]{64}")


def fetch_weights(load_from: str) -> Path | None:
    """The file that a run starts from.

    Args:
        load_from: `none`, an absolute path, or a URL, which may end in `#sha256=` and the file's digest. A URL
            is looked up in the cache and downloaded when it is not there.

    Returns:
        The file, or None for `none`.

    Raises:
        RequestError: There is no such file, it is not a checkpoint, or it cannot be downloaded.
        RunError: The cache cannot be written.
    """
    if load_from == "none":
        return None
    if urlparse(load_from).scheme in ("http", "https"):
        path = cache_path(load_from)
        if path.exists():
            _check(path, "Remove it, and it is downloaded again", _expected_digest(load_from))
        else:
            _download(load_from, path)
        return path
    path = Path(load_from)
    if not path.is_absolute():
        wrong = "is neither an absolute path, an http(s) URL nor `none`"
        raise RequestError(Problem("model.load_from", wrong, "Write one of them", repr(load_from)))
    _check(path, "Name another file in model.load_from, or write `model.load_from: none`")
    return path


def download_target(load_from: str) -> Path | None:
    """Where the weights would be downloaded to; None when they are here, or are no URL."""
    if urlparse(load_from).scheme not in ("http", "https"):
        return None
    path = cache_path(load_from)
    return None if path.exists() else path


def cache_path(url: str) -> Path:
    """Where the file of a URL is kept, below `cache_folder()`.

    A file whose name carries its checksum lies in `weights/`; any other in a folder of its own,
    named after the URL, for `best.pth` of two places are two files.
    """
    name = _name(url)
    folder = cache_folder() / "weights"
    if digest_in_name(name) is None:
        folder /= hashlib.sha256(url.encode()).hexdigest()[:8]
    return folder / name


def _name(url: str) -> str:
    return Path(unquote(urlparse(url).path)).name or "weights"


def _check(path: Path, cure: str, expected: str | None = None) -> None:
    """Refuse a file that cannot be loaded, or whose sha256 does not begin with the digits that were `expected`."""
    try:
        wrong = damage(path) or _wrong_digest(path, expected)
    except FileNotFoundError:
        wrong = "there is no such file"
    except OSError as error:
        wrong = f"cannot be read: {error.strerror or error}"
    if wrong is not None:
        raise RequestError(Problem(str(path), wrong, cure))


def _expected_digest(url: str) -> str | None:
    """What the sha256 of a download must begin with: said behind the URL, or carried by its name."""
    asked = urlparse(url).fragment
    if asked and not DIGEST_BEHIND_URL.fullmatch(asked):
        wrong, cure = "has something behind the # that is no checksum", "Write #sha256= and its 64 hex digits"
        raise RequestError(Problem("model.load_from", wrong, cure, repr(asked)))
    return asked.removeprefix("sha256=") or digest_in_name(_name(url))


def _wrong_digest(path: Path, expected: str | None) -> str | None:
    if expected is None or (sha256 := sha256_of(path)).startswith(expected):
        return None
    return f"has the sha256 {sha256[: len(expected)]}{'' if len(expected) == len(sha256) else '...'}, not {expected}"


def _download(url: str, path: Path) -> None:
    """Download to a temporary name, check, rename: nothing that is not whole is ever found under `path`.

    What a broken connection or a killed process left of a file whose checksum is known is gone on with;
    of any other it cannot be said that the server still has the same, and it is removed.
    """
    expected = _expected_digest(url)
    logger.info("download %s -> %s", url, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_part(path, keep=expected is not None) as part:
            _receive(url, path, part)
            part.keep = False
            wrong = damage(part.path) or _wrong_digest(part.path, expected)
            if wrong is not None:
                raise _cannot_download(url, path, f"what came {wrong}")
            publish(part.path, path)
    except OSError as error:
        cure = "Free space, or name another folder in the environment variable AUTOX_VIDEO_CACHE"
        raise RunError(Problem(str(path), f"cannot be written: {error.strerror or error}", cure)) from error


def _receive(url: str, path: Path, part: Part) -> None:
    """Copy the body of a URL into a file, from where an earlier attempt ended."""
    have = part.file.seek(0, os.SEEK_END)
    with _ask(url, path, lambda: _open(url, have)) as response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            # The server gives the whole file.
            have = part.file.seek(0)
            part.file.truncate()
        length = int(response.headers.get("Content-Length") or 0)
        total = have + length if length else 0
        with progress_bar(total, path.name, in_bytes=True) as bar:
            bar.advance(have)
            received = have
            while chunk := _ask(url, path, lambda: response.read(CHUNK)):
                part.file.write(chunk)
                received += len(chunk)
                bar.advance(len(chunk))
    part.file.flush()
    if received < total:
        raise _cannot_download(url, path, f"the connection ended after {received} of {total} bytes")


def _open(url: str, have: int) -> Any:
    """The answer to a request for the bytes from `have` on; the whole file where there are none."""
    request = urllib.request.Request(url, headers={"User-Agent": "autox_video"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return _open(url, 0)


def _ask(url: str, path: Path, call: Callable[[], Any]) -> Any:
    """Do something with the network, and say what its errors mean: the disk raises the same classes."""
    try:
        return call()
    except urllib.error.HTTPError as error:
        raise _cannot_download(url, path, f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _cannot_download(url, path, f"no connection: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _cannot_download(url, path, f"the connection broke: {error!r}") from error


def _cannot_download(url: str, path: Path, reason: str) -> RequestError:
    cure = f"Put the file at {path}, or write `model.load_from: none` to train from scratch"
    return RequestError(Problem(url, f"cannot be downloaded: {reason}", cure))
