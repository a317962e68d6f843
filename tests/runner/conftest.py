from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_site import Site, running_site
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def scope_of_mmaction() -> Iterator[None]:
    """What is built by name is MMAction2's, whatever an earlier test of the same process has left behind."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield


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
