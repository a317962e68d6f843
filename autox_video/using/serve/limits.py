"""What one may ask of the server, and the errors that say so."""

from __future__ import annotations

from dataclasses import dataclass

from autox_video.errors import Problem

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What a request may take.

    Attributes:
        max_mb: Size of an upload in MiB.
        max_seconds: For the upload, and again for the answer.
        max_waiting: Requests that are uploaded, wait or are answered at a time.
        stall_seconds: An upload that brings nothing for so long is given up.
    """

    max_mb: float = 200
    max_seconds: float = 60
    max_waiting: int = 16
    stall_seconds: float = 10

    @property
    def max_bytes(self) -> int:
        """Size of an upload."""
        return round(self.max_mb * MIB)


class RefusedError(Exception):
    """A request that gets no answer but an error.

    Attributes:
        status: Of HTTP.
        problem: What is wrong.
        headers: To be sent with it.
    """

    def __init__(self, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(problem))
        self.status, self.problem, self.headers = status, problem, headers or {}


def in_json(problem: Problem) -> dict[str, dict[str, str | None]]:
    """An error as it is answered."""
    told = {"where": problem.where, "wrong": problem.wrong, "got": problem.got, "cure": problem.cure}
    return {"error": {key: value for key, value in told.items() if value is not None}}
