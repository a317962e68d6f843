"""What the server does with requests, whatever the model says: refusals, limits, a full queue."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from autox_video.errors import RequestError
from autox_video.using.serve import serving
from autox_video.using.serve.app import make_app
from autox_video.using.serve.engine import Source
from autox_video.using.serve.limits import MIB, Limits

LIMITS = Limits(max_mb=1, max_seconds=5, max_waiting=3, stall_seconds=0.3)


class Echo:
    """Answers what it was asked, with the bytes it could read; waits where `may_go` is not set."""

    is_alive = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []
        self.about = {"name": "echo", "classes": ["a"]}
        self.may_go = threading.Event()
        self.may_go.set()

    def ask(self, task: str, name: str, path: str, options: dict[str, Any], limit: float) -> tuple[int, Any]:
        self.asked.append((task, limit))
        self.may_go.wait(20)
        return 200, {"task": task, "name": name, "options": options, "bytes": len(Path(path).read_bytes())}

    def close(self) -> None:
        self.may_go.set()


@pytest.fixture(scope="module")
def engine() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def port(engine: Echo) -> Iterator[int]:
    app = make_app(engine, LIMITS, "127.0.0.1", "1")  # type: ignore[arg-type]
    listening = serving._listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="on", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


def ask(
    port: int, method: str, target: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, Any], http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content), answer


def form(name: str, content: bytes, field: str = "file") -> tuple[bytes, dict[str, str]]:
    disposition = f'form-data; name="{field}"' + (f'; filename="{name}"' if name else "")
    body = b"--xyz\r\nContent-Disposition: " + disposition.encode("utf-8") + b"\r\n\r\n" + content + b"\r\n--xyz--\r\n"
    return body, {"Content_Type": "multipart/form-data; boundary=xyz"}


@pytest.mark.parametrize("size", [1, 2 * 65536 + 1, MIB])
def test_a_video_may_be_the_body_or_a_form(port: int, size: int) -> None:
    expected = {"task": "predict", "name": "a b.mp4", "options": {}, "bytes": size}
    assert ask(port, "POST", "/api/predict?name=a%20b.mp4", b"x" * size)[:2] == (200, expected)
    assert ask(port, "POST", "/api/predict", b"x" * size, X_File_Name="a%20b.mp4")[:2] == (200, expected)
    body, headers = form("a b.mp4", b"x" * size)
    assert ask(port, "POST", "/api/predict", body, **headers)[:2] == (200, expected)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\videos\\a.mp4", "a.mp4"),
        ("a\nb\x00c.mp4", "abc.mp4"),
        ("", "video"),
        ("\"><script>alert('1')</script>.mp4", "script>.mp4"),
        ("x" * 999, "x" * 200),
    ],
)
def test_the_name_of_a_file_is_only_shown(port: int, name: str, shown: str) -> None:
    from urllib.parse import quote

    assert ask(port, "POST", f"/api/predict?name={quote(name)}", b"x")[1]["name"] == shown


FORM_WITHOUT_FILE, FORM_HEADERS = form("", b"x")


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "status", "text"),
    [
        ("POST", "/api/predict", b"", {}, 400, "the upload: is empty"),
        ("POST", "/api/predict", FORM_WITHOUT_FILE, FORM_HEADERS, 400, "the form: holds no file"),
        (
            *("POST", "/api/predict", b"x", {"Content_Type": "multipart/form-data"}),
            *(400, "the form: cannot be read: Missing boundary in multipart"),
        ),
        (
            *("POST", "/api/predict", form("a.mp4", b"x")[0]),
            *({"Content_Type": "multipart/form-data; boundary=xyz; charset=undefined"}, 400),
            "the form: names a character set that no text has",
        ),
        ("POST", "/api/explain?grid=0", b"x", {}, 400, "grid: is not a whole number from 1 to 16 (got 0)"),
        (
            *("POST", f"/api/explain?grid={'7' * 5000}", b"x", {}, 400),
            f"grid: is not a whole number from 1 to 16 (got {'7' * 40})",
        ),
        ("POST", "/api/explain?moments=999", b"x", {}, 400, "moments: is not a whole number from 1 to 64 (got 999)"),
        ("POST", "/api/predict", b"x" * (MIB + 1), {}, 413, "the upload: is larger than 1 MiB"),
        ("POST", "/api/predict", *form("a.mp4", b"x" * (MIB + 1)), 413, "the upload: is larger than 1 MiB"),
        ("POST", "/api/predict", *form("a.mp4", b"x" * 3 * MIB), 413, "the upload: is larger than 1 MiB"),
        ("GET", "/api/predict", b"", {}, 405, "/api/predict: method not allowed"),
        ("GET", "/../etc/passwd", b"", {}, 404, "/../etc/passwd: not found"),
        (
            "GET",
            "/health",
            b"",
            {"Host": "evil.example"},
            403,
            "the Host header: names another site (got evil.example)",
        ),
        (
            *("POST", "/api/predict", b"x", {"Origin": "http://evil.example"}),
            *(403, "the Origin header: names another site (got http://evil.example)"),
        ),
        ("POST", "/api/predict", b"x", {"Origin": "null"}, 403, "the Origin header: names another site (got null)"),
    ],
)
def test_what_is_refused_is_refused_in_json(
    port: int, method: str, target: str, body: bytes, headers: dict[str, str], status: int, text: str
) -> None:
    got, said, answer = ask(port, method, target, body, **headers)
    error = said["error"]
    shown = f"{error['where']}: {error['wrong']}" + (f" (got {error['got']})" if "got" in error else "")
    assert (got, shown, bool(error["cure"])) == (status, text, True)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8000", "192.168.1.7:8000"])
def test_numbers_and_this_machine_are_known_names(port: int, host: str) -> None:
    assert ask(port, "GET", "/health", Host=host)[0] == 200


def test_a_body_without_a_length_is_cut_off_where_it_gets_too_large(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/api/predict", iter([b"x" * 65536] * 40), encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_an_upload_that_stalls_is_given_up_and_so_is_one_that_breaks_off(port: int) -> None:
    head = b"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nabc"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stalls:
        stalls.sendall(head)
        assert stalls.recv(100).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection(("127.0.0.1", port)) as breaks:
        breaks.sendall(head)
    for _ in range(100):
        if not ask(port, "GET", "/health")[1]["waiting"]:
            break
        time.sleep(0.05)
    assert ask(port, "GET", "/health")[1]["waiting"] == 0


@pytest.mark.parametrize(("body", "headers"), [(b"x", {}), form("a.mp4", b"x")])
def test_an_upload_without_room_for_it_is_refused(
    port: int, monkeypatch: pytest.MonkeyPatch, body: bytes, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/full")
    status, said, _ = ask(port, "POST", "/api/predict", body, **headers)
    assert (status, said["error"]["wrong"]) == (507, "cannot be kept: Not a directory")


def test_what_a_first_timeline_takes_beforehand_does_not_count_as_its_own_time(port: int, engine: Echo) -> None:
    engine.asked.clear()
    assert ask(port, "POST", "/api/timeline", b"x")[1]["task"] == "timeline"
    assert ask(port, "POST", "/api/predict", b"x")[1]["task"] == "predict"
    assert engine.asked == [("prepare", 1800), ("timeline", LIMITS.max_seconds), ("predict", LIMITS.max_seconds)]


def test_where_all_places_are_taken_one_is_told_when_to_come_again(port: int, engine: Echo) -> None:
    engine.may_go.clear()
    answers: list[int] = []
    callers = [
        threading.Thread(target=lambda: answers.append(ask(port, "POST", "/api/predict", b"x")[0])) for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    while ask(port, "GET", "/health")[1]["waiting"] < 3:
        time.sleep(0.02)
    status, said, answer = ask(port, "POST", "/api/predict", b"x")
    assert (status, said["error"]["wrong"]) == (503, "has 3 requests to answer already")
    assert int(answer.headers["Retry-After"]) >= 1
    engine.may_go.set()
    for caller in callers:
        caller.join()
    assert answers == [200] * 3


def test_the_page_and_the_description_of_the_api_are_served(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    answer = connection.getresponse()
    page = answer.read().decode("utf-8")
    assert "<!doctype html>" in page
    assert "http" + "://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    connection.close()
    said = ask(port, "GET", "/openapi.json")[1]
    assert set(said["paths"]) == {"/api/predict", "/api/explain", "/api/timeline", "/health"}


def test_a_port_that_is_taken_and_a_host_that_is_not_here_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(RequestError) as caught:
            serving.serve(Source(Path("none")), LIMITS, "127.0.0.1", number, print)
    assert (
        str(caught.value)
        == f"127.0.0.1:{number}: cannot be listened on: Address already in use. Choose another --port."
    )
    with pytest.raises(RequestError) as caught:
        serving.serve(Source(Path("none")), LIMITS, "203.0.113.1", 0, print)
    assert str(caught.value) == "203.0.113.1:0: cannot be listened on: Cannot assign requested address. Correct --host."


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ("uvicorn", "python_multipart")
    monkeypatch.setattr("autox_video.extras.find_spec", lambda name: None if name in missing else name)
    with pytest.raises(RequestError) as caught:
        serving.serve(Source(Path("none")), LIMITS, "127.0.0.1", 0, print)
    assert str(caught.value) == (
        "autox-video serve: needs the packages uvicorn and python-multipart, which are missing. "
        "Run pip install uvicorn python-multipart."
    )
