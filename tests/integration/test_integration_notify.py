from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from signal import Signals
from socket import socket
from threading import Thread

import pytest
from runs import run_cli

from autox_video import notifying
from autox_video.errors import Problem, RunError, StoppedError
from autox_video.settings.load import load_settings
from autox_video.settings.secret_url import SecretUrl
from autox_video.work_dir import WorkDir

SECRET, LITERAL = "s3cret-of-the-environment", "s3cret-in-the-file"


@contextmanager
def inbox() -> Iterator[tuple[str, list[dict]]]:
    """A web hook on this machine: its address, and what was posted to it."""
    posted: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append({"path": self.path, **json.loads(body)})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def told(made_data, tmp_path_factory):
    """A run with two addresses, which goes on and then fails: its work dir, what it printed, what was told."""
    folder = tmp_path_factory.mktemp("told") / "job"
    shutil.copytree(made_data, folder)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("AUTOX_TEST_TOKEN", SECRET)
    monkeypatch.delenv("AUTOX_TEST_UNSET", raising=False)
    with inbox() as (address, posted):
        config = folder / "config.yaml"
        urls = [
            f"json://{address}/${{AUTOX_TEST_TOKEN}}/hook",
            f"json://user:{LITERAL}@127.0.0.1:1/nobody",
            "tgram://${AUTOX_TEST_UNSET}/1",
        ]
        config.write_text(config.read_text() + f"notify: {json.dumps(urls)}\n")
        output = [run_cli("train", "-c", str(config), "--set", f"epoch={epochs}") for epochs in (1, 2)]
        (folder / "run" / "last.pth").write_bytes(b"broken")
        for name in ("previous.pth", "best.pth"):
            (folder / "run" / name).unlink()
        output.append(run_cli("train", "-c", str(config), "--set", "epoch=3", code=1))
    monkeypatch.undo()
    return folder / "run", output, posted


def test_beginning_best_and_end_are_told_with_the_curves(told):
    _, _, posted = told
    titles = [message["title"] for message in posted]
    assert sorted(titles[:3]) == ["run: best so far", "run: finished", "run: started"]
    assert "run: resumed" in titles[3:]
    assert "run: finished" in titles[3:]
    of = {message["title"]: message for message in posted[:3]}
    assert of["run: started"]["message"].startswith("video_swin_nano on cpu, 1 epochs: 16 train, 6 val, ")
    assert of["run: best so far"]["message"].startswith("epoch 1 of 1: val_top1 ")
    assert of["run: finished"]["message"].startswith("1 epochs are done. Best: epoch 1 of 1: val_top1 ")
    (picture,) = of["run: finished"]["attachments"]
    assert picture["filename"] == "curves.png"
    assert base64.b64decode(picture["base64"]).startswith(b"\x89PNG")
    assert {message["path"] for message in posted} == {f"/{SECRET}/hook"}


def test_a_failure_is_told_with_its_error(told):
    _, output, posted = told
    assert posted[-1]["title"] == "run: failed"
    assert posted[-1]["message"] == output[-1].splitlines()[-1]
    assert "last.pth" in posted[-1]["message"]


def test_an_address_that_takes_nothing_is_named_once_without_its_secret(told):
    _, output, _ = told
    for text in output:
        assert text.count("warning  notify: json://... did not take a message") == 1
        assert text.count("warning  notify: tgram://... is left out: AUTOX_TEST_UNSET is not set") == 1


def test_no_secret_is_in_any_file_or_text(told):
    work_dir, output, _ = told
    for path in work_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert SECRET.encode() not in content, path
            assert LITERAL.encode() not in content, path
    assert SECRET not in "".join(output)
    assert LITERAL not in "".join(output)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("notify: s3cret-in-the-file", "config.yaml:1: notify: must be a URL or a list of URLs. Write e.g. "),
        ("notify: {tgram: s3cret-in-the-file}", "config.yaml:1: notify: must be a URL or a list of URLs. Write e.g. "),
        ("notify: [tgram://s3cret-in-the-file", "config.yaml:1: is not valid YAML: "),
    ],
)
def test_a_setting_that_is_wrong_is_refused_without_being_shown(line, message, tmp_path):
    (tmp_path / "config.yaml").write_text(f"{line}\n")
    output = run_cli("train", "-c", str(tmp_path / "config.yaml"), code=2)
    assert output.startswith(message)
    assert LITERAL not in output


def test_settings_show_no_secret(tmp_path):
    settings = load_settings(None, values={"data_root": tmp_path, "notify": f"tgram://{LITERAL}/1"})
    assert LITERAL not in repr(settings) + str(settings.notify[0]) + f"{settings.notify}"
    assert settings.notify[0].written == f"tgram://{LITERAL}/1"


def test_a_network_that_does_not_answer_holds_nothing_up(caplog):
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        messenger = notifying.Messenger([SecretUrl(f"json://127.0.0.1:{silent.getsockname()[1]}/{LITERAL}")], "run")
        messenger.tell("started", "")
        (process,) = messenger._sent
        messenger.close(0.1)
        assert process.poll() is None
        process.kill()
        process.wait()
        process.stdout.close()
    assert caplog.messages == ["warning  notify: a message is still under way; the network does not answer"]


def test_a_test_message_says_whether_it_was_taken(made_data, tmp_path):
    config = ("-c", str(made_data / "config.yaml"), "--work-dir", str(tmp_path / "run"))
    assert run_cli("notify-test", *config, code=2).startswith("notify: names nobody. Write e.g. ")
    with inbox() as (address, posted):
        output = run_cli("notify-test", *config, "--set", f"notify=json://{address}/{LITERAL}")
    assert output == "sent     a test message to json://...\n"
    assert [message["title"] for message in posted] == ["run: test"]
    output = run_cli("notify-test", *config, "--set", f"notify=json://127.0.0.1:1/{LITERAL}", code=1)
    assert output == "warning  notify: json://... did not take a message\n"


class Sent(notifying.Messenger):
    """Keeps what it is told to send."""

    def __init__(self, *arguments: object) -> None:
        super().__init__((), "run")
        self.messages: list[tuple[str, str]] = []

    def tell(self, what, body, picture=None) -> None:
        self.messages.append((what, body))


def test_the_best_so_far_is_told_at_most_so_often_and_then_the_newest(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(notifying.time, "monotonic", lambda: clock[0])
    sent = Sent()
    for minutes, text in ((1, "one"), (2, "two"), (3, "three"), (4, None), (11.5, None), (12, None), (30, "four")):
        clock[0] = 60.0 * minutes
        sent.better(text)
    assert sent.messages == [("best so far", "one"), ("best so far", "three"), ("best so far", "four")]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StoppedError(Signals.SIGINT, " after step 3: saved"), ("stopped", "stopped by SIGINT after step 3: saved")),
        (RunError(Problem("here", "is wrong", "Mend it")), ("failed", "here: is wrong. Mend it.")),
        (ValueError("of a library"), ("failed", "ValueError: of a library")),
    ],
    ids=["stopped", "failed", "broken"],
)
def test_how_a_run_ended_is_told(error, message, monkeypatch, tmp_path):
    made: list[Sent] = []
    monkeypatch.setattr(notifying, "Messenger", lambda *arguments: made.append(Sent(*arguments)) or made[-1])
    with pytest.raises(type(error)), notifying.telling((), WorkDir(tmp_path / "run")):
        raise error
    assert made[0].messages == [message]
