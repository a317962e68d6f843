"""Videos behind http(s) URLs: each is streamed to a file without a name, so that nothing is left of it."""

from __future__ import annotations

import http.client
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from autox_video.decoding import DecodingError
from autox_video.using.predict.inputs import is_url

MIB = 2**20
CHUNK = MIB
# Without a byte for so long a connection is dead.
SILENCE_SECONDS = 30


@contextmanager
def local_file(file: str, max_mib: int, max_seconds: float) -> Iterator[str]:
    """While the block runs, the path of a video: itself, or of a URL what was downloaded from there.

    Args:
        file: A path or a URL.
        max_mib: A longer download is given up.
        max_seconds: One that takes longer is given up.

    Raises:
        DecodingError: It cannot be downloaded, with the reason.
    """
    if not is_url(file):
        yield file
        return
    with downloaded(file, max_mib * MIB, max_seconds) as path:
        yield path


@contextmanager
def downloaded(url: str, max_bytes: int, max_seconds: float) -> Iterator[str]:
    """While the block runs, the path of a file with what is behind a URL.

    Args:
        url: Of http or https.
        max_bytes: A longer one is given up.
        max_seconds: One that takes longer is given up.

    Raises:
        DecodingError: It cannot be had, with the reason.
    """
    with tempfile.TemporaryFile() as file:
        try:
            _receive(url, file.fileno(), max_bytes, time.monotonic() + max_seconds, max_seconds)
        except urllib.error.HTTPError as error:
            raise DecodingError(f"cannot be downloaded: the server says {error.code} {error.reason}") from error
        except urllib.error.URLError as error:
            raise DecodingError(f"cannot be downloaded: {error.reason}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DecodingError(f"cannot be downloaded: {error or type(error).__name__}") from error
        # Not `self`: a process that this one starts finds it too.
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}"


def _receive(url: str, file: int, max_bytes: int, deadline: float, max_seconds: float) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "autox_video"})
    with urllib.request.urlopen(request, timeout=min(SILENCE_SECONDS, max_seconds)) as response:
        stated, received = int(response.headers.get("Content-Length") or 0), 0
        if stated > max_bytes:
            raise DecodingError(_too_large(max_bytes))
        # `read1` gives what has come: a server that drips is left when the time is over, not when a chunk is full.
        while chunk := response.read1(CHUNK):
            received += len(chunk)
            if received > max_bytes:
                raise DecodingError(_too_large(max_bytes))
            if time.monotonic() > deadline:
                raise DecodingError(f"takes more than {max_seconds:g} s to download (see --time-limit)")
            _write(file, chunk)
        if received < stated:
            raise DecodingError(f"cannot be downloaded: the connection broke after {received} of {stated} bytes")


def _write(file: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(file, view) :]


def _too_large(max_bytes: int) -> str:
    return f"is larger than {max_bytes / MIB:g} MiB (see --max-download-mib)"
