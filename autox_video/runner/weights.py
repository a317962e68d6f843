"""From the `load_from` of a plan to a file on this machine: downloaded once, checked every time."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlparse

from autox_video.errors import Problem, RequestError, RunError
from autox_video.progress import progress_bar
from autox_video.runner.weight_files import CHUNK, damage, digest_in_name, sha256_of
from autox_video.work_dir import publish

logger = logging.getLogger(__name__)
TIMEOUT_SECONDS = 30


def fetch_weights(load_from: str) -> Path | None:
    """The file that a run starts from.

    Args:
        load_from: `none`, an absolute path, or a URL. A URL is looked up in the cache and downloaded
            when it is not there.

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
            _check(path, "Remove it, and it is downloaded again", published=True)
        else:
            _download(load_from, path)
        return path
    path = Path(load_from)
    if not path.is_absolute():
        wrong = "is neither an absolute path, an http(s) URL nor `none`"
        raise RequestError(Problem("model.load_from", wrong, "Write one of them", repr(load_from)))
    _check(path, "Name another file in model.load_from, or write `model.load_from: none`", published=False)
    return path


def download_target(load_from: str) -> Path | None:
    """Where the weights would be downloaded to; None when they are here, or are no URL."""
    if urlparse(load_from).scheme not in ("http", "https"):
        return None
    path = cache_path(load_from)
    return None if path.exists() else path


def cache_path(url: str) -> Path:
    """Where the file of a URL is kept: under `$AUTOX_VIDEO_CACHE`, else below the user's cache folder.

    A file whose name carries its checksum lies in `weights/`; any other in a folder of its own,
    named after the URL, for `best.pth` of two places are two files.
    """
    own = os.environ.get("AUTOX_VIDEO_CACHE")
    users = os.environ.get("XDG_CACHE_HOME")
    root = Path(own) if own else (Path(users) if users else Path.home() / ".cache") / "autox_video"
    name = Path(unquote(urlparse(url).path)).name or "weights"
    folder = root.expanduser().absolute() / "weights"
    if digest_in_name(name) is None:
        folder /= hashlib.sha256(url.encode()).hexdigest()[:8]
    return folder / name


def _check(path: Path, cure: str, *, published: bool) -> None:
    """Refuse a file that cannot be loaded; only of a `published` one do digits in its name mean its checksum."""
    try:
        wrong = damage(path)
        if wrong is None and published:
            wrong = _wrong_digest(path.name, sha256_of(path))
    except FileNotFoundError:
        wrong = "there is no such file"
    except OSError as error:
        wrong = f"cannot be read: {error.strerror or error}"
    if wrong is not None:
        raise RequestError(Problem(str(path), wrong, cure))


def _wrong_digest(name: str, sha256: str) -> str | None:
    """Compare a digest with the one that a name carries, if it carries one."""
    expected = digest_in_name(name)
    if expected is None or sha256.startswith(expected):
        return None
    return f"has the sha256 {sha256[: len(expected)]}..., and its name says {expected}"


def _download(url: str, path: Path) -> None:
    """Download to a temporary name, check, rename: nothing that is not whole is ever found under `path`."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    logger.info("download %s -> %s", url, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                sha256 = _receive(url, path, file)
            wrong = damage(temporary) or _wrong_digest(path.name, sha256)
            if wrong is not None:
                raise _cannot_download(url, path, f"what came {wrong}")
            publish(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        cure = "Free space, or name another folder in the environment variable AUTOX_VIDEO_CACHE"
        raise RunError(Problem(str(path), f"cannot be written: {error.strerror or error}", cure)) from error


def _receive(url: str, path: Path, file: IO[bytes]) -> str:
    """Copy the body of a URL into a file; returns its sha256."""
    digest, received = hashlib.sha256(), 0
    request = urllib.request.Request(url, headers={"User-Agent": "autox_video"})
    with _ask(url, path, lambda: urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)) as response:
        total = int(response.headers.get("Content-Length") or 0)
        with progress_bar(total, path.name, in_bytes=True) as bar:
            while chunk := _ask(url, path, lambda: response.read(CHUNK)):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                bar.advance(len(chunk))
    if received < total:
        raise _cannot_download(url, path, f"the connection ended after {received} of {total} bytes")
    return digest.hexdigest()


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
