"""When a signal is heeded, by whom, and what is as before afterwards."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from autox_video.errors import StoppedError
from autox_video.stopping import SIGNALS, asked_to_stop, later, stop_later, stop_now, stoppable


@pytest.fixture(autouse=True)
def defaults():
    """No signal is ignored, whatever started the tests."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def stopped(block: Callable[[], None]) -> StoppedError:
    """What a block under `stoppable` is ended by."""
    with pytest.raises(StoppedError) as caught:
        stoppable()(block)()
    return caught.value


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_block_with_its_code(number, caplog):
    done = []

    def block() -> None:
        signal.raise_signal(number)
        done.append("after")

    error = stopped(block)
    assert (error.code, error.signal, done) == (128 + number, number, [])
    assert caplog.messages == [f"stopped  by {number.name}; run the same command again"]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_signal_is_only_noted_where_something_must_be_finished():
    done = []

    def block() -> None:
        with later():
            signal.raise_signal(signal.SIGTERM)
            done.append("inside")
        done.append("after")

    stopped(block)
    assert done == ["inside"]


def test_what_was_noted_is_heeded_where_it_may_be():
    noted = []

    def block() -> None:
        stop_later()
        with later():
            signal.raise_signal(signal.SIGUSR1)
        noted.append(asked_to_stop())
        stop_now()
        noted.append(None)

    assert stopped(block).signal is signal.SIGUSR1
    assert noted == [signal.SIGUSR1]
    assert asked_to_stop() is None


def test_a_block_inside_another_changes_nothing():
    def block() -> None:
        with stoppable():
            pass
        signal.raise_signal(signal.SIGTERM)

    assert stopped(block).signal is signal.SIGTERM


def test_a_signal_that_was_ignored_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stoppable():
        signal.raise_signal(signal.SIGHUP)
        assert asked_to_stop() is None
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_outside_the_main_thread_nothing_is_touched():
    seen = []

    def run() -> None:
        with stoppable():
            seen.append([signal.getsignal(number) for number in SIGNALS])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [[signal.SIG_DFL] * len(SIGNALS)]


def test_a_forked_process_leaves_the_signals_to_its_parent_and_ends_with_it():
    with stoppable():
        reading, writing = os.pipe()
        # The middle one is the parent of the last, and is killed.
        if (middle := os.fork()) == 0:
            if (last := os.fork()) == 0:
                signal.pause()
            for number in SIGNALS:
                os.kill(last, number)
            # It is still there.
            os.write(writing, f"{os.waitpid(last, os.WNOHANG)[0]}\n".encode())
            signal.pause()
        os.close(writing)
        assert os.read(reading, 16) == b"0\n"
        os.kill(middle, signal.SIGKILL)
        os.waitpid(middle, 0)
        # Nobody has the other end any more.
        assert os.read(reading, 16) == b""
        os.close(reading)
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
