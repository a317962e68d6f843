"""The page of a run while it trains, served on this machine only: `autox-video watch`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from autox_video.errors import AutoXVideoError
from autox_video.lock import is_running
from autox_video.report.html.films import Films
from autox_video.report.html.page import draw_films, make_page, make_sections, navigation, section_html
from autox_video.report.html.parts import ReportedRun, State
from autox_video.report.html.reading import files_of, read_run
from autox_video.report.html.writing import read_results_of, title_of
from autox_video.work_dir import WorkDir

HOST = "127.0.0.1"

logger = logging.getLogger(__name__)


class Watcher:
    """Makes the page, and anew when a file of the run has changed.

    Args:
        work_dir: Of a run that may not have begun.
        results_file: Where its test will write.
    """

    def __init__(self, work_dir: WorkDir, results_file: Path) -> None:
        self._work_dir, self._results_file = work_dir, results_file
        self._lock = threading.Lock()
        self._films: Films | None = None
        self._seen: object = None
        self._page, self._sections = b"", b"{}"

    def page(self) -> bytes:
        """The page as HTML."""
        with self._lock:
            self._look()
            return self._page

    def sections(self, have: str) -> bytes | None:
        """The sections as JSON; None where they are those that the page has."""
        with self._lock:
            self._look()
            return None if f'"{have}"'.encode() in self._sections[:80] else self._sections

    def _look(self) -> None:
        seen = self._state_of_files()
        if seen == self._seen:
            return
        run = self._read()
        sections = make_sections(run)
        films = draw_films(run.films)
        bodies = [{"id": one.id, "html": section_html(one, films)} for one in sections]
        told = {"sections": bodies, "navigation": navigation(sections)}
        version = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
        strips = {number: data for number, (data, _, _) in films.items()}
        self._sections = json.dumps({"version": version, **told, "films": strips}).encode()
        self._page = make_page(run, title_of(self._work_dir), live=True).encode("utf-8")
        self._seen = seen

    def _read(self) -> ReportedRun:
        try:
            results = read_results_of(self._results_file)
        except AutoXVideoError as error:
            logger.warning("warning  %s", error)
            results = None
        run = read_run(self._work_dir, results, self._films)
        if results is not None:
            self._films = run.films
        running = is_running(self._work_dir.root)
        return dataclasses.replace(run, state=State(running, run.plan.epochs.value if run.plan else None))

    def _state_of_files(self) -> object:
        files = (*files_of(self._work_dir), self._results_file)
        return is_running(self._work_dir.root), [(_stamp(path), path) for path in files]


def _stamp(path: Path) -> tuple[int, int] | None:
    # A log grows with every line; what matters of it is that there is one.
    if path.suffix == ".log":
        return (0, 0) if path.is_file() else None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@dataclasses.dataclass
class Server:
    """A server that is ready.

    Attributes:
        port: Which one it has got.
    """

    port: int
    _http: ThreadingHTTPServer

    @property
    def url(self) -> str:
        """What to open."""
        return f"http://{HOST}:{self.port}/"

    def serve(self) -> None:
        """Answer until `stop`, or until an exception ends it."""
        self._http.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End `serve`, from another thread."""
        self._http.shutdown()


@contextmanager
def watching(work_dir: WorkDir, results_file: Path, port: int) -> Iterator[Server]:
    """Serve the page of a run while the block runs.

    Args:
        work_dir: Of a run that may not have begun.
        results_file: Where its test will write.
        port: Which one; another that is free where it is taken.
    """
    watcher = Watcher(work_dir, results_file)
    handler = type("Handler", (_Handler,), {"watcher": watcher})
    try:
        http = _Http((HOST, port), handler)
    except (OSError, OverflowError):
        http = _Http((HOST, 0), handler)
    with http:
        yield Server(http.server_address[1], http)


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who has gone is no error; anything else is told in a line."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            logger.warning("warning  the page could not be made: %r", error)


class _Handler(BaseHTTPRequestHandler):
    """Answers `/` with the page and `/sections?have=<version>` with what is newer than that."""

    watcher: Watcher

    def do_GET(self) -> None:
        """One request."""
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        if host not in (HOST, "localhost"):
            # A foreign page may have given this address a name of its own, to read what is private.
            self.send_error(403)
            return
        where = urlsplit(self.path)
        if where.path == "/":
            self._answer(self.watcher.page(), "text/html; charset=utf-8")
        elif where.path == "/sections":
            newer = self.watcher.sections(parse_qs(where.query).get("have", [""])[0])
            self._answer(newer, "application/json")
        else:
            self.send_error(404)

    def _answer(self, content: bytes | None, kind: str) -> None:
        self.send_response(204 if content is None else 200)
        if content is not None:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if content is not None:
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: a page asks every two seconds."""
