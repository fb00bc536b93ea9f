"""One pair of servers for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.scenes import ADA, GWEN, LABS
from tests.browser.site import Site, example_site
from tests.browser.visitors import visitor


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


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Whether the browser runs scripts: everything works without."""
    return bool(request.param)


@pytest.fixture
def ada(chromium: Browser, site: Site, scripts: bool) -> Iterator[Page]:
    """The admin of Acme, in a browser. The test fails if the console shows an error."""
    yield from page_of(ADA, chromium, site, scripts)


@pytest.fixture
def ada_in_labs(chromium: Browser, site: Site, scripts: bool) -> Iterator[Page]:
    """The same in the workspace Acme Labs, which is not linked yet."""
    yield from page_of(LABS, chromium, site, scripts)


@pytest.fixture
def gwen(chromium: Browser, site: Site, scripts: bool) -> Iterator[Page]:
    """The admin of Globex, which has no connections and no flows."""
    yield from page_of(GWEN, chromium, site, scripts)


def page_of(who: str, chromium: Browser, site: Site, scripts: bool) -> Iterator[Page]:
    with visitor(chromium, site, who, java_script_enabled=scripts) as person:
        yield person.page
        assert person.problems == []
