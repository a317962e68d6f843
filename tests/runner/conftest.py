from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_site import Site, running_site


@pytest.fixture
def site() -> Iterator[Site]:
    """Where weights are downloaded from."""
    with running_site() as site:
        yield site


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Where downloaded weights are kept."""
    monkeypatch.setenv("AUTOX_VIDEO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"
