"""What can go wrong, said the same way everywhere.

Every message reads ``<where>: <what is wrong> (got <value>). <what to do>.``, and the class of
the exception is the exit code: 2 when the request was wrong, 1 when the run failed, 128 + n when
signal n stopped it, 75 when it made no progress.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from signal import Signals


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        where: The file, line, key or stage, e.g. ``config.yaml:12: epoch``.
        wrong: What is wrong, without a full stop.
        cure: What to do about it, without a full stop.
        got: The offending value as text, or None where there is none to show.
    """

    where: str
    wrong: str
    cure: str
    got: str | None = None

    def __str__(self) -> str:
        got = "" if self.got is None else f" (got {self.got})"
        return f"{self.where}: {self.wrong}{got}. {self.cure}."


class AutoXVideoError(Exception):
    """Base of everything this package raises on purpose; carries one or more `Problem`."""

    exit_code = 1

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class RequestError(AutoXVideoError):
    """The settings, the data or the command line ask for something that cannot be done."""

    exit_code = 2


class RunError(AutoXVideoError):
    """The request was right, but the run failed."""

    exit_code = 1


class StoppedError(SystemExit):
    """A signal asked to stop. Nothing is wrong, so it is no `AutoXVideoError`; Python exits with its code.

    Attributes:
        signal: The signal.
        told: What a person should know besides, to be put after `stopped by SIGTERM`.
    """

    def __init__(self, signal: Signals, told: str = "; run the same command again") -> None:
        self.signal, self.told = signal, told
        super().__init__(128 + signal)


# EX_TEMPFAIL of sysexits.h: the same command may well succeed.
STALLED_EXIT_CODE = 75
