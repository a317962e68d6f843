"""A real browser for tests: the fixture `page`.

tests/conftest.py makes it known to all tests.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window, one for all tests of a process."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("AUTOX_FAIL_WITHOUT_BROWSER") == "1":
            pytest.fail("AUTOX_FAIL_WITHOUT_BROWSER=1, and there is none of " + ", ".join(NAMES))
        pytest.skip("needs one of " + ", ".join(NAMES))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def page(browser) -> Iterator[Any]:
    """An empty page in English, of Playwright; `page.errors` lists what its console complained of, which a test asserts on.

    No request leaves the machine: what is not `file:`, `data:`, `blob:` or of this machine is refused, and is an error.
    """
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)  # milliseconds: the cores may be busy with other tests
    opened = context.new_page()
    opened.errors = []
    opened.on("console", lambda said: opened.errors.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))

    def refuse(route) -> None:  # type: ignore[no-untyped-def]
        url = route.request.url
        if url.startswith(("file:", "data:", "blob:", "http://127.0.0.1", "http://localhost")):
            route.continue_()
        else:
            opened.errors.append(f"asks the network for {url}")
            route.abort()

    context.route("**/*", refuse)
    yield opened
    context.close()
