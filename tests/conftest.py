"""What every test runs under."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

# Before anything imports numpy or torch: many small tests are slower on several threads than on one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Threads that a plan asks for sleep while they wait: those of two tests on two cores would else burn four times the
# time of the work, each waiting for one that has no core.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from browser import browser, page  # noqa: F401


@pytest.fixture(autouse=True)
def package_logger_as_it_was() -> Iterator[None]:
    """Undo what the command line does to the logger, so that no test reads another one's output."""
    logger = logging.getLogger("autox_video")
    before = (logger.level, logger.propagate, list(logger.handlers))
    yield
    level, logger.propagate, logger.handlers = before
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def decoding_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test plans does not depend on how busy the machine is; the tests of measuring have it otherwise."""
    monkeypatch.setattr("autox_video.dataset.decode_cost.time_videos", lambda decoders, limit: (_ for _ in ()))


@pytest.fixture(autouse=True)
def no_filmstrips(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A test of a model draws no films, which takes processes of their own, unless it asks for `filmstrips`."""
    if "filmstrips" not in request.fixturenames:
        monkeypatch.setattr("autox_video.report.html.films.Films.draw", lambda films: {})


@pytest.fixture
def filmstrips() -> None:
    """The films of a report are drawn."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that needs a GPU is skipped without one, except in the job that is meant to run it."""
    if item.get_closest_marker("gpu") is None:
        return
    import torch

    if torch.cuda.is_available():
        return
    if os.environ.get("AUTOX_FAIL_WITHOUT_CUDA") == "1":
        pytest.fail("AUTOX_FAIL_WITHOUT_CUDA=1, and there is no CUDA device")
    pytest.skip("needs a CUDA device")
