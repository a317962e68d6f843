"""Signals that ask a run to stop: SIGTERM, SIGINT, SIGUSR1 and SIGHUP.

Where nothing is lost by it, a signal ends what is going on at once, by an exception. Where a state is to be saved
first, it is only noted (`later`, `stop_later`), and the training asks for it after each step.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from autox_video.errors import StoppedError

logger = logging.getLogger(__name__)
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)
# `timeout`, torchrun and some queues send one request twice: a second signal within this time is the same request.
REPEAT_SECONDS = 2.0
# Code that is stuck outside Python, or swallows exceptions, is not waited for any longer.
GRACE_SECONDS = 10.0
END = 0  # is no signal's number
_PR_SET_PDEATHSIG = 1


@dataclass
class _State:
    """What was asked of this process, and when it may answer."""

    active: bool = False
    asked: signal.Signals | None = None
    later: bool = False
    over: bool = False
    hand_on: Callable[[int], None] | None = None
    blocked: set[int] = field(default_factory=set)
    parent: int = 0


_state = _State()


@contextmanager
def stoppable() -> Iterator[None]:
    """While the block runs, the signals end it by `StoppedError`; a second one of a kind ends the process at once.

    A block inside another one changes nothing, nor does one outside the main thread. A signal that was ignored before,
    as `nohup` does it, stays so.

    Raises:
        StoppedError: A signal came.
    """
    global _state
    if _state.active or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writing, False)
    _state = _State(active=True)
    watcher = threading.Thread(target=_watch, args=(reading, _state), name="signals", daemon=True)
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        watcher.start()
        for number in taken:
            signal.signal(number, _note)
        yield
    except StoppedError as error:
        logger.warning("stopped  by %s%s", error.signal.name, error.told)
        raise
    finally:
        _state.over = True
        for number in taken:
            signal.signal(number, before[number])
        signal.set_wakeup_fd(wakeup)
        # Not by closing: a process that was forked may still hold the pipe open.
        os.write(writing, bytes([END]))
        watcher.join()
        os.close(writing)
        os.close(reading)
        _state = _State()


def asked_to_stop() -> signal.Signals | None:
    """The signal that came, if one did."""
    return _state.asked


def stop_later() -> None:
    """From here on a signal is only noted."""
    _state.later = True


def stop_now() -> None:
    """From here on a signal ends what is going on.

    Raises:
        StoppedError: One was noted before.
    """
    _state.later = False
    if _state.active and _state.asked is not None:
        raise StoppedError(_state.asked)


@contextmanager
def later() -> Iterator[None]:
    """What the block does is done to its end before a signal is heeded.

    Raises:
        StoppedError: A signal came meanwhile, and may end what is going on.
    """
    before = _state.later
    stop_later()
    try:
        yield
    finally:
        _state.later = before
    if not before:
        stop_now()


@contextmanager
def at_once() -> Iterator[None]:
    """In the block a signal ends what is going on, also where it is otherwise only noted.

    Raises:
        StoppedError: A signal came, in the block or before it.
    """
    before = _state.later
    stop_now()
    try:
        yield
    finally:
        _state.later = before


@contextmanager
def handed_on(to: Callable[[int], None]) -> Iterator[None]:
    """In the block a signal is for other processes, and ends nothing here.

    Args:
        to: Called with each signal.
    """
    _state.hand_on = to
    try:
        yield
    finally:
        _state.hand_on = None


def end_with(parent: int) -> None:
    """Let this process be killed when its parent ends; at once where that has ended already.

    Args:
        parent: The id of the process that has started this one.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _note(number: int, frame: object) -> None:
    if _state.hand_on is not None:
        _state.hand_on(number)
        return
    first = _state.asked is None
    if first:
        _state.asked = signal.Signals(number)
    # Only once: the second would end the clearing up after the first.
    if first and not _state.later and not _state.over:
        raise StoppedError(signal.Signals(number))


def _watch(reading: int, state: _State) -> None:
    """See every signal as it comes, even while the main thread is stuck outside Python."""
    first: dict[int, float] = {}
    while (number := os.read(reading, 1)[0]) != END:
        if number not in SIGNALS or state.hand_on is not None:
            continue
        now = time.monotonic()
        if now - first.setdefault(number, now) > REPEAT_SECONDS:
            os._exit(128 + number)
        if list(first.values()) == [now]:
            # In a thread of its own: it must not keep the next signal from being seen.
            follow = _tell if state.later else _insist
            threading.Thread(target=follow, args=(signal.Signals(number), state), daemon=True).start()


def _tell(number: signal.Signals, state: _State) -> None:
    if state.later and not state.over:
        logger.warning("stopping after this step (%s); once more ends at once, without saving", number.name)


def _insist(number: signal.Signals, state: _State) -> None:
    time.sleep(GRACE_SECONDS)
    if state is _state:
        os._exit(128 + number)


def _before_fork() -> None:
    if _state.active:
        _state.parent = os.getpid()
        _state.blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _after_fork_in_parent() -> None:
    if _state.active:
        signal.pthread_sigmask(signal.SIG_SETMASK, _state.blocked)


def _after_fork_in_child() -> None:
    """A process that loads videos leaves the signals to its parent, and ends with it.

    They stay blocked in it. (Ignoring would not do: torch sets handlers in its workers.) So a signal to the whole
    process group does not take the videos away from a training that is to finish its step.
    """
    if _state.active:
        signal.set_wakeup_fd(-1)
        end_with(_state.parent)


_libc = ctypes.CDLL(None)
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
