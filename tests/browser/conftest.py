"""One browser and one pair of servers for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.site import Site, example_site
from tests.browser.visitors import OPTIONS
from tests.support.requirements import require


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def filled_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both servers, with one of everything."""
    with example_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(filled_site: Site) -> Iterator[Site]:
    """The same; what a test changes is brought back after it."""
    yield filled_site
    filled_site.restore()
