"""The routes: the page, the API, what is refused before it reaches either."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ipaddress
import logging
import math
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from autox_video.errors import AutoXVideoError, Problem
from autox_video.presets import shared_folder
from autox_video.using.serve.engine import STOPS, Engine, EngineError
from autox_video.using.serve.limits import Limits, RefusedError, in_json
from autox_video.using.serve.openapi import described
from autox_video.using.serve.uploads import Upload, uploaded

logger = logging.getLogger(__name__)
MAX_MOMENTS, MAX_GRID, MAX_DIGITS = 64, 16, 9
# What a model asks its own validation videos before its first timeline; what it finds is kept beside it.
PREPARE_SECONDS = 1800.0
# What the last answers took decides when to come again.
REMEMBERED = 0.8


class Server:
    """What the routes share.

    Args:
        engine: Answers; closed with the application.
        limits: Of a request.
    """

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self.engine, self.limits = engine, limits
        self.inside = 0
        self._usual_seconds = 1.0
        # The engine is asked one thing at a time; the second thread begins it anew.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="engine")
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """While the block runs, a request has one of the places there are.

        Raises:
            RefusedError: All are taken.
        """
        if self.inside >= self.limits.max_waiting:
            wait = str(max(1, math.ceil(self._usual_seconds * self.inside)))
            problem = Problem("the server", f"has {self.inside} requests to answer already", f"Come again in {wait} s")
            raise RefusedError(503, problem, {"Retry-After": wait})
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def ask(self, request: Request, task: str, options: dict[str, Any]) -> JSONResponse:
        """Take an upload and have it answered.

        Raises:
            RefusedError: It is refused, or there is no answer.
        """
        async with self.place(), uploaded(request, self.limits) as video, self._turn:
            if await request.is_disconnected():
                raise RefusedError(400, Problem(video.name, "nobody waits for the answer any more", "Send it again"))
            begun, loop = time.monotonic(), asyncio.get_running_loop()
            try:
                asking = loop.run_in_executor(self._threads, self._answer, task, video, options)
                status, said = await asyncio.shield(asking)
            except EngineError as error:
                loop.run_in_executor(self._threads, self._restart)
                raise _no_answer(video.name, str(error)) from error
            took = time.monotonic() - begun
            self._usual_seconds = REMEMBERED * self._usual_seconds + (1 - REMEMBERED) * took
            logger.info("%s  %d  %.2f s  %r", task, status, took, video.name)
            return JSONResponse(said, status)

    def _answer(self, task: str, video: Upload, options: dict[str, Any]) -> tuple[int, Any]:
        if task == "timeline":
            status, said = self.engine.ask("prepare", video.name, video.path, {}, PREPARE_SECONDS)
            if status != 200:
                return status, said
        return self.engine.ask(task, video.name, video.path, options, self.limits.max_seconds)

    def _restart(self) -> None:
        try:
            self.engine.restart()
        except (AutoXVideoError, EngineError) as error:
            logger.error("the engine does not start: %s", error)

    def close(self) -> None:
        """End the engine."""
        self.engine.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def make_app(engine: Engine, limits: Limits, host: str, version: str) -> ASGIApp:
    """The application.

    Args:
        engine: Answers; closed with the application.
        limits: Of a request.
        host: What it is bound to.
        version: Of this package.
    """
    server = Server(engine, limits)
    page = (shared_folder("resources") / "serve.html").read_text(encoding="utf-8")
    policy = _policy(page)

    async def home(request: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    async def health(request: Request) -> Response:
        ready = engine.is_alive
        told = {"status": "ok" if ready else "starting", "version": version, "model": engine.about}
        limited = {"max_mb": limits.max_mb, "max_seconds": limits.max_seconds, "max_waiting": limits.max_waiting}
        return JSONResponse({**told, "waiting": server.inside, "limits": limited}, 200 if ready else 503)

    async def predict(request: Request) -> Response:
        return await server.ask(request, "predict", {})

    async def explain(request: Request) -> Response:
        options: dict[str, Any] = {
            "num_moments": _number(request, "moments", 8, MAX_MOMENTS),
            "grid": _number(request, "grid", 7, MAX_GRID),
        }
        if label := request.query_params.get("label"):
            options["label"] = label
        return await server.ask(request, "explain", options)

    async def timeline(request: Request) -> Response:
        return await server.ask(request, "timeline", {})

    async def schema(request: Request) -> Response:
        return JSONResponse(described(version, limits))

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            server.close()

    routes = [
        Route("/", home),
        Route("/health", health),
        Route("/openapi.json", schema),
        Route("/api/predict", predict, methods=["POST"]),
        Route("/api/explain", explain, methods=["POST"]),
        Route("/api/timeline", timeline, methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {RefusedError: _refused, HTTPException: _http_error, Exception: _failed}
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    return guarded(app, host)


def guarded(app: ASGIApp, host: str) -> ASGIApp:
    """Refuse what another site has a browser send, and say in each answer what a browser may do with it.

    A page of another site may resolve its own name to this machine (DNS rebinding), so the names that a request may be
    addressed to are known: numbers, which cannot be rebound, and this machine's names. It may also post a form here, so
    where a browser says from which site a request comes, it must be this one.
    """
    names = {"localhost", host.lower(), socket.gethostname().lower()}

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request = Request(scope)
        addressed, origin = request.headers.get("host", ""), request.headers.get("origin")
        if not _is_ours(addressed, names):
            cure = f"Open the address that the server printed, or start it with --host {_hostname(addressed) or 'NAME'}"
            refused = Problem("the Host header", "names another site", cure, addressed[:100])
        elif origin is not None and origin.partition("://")[2].lower() != addressed.lower():
            refused = Problem("the Origin header", "names another site", "Send the request from here", origin[:100])
        else:
            await app(scope, receive, _with_headers(send))
            return
        await JSONResponse(in_json(refused), 403)(scope, receive, _with_headers(send))

    return guard


def _is_ours(addressed: str, names: set[str]) -> bool:
    name = _hostname(addressed).lower()
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name.strip("[]"))
        return True
    return name in names


def _hostname(addressed: str) -> str:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d+)?", addressed)
    return found[1] if found else ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message["headers"],
                (b"x-content-type-options", b"nosniff"),
                (b"referrer-policy", b"no-referrer"),
                (b"cross-origin-resource-policy", b"same-origin"),
                (b"cache-control", b"no-store"),
            ]
        await send(message)

    return sending


def _policy(page: str) -> str:
    """What the page may load: its own script and style, its own API, pictures that are in an answer."""
    digest = {
        kind: base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        for kind, text in re.findall(r"<(script|style)>(.*?)</\1>", page, flags=re.DOTALL)
    }
    return (
        f"default-src 'none'; script-src 'sha256-{digest['script']}'; style-src 'sha256-{digest['style']}'; "
        "img-src data:; media-src blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    # Of thousands of digits Python makes no number.
    if not (text.isdecimal() and len(text) <= MAX_DIGITS and 1 <= int(text) <= most):
        raise RefusedError(400, Problem(name, f"is not a whole number from 1 to {most}", "Correct it", text[:40]))
    return int(text)


def _no_answer(name: str, reason: str) -> RefusedError:
    if reason.startswith("takes longer"):
        cure = "Send a shorter video, or start the server with more --max-seconds"
        return RefusedError(504, Problem(name, reason, cure))
    if reason == STOPS:
        return RefusedError(503, Problem(name, reason, "Send it again when the server is back"))
    return RefusedError(422, Problem(name, reason, "Send another video"))


Handled = Callable[[Request, Exception], Awaitable[Response]]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    logger.info("refused  %d  %s", error.status, error.problem)
    return JSONResponse(in_json(error.problem), error.status, error.headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    cure = "See /openapi.json for what there is"
    return JSONResponse(
        in_json(Problem(request.url.path, error.detail.lower(), cure)), error.status_code, error.headers
    )


async def _failed(request: Request, error: Exception) -> Response:
    told = Problem("the server", f"fails: {type(error).__name__}", "Report it, with what the terminal shows")
    return JSONResponse(in_json(told), 500)
