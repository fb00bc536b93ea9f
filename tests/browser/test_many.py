"""Pages of a company with much of everything: as much work as with little, not longer, and as good to use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import get_ident
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import event

from tests.browser.many import add_many
from tests.browser.scenes import ADA, AREA
from tests.browser.site import Site
from tests.browser.test_pages import DESKTOP, PHONE, axe_violations, sideways_overflow
from tests.browser.visitors import Visitor, visitor
from tests.example_app.actors import Person
from tests.support.storage import engine_of

pytestmark = pytest.mark.long

PAGES = [
    AREA,
    f"{AREA}/connections",
    f"{AREA}/connections?search=e",
    f"{AREA}/connections/services",
    f"{AREA}/connections/{{Our key}}",
    f"{AREA}/connections/{{Our key}}/replace",
    f"{AREA}/connections/{{Our key}}/delete",
    f"{AREA}/connections/{{own connection}}",
    f"{AREA}/connections/{{own connection}}/replace",
    f"{AREA}/connections/{{own connection}}/delete",
    f"{AREA}/flows",
    f"{AREA}/flows?uses={{own connection}}",
    f"{AREA}/runs",
    f"{AREA}/runs?status=failed",
    f"{AREA}/deliveries",
    f"{AREA}/deliveries?state=dead",
    f"{AREA}/subscriptions",
    f"{AREA}/mcp",
    f"{AREA}/agents",
    f"{AREA}/piece",
    f"{AREA}/clients",
    f"{AREA}/clients?order=newest",
    f"{AREA}/clients/{{program}}",
    f"{AREA}/audit",
    f"{AREA}/audit?kind=connections",
    f"{AREA}/setup",
    "/oauth/connected-apps",
]
#: The longest page has 10 connected apps and 10 tokens, each with a question and a form.
MOST_BYTES = 50_000


@dataclass(frozen=True)
class Cost:
    """What a page needs, and how long it is."""

    statements: int
    calls: int
    length: int


def cost_of(site: Site, person: Person, path: str) -> Cost:
    """What it costs to show a page again."""
    url = path.format(**site.ids)
    person.browser.get(url)
    before = len(site.activepieces.calls)
    this_thread, threads = get_ident(), list[int]()

    def note(*_: Any) -> None:
        threads.append(get_ident())

    event.listen(engine_of(site.app), "before_cursor_execute", note)
    page = person.browser.get(url)
    event.remove(engine_of(site.app), "before_cursor_execute", note)
    assert page.status_code == 200, page.text
    # The worker that delivers events is another thread.
    return Cost(threads.count(this_thread), len(site.activepieces.calls) - before, len(page.data))


@pytest.fixture(scope="module")
def costs(filled_site: Site) -> Iterator[dict[str, tuple[Cost, Cost]]]:
    """What each page costs with little and with much."""
    ada = Person(filled_site.app, ADA)
    little = {path: cost_of(filled_site, ada, path) for path in PAGES}
    add_many(filled_site)
    yield {path: (little[path], cost_of(filled_site, ada, path)) for path in PAGES}
    filled_site.restore()


@pytest.mark.parametrize("path", PAGES)
def test_much_costs_as_much_as_little(costs: dict[str, tuple[Cost, Cost]], path: str) -> None:
    little, much = costs[path]

    assert (much.statements, much.calls) == (little.statements, little.calls)
    assert much.length <= MOST_BYTES


@pytest.fixture(scope="module")
def ada(chromium: Browser, filled_site: Site, costs: object) -> Iterator[Visitor]:
    """The admin of the company in a browser, after ``costs`` gave it much of everything."""
    with visitor(chromium, filled_site, ADA) as person:
        yield person


@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
def test_a_full_page_is_accessible_and_fits(ada: Visitor, filled_site: Site, path: str) -> None:
    page = ada.page
    page.set_viewport_size(DESKTOP)
    page.goto(filled_site.address_of(path))

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe_violations(page) == []
    page.set_viewport_size(PHONE)
    assert sideways_overflow(page) == 0
    assert ada.problems == []
