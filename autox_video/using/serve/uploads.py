"""Uploads: streamed into a file that has no name, so that nothing is left of it, however the server ends."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import unquote

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from autox_video.errors import Problem
from autox_video.using.serve.limits import MIB, Limits, RefusedError

# A client that still sends would not read the answer if the connection closed: so much is taken in and dropped.
DROPPED_BYTES, DROPPED_SECONDS = 64 * MIB, 2.0
FIELD, NAME = "file", "name"
MAX_NAME = 200
# Beside the file, a form has its boundaries and headers.
FORM_BYTES = 16_384


@dataclass(frozen=True)
class Upload:
    """A video that was sent.

    Attributes:
        name: As the client calls it; without folders. It never becomes part of a path.
        path: Where it can be opened while the request lasts, by this process and its children.
        num_bytes: Its size.
    """

    name: str
    path: str
    num_bytes: int


@asynccontextmanager
async def uploaded(request: Request, limits: Limits) -> AsyncIterator[Upload]:
    """While the block runs, the video of a request: its body, or the first file of a form.

    Raises:
        RefusedError: It is too large, too slow or missing.
    """
    stated = request.headers.get("content-length", "")
    is_form = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    max_bytes = limits.max_bytes + (FORM_BYTES if is_form else 0)
    if stated.isdecimal() and int(stated) > max_bytes:
        await _drop(request.stream())
        raise _too_large(limits)
    received = _received(request, limits, max_bytes)
    name = request.query_params.get(NAME) or unquote(request.headers.get("x-file-name", ""))
    try:
        name, file = await (_from_form(request, received) if is_form else _from_body(name, received))
    except ClientDisconnect as error:
        raise RefusedError(400, Problem("the upload", "broke off", "Send it again")) from error
    except OSError as error:
        cure = "Make room in the server's folder for temporary files, or set TMPDIR to another"
        raise RefusedError(507, Problem("the upload", f"cannot be kept: {error.strerror}", cure)) from error
    with file:
        size = os.fstat(file.fileno()).st_size
        if size > limits.max_bytes:
            raise _too_large(limits)
        if not size:
            cure = f"Send the video as the body, or as the field {FIELD!r} of a form"
            raise RefusedError(400, Problem("the upload", "is empty", cure))
        yield Upload(_bare(name), f"/proc/{os.getpid()}/fd/{file.fileno()}", size)


async def _received(request: Request, limits: Limits, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body, as far as the limits allow."""
    stream, received = request.stream(), 0
    deadline = time.monotonic() + limits.max_seconds
    while True:
        left = min(limits.stall_seconds, deadline - time.monotonic())
        try:
            chunk = await asyncio.wait_for(anext(stream), max(left, 0.0))
        except StopAsyncIteration:
            return
        except asyncio.TimeoutError as error:
            raise _too_slow(limits) from error
        received += len(chunk)
        if received > max_bytes:
            await _drop(stream)
            raise _too_large(limits)
        yield chunk


async def _from_body(name: str, received: AsyncGenerator[bytes, None]) -> tuple[str, IO[bytes]]:
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
    try:
        async for chunk in received:
            file.write(chunk)
        file.flush()
    except BaseException:
        file.close()
        raise
    return name, file


async def _from_form(request: Request, received: AsyncGenerator[bytes, None]) -> tuple[str, IO[bytes]]:
    try:
        form = await MultiPartParser(request.headers, received, max_files=1, max_fields=8).parse()
    except MultiPartException as error:
        raise RefusedError(
            400, Problem("the form", f"cannot be read: {error.message.rstrip('.')}", "Send one file")
        ) from error
    except UnicodeError as error:
        wrong = "names a character set that no text has"
        raise RefusedError(400, Problem("the form", wrong, "Leave it out")) from error
    sent: Any = next((value for value in form.values() if not isinstance(value, str)), None)
    if sent is None:
        raise RefusedError(400, Problem("the form", "holds no file", f"Send the video as the field {FIELD!r}"))
    # Small ones are kept in memory until they are needed as a file.
    sent.file.rollover()
    sent.file.flush()
    return sent.filename or "", sent.file


async def _drop(stream: AsyncIterator[bytes]) -> None:
    """Take in what still comes, for a while."""
    dropped, deadline = 0, time.monotonic() + DROPPED_SECONDS
    try:
        while dropped < DROPPED_BYTES and (left := deadline - time.monotonic()) > 0:
            dropped += len(await asyncio.wait_for(anext(stream), left))
    except (StopAsyncIteration, asyncio.TimeoutError, ClientDisconnect):
        return


def _bare(name: str) -> str:
    """A name without folders, of one line."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in bare if letter.isprintable())[:MAX_NAME] or "video"


def _too_large(limits: Limits) -> RefusedError:
    cure = "Send a shorter or smaller video, or start the server with a larger --max-mb"
    return RefusedError(413, Problem("the upload", f"is larger than {limits.max_mb:g} MiB", cure))


def _too_slow(limits: Limits) -> RefusedError:
    wrong = f"brings nothing for {limits.stall_seconds:g} s, or takes longer than {limits.max_seconds:g} s"
    return RefusedError(408, Problem("the upload", wrong, "Send it again, or start the server with more --max-seconds"))
