"""What every test runs under."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

# Before anything imports numpy or torch: many small tests are slower on several threads than on one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
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
