"""Every page on a phone: in a language with long words it fits, and from right to left it is mirrored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import request
from flask_babel import Babel
from playwright.sync_api import Browser, Page

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.document_clients import Site
from tests.support.filled import Filled, filled_app
from tests.support.live import serving
from tests.support.translations import write_catalog

pytestmark = pytest.mark.browser

#: How far the page can be scrolled sideways; the navigation scrolls by itself.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: The texts whose first line does not begin at the right edge of their box.
NOT_AT_THE_RIGHT = """() => {
  const found = [];
  for (const element of document.querySelectorAll("main :is(h1, h2, h3, p, dt, dd, li, label, legend, th)")) {
    const style = getComputedStyle(element), box = element.getBoundingClientRect(), text = document.createRange();
    text.selectNodeContents(element);
    const lines = [...text.getClientRects()].filter(({ width }) => width > 1);
    if (!lines.length || box.width <= 1 || style.textAlign === "center" || element.closest(".ap-nav")) continue;
    const edge = box.right - parseFloat(style.paddingRight) - parseFloat(style.borderRightWidth);
    if (edge - Math.max(...lines.map(({ right }) => right)) > 2) found.push(element.textContent.trim());
  }
  return found;
}"""


@pytest.fixture(scope="module")
def phone(chromium: Browser) -> Iterator[Page]:
    """A window 360 px wide."""
    with chromium.new_page(viewport={"width": 360, "height": 640}) as page:
        yield page


@pytest.fixture
def filled(make_app: MakeApp, server: ActivepiecesServer, agent_site: Site, tmp_path: Path) -> Filled:
    """The filled app, in the language of a cookie. For Arabic, it has one text of its own."""
    arabic = write_catalog(tmp_path, {"Connected apps": "التطبيقات المرتبطة"}, "ar")
    filled = filled_app(make_app, server, agent_site, BABEL_TRANSLATION_DIRECTORIES=arabic)
    Babel(filled.app, locale_selector=lambda: request.cookies.get("language", "en"))
    return filled


@pytest.fixture
def site(filled: Filled) -> Iterator[str]:
    with serving(filled.app) as site:
        yield site


def speak(page: Page, language: str) -> None:
    page.context.add_cookies([{"name": "language", "value": language, "url": page.url}])


@pytest.mark.long
def test_every_page_fits_in_german_and_is_mirrored_in_arabic(filled: Filled, site: str, phone: Page) -> None:
    addresses = [address for address, _ in filled.pages() if "?" not in address and "invalid" not in address]
    too_wide, not_mirrored = [], {}
    phone.goto(f"{site}/login?as=alice")

    for address in (*addresses, *filled.consents):
        speak(phone, "de")
        phone.goto(site + address)
        if phone.evaluate(OVERFLOW) > 0:
            too_wide.append(address)
        speak(phone, "ar")
        phone.reload()
        if found := phone.evaluate(NOT_AT_THE_RIGHT):
            not_mirrored[address] = found

    assert len(addresses) > 20
    assert too_wide == []
    assert not_mirrored == {}


def test_a_text_at_the_left_is_found(phone: Page) -> None:
    phone.set_content('<main dir="rtl"><p>at the right</p><p dir="ltr">at the left</p></main>')

    assert phone.evaluate(NOT_AT_THE_RIGHT) == ["at the left"]
