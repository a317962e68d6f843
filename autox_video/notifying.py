"""The key `notify`: who wants to know is told when a training begins, gets better, ends or fails."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from autox_video.errors import AutoXVideoError, Problem, RequestError, StoppedError
from autox_video.plan.schema import Plan
from autox_video.settings.schema import Settings
from autox_video.settings.secret_url import SecretUrl
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)
WORKER = Path(__file__).with_name("notify_worker.py")
# Better and better epochs are told at most so often, the newest of them.
BEST_SECONDS = 600.0
# A run that is done waits so long for its last message; that goes on by itself then.
WAIT_SECONDS = 10.0
# Longer than Apprise gives a server.
TEST_SECONDS = 30.0
# A run that was asked to stop has little time.
STOP_SECONDS = 3.0


class Messenger:
    """Sends messages, each in a process of its own, and waits for none of them but the last.

    Args:
        urls: Whom to tell; without any, nothing happens.
        run: What the run is called.
    """

    def __init__(self, urls: Sequence[SecretUrl], run: str) -> None:
        self._run = run
        self._named = len(urls)
        self._urls = [url for url in urls if not _misses(url)]
        self._sent: list[subprocess.Popen[str]] = []
        self._told_best = -BEST_SECONDS
        self._best: str | None = None
        self._warned: set[int] = set()

    @property
    def reaches_all(self) -> bool:
        """Whether no address had to be left out."""
        return len(self._urls) == self._named

    @property
    def listens(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._urls)

    def tell(self, what: str, body: str, picture: Path | None = None) -> None:
        """Send a message.

        Args:
            what: What happened, in a word or two.
            body: The rest.
            picture: A file to attach.
        """
        if not self._urls:
            return
        message = {
            "urls": [url.written for url in self._urls],
            "title": f"{self._run}: {what}",
            "body": body,
            "picture": None if picture is None else str(picture.absolute()),
        }
        try:
            process = subprocess.Popen(
                [sys.executable, str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for the training
            )
            assert process.stdin is not None, "asked for"
            with process.stdin:
                json.dump(message, process.stdin)
        except OSError as error:
            logger.warning("warning  notify: no message can be sent: %s", error.strerror or error)
            return
        self._sent.append(process)
        self._collect()

    def better(self, text: str | None) -> None:
        """A validation is over; `text` says what is the best so far where that is new."""
        self._best = text or self._best
        if self._best is not None and time.monotonic() - self._told_best >= BEST_SECONDS:
            self._told_best = time.monotonic()
            self.tell("best so far", self._best)
            self._best = None

    def close(self, wait_seconds: float) -> bool:
        """Give the messages that are under way a while; returns whether all were taken by all."""
        last = time.monotonic() + wait_seconds
        while self._sent and time.monotonic() < last:
            self._collect()
            time.sleep(0.02)
        if self._sent:
            logger.warning("warning  notify: a message is still under way; the network does not answer")
        return not self._sent and not self._warned

    def _collect(self) -> None:
        """Hear of the messages that have been sent, and warn once of each address that took none."""
        for process in [process for process in self._sent if process.poll() is not None]:
            self._sent.remove(process)
            assert process.stdout is not None, "asked for"
            with process.stdout:
                text = process.stdout.read()
            for position in json.loads(text) if process.returncode == 0 else range(len(self._urls)):
                if position not in self._warned:
                    self._warned.add(position)
                    logger.warning("warning  notify: %s did not take a message", self._urls[position])


@contextmanager
def telling(urls: Sequence[SecretUrl], work_dir: WorkDir) -> Iterator[Messenger]:
    """While the block runs, tell of it; that it was stopped or failed is told here.

    Args:
        urls: Whom to tell.
        work_dir: Of the run, which is named after it.
    """
    root = work_dir.root
    messenger = Messenger(urls, root.name if work_dir.whole is None else f"{work_dir.whole.name}, fold {root.name}")
    wait = WAIT_SECONDS
    try:
        yield messenger
    except StoppedError as stopped:
        messenger.tell("stopped", f"stopped by {stopped.signal.name}{stopped.told}")
        wait = STOP_SECONDS
        raise
    except AutoXVideoError as error:
        messenger.tell("failed", "\n".join(map(str, error.problems)))
        raise
    except Exception as error:
        messenger.tell("failed", f"{type(error).__name__}: {error}")
        raise
    finally:
        messenger.close(wait)


def send_test_message(settings: Settings) -> bool:
    """Tell everybody in `notify` that this is a test; returns whether all have taken it.

    Raises:
        RequestError: There is nobody to tell.
    """
    if not settings.notify:
        cure = "Write e.g. `notify: tgram://${TELEGRAM_TOKEN}/${TELEGRAM_CHAT}`"
        raise RequestError(Problem("notify", "names nobody", cure))
    messenger = Messenger(settings.notify, settings.work_dir.name)
    messenger.tell("test", f"a test message from {os.uname().nodename}")
    return messenger.close(TEST_SECONDS) and messenger.reaches_all


def begun(plan: Plan, work_dir: WorkDir, *, goes_on: bool) -> tuple[str, str]:
    """The message that a training begins, or goes on: title and body."""
    counts = ", ".join(f"{number} {split}" for split, number in plan.num_videos.items())
    what = f"{plan.model.value} on {plan.device.value}, {plan.epochs.value} epochs: {counts} videos"
    return (
        "resumed" if goes_on else "started",
        f"{what} of {len(plan.classes)} classes\n{os.uname().nodename}:{work_dir.root}",
    )


def told_figures(epoch: int, epochs: int, metrics: Mapping[str, float]) -> str:
    """Validation figures in a line."""
    return f"epoch {epoch} of {epochs}: " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())


def _misses(url: SecretUrl) -> bool:
    missing = url.missing()
    if missing:
        logger.warning("warning  notify: %s is left out: %s is not set", url, " and ".join(missing))
    return bool(missing)
