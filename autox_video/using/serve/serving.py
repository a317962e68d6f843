"""Start the server, and end it."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any

from autox_video.errors import Problem, RequestError
from autox_video.extras import check_packages
from autox_video.using.serve.engine import Engine, Source
from autox_video.using.serve.limits import Limits

logger = logging.getLogger(__name__)
# What the web page needs beside what everything needs.
EXTRA = ("starlette", "uvicorn", "python-multipart")


def serve(source: Source, limits: Limits, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until a signal comes.

    Args:
        source: The model.
        limits: Of a request.
        host: What to listen on: a name or number of this machine.
        port: 0 for a free one.
        ready: Called with the address when the model is warm and the port is open.

    Raises:
        RequestError: A package is missing, the port is taken, or there is no such model.
        RunError: The model is damaged.
        StoppedError: A signal came.
    """
    check_packages("autox-video serve", *EXTRA, way_out="")
    listening = _listen(host, port)
    with listening:
        if not _is_local(host):
            told = "whoever reaches this machine can send videos here; nothing is encrypted, no password is asked for"
            logger.warning("warning  --host %s: %s", host, told)
        logger.info("loading  %s", source.model)
        engine = Engine(source)
        try:
            _run(engine, limits, host, listening, ready)
        finally:
            engine.close()


def _run(engine: Engine, limits: Limits, host: str, listening: socket.socket, ready: Callable[[str], None]) -> None:
    import uvicorn

    from autox_video.using.serve.app import make_app

    # The package's top stands above this layer: its version is read and not imported.
    version = sys.modules["autox_video"].__version__
    config = uvicorn.Config(
        make_app(engine, limits, host, version),
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=5,
        # An upload that has stalled is not waited for any longer.
        timeout_graceful_shutdown=1,
    )
    address = f"[{host}]" if ":" in host else host
    ready(f"http://{address}:{listening.getsockname()[1]}")

    class Stoppable(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            # Who waits for an answer hears at once that there will be none.
            engine.close()
            super().handle_exit(sig, frame)

    Stoppable(config).run([listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        cure = "Choose another --port" if taken else "Correct --host"
        where = f"{host}:{port}"
        raise RequestError(Problem(where, f"cannot be listened on: {error.strerror}", cure)) from error
    return listening


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
