"""A web server on this machine, for downloads without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep


class Site:
    """Its `pages` by path; what was asked for is in `asked`, and the ranges that were in `ranges`."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.ranges: list[str] = []
        self.gives_ranges = True
        self.holds_open = False
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # the first with chunks

            def do_GET(self) -> None:
                site.asked.append(self.path)
                if self.path not in site.pages:
                    self.send_error(404)
                    return
                headers, body = site.pages[self.path]
                self.send_response(*self.answer(len(body)))
                body = body[self.first :]
                self.close_connection = True
                for key, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
                    if value:
                        self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
                while site.holds_open:
                    sleep(0.02)

            def answer(self, length: int) -> tuple[int]:
                """The status; `first` is the byte to begin with."""
                self.first = 0
                asked = self.headers.get("Range")
                if asked is None:
                    return (200,)
                site.ranges.append(asked)
                if not site.gives_ranges:
                    return (200,)
                self.first = int(asked.removeprefix("bytes=").removesuffix("-"))
                return (206,) if self.first < length else (416,)

            def log_message(self, *args: object) -> None:
                """Tests print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.server.server_port}"

    def put(self, path: str, body: bytes, **headers: str) -> str:
        self.pages[path] = ({key.replace("_", "-"): value for key, value in headers.items()}, body)
        return self.root + path


@contextmanager
def running_site() -> Iterator[Site]:
    """A site that answers while the block runs."""
    site = Site()
    thread = Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()
        thread.join()


def files_in(folder: Path) -> list[str]:
    """The names of all files in a folder and below."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
