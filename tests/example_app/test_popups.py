"""Pages of anybody open ours in a popup: what a real browser then hands to its opener."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.wrappers import Response

from flask_activepieces.testing import ActivepiecesServer
from tests.example_app.actors import Program
from tests.example_app.test_browser import address, chromium, served

__all__ = ["address", "chromium"]

pytestmark = pytest.mark.browser

#: A page of anybody: it opens what its fragment says, and notes every message that comes back.
OPENER = Response(
    """<!doctype html><title>Opener</title><button>Open</button><script>
    window.messages = [];
    addEventListener("message", (event) => messages.push(event.data));
    document.querySelector("button").onclick = () => window.open(
      decodeURIComponent(location.hash.slice(1)), "popup", "width=500,height=600");
    </script>""",
    mimetype="text/html",
)


@pytest.fixture(scope="module")
def activepieces() -> Iterator[ActivepiecesServer]:
    """A stand-in: its redirect page posts the code to whatever window opened it."""
    with ActivepiecesServer() as server:
        yield server


@pytest.fixture
def opener_address() -> Iterator[str]:
    """Where the page that opens the popup is: on another site than Tasklane."""
    with served(OPENER) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.fixture
def browser(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser in which Milo, who has one workspace, is signed in to Tasklane."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/login")
    page.get_by_label("E-mail address").fill("member@acme.test")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")
    yield context
    context.close()


def connected_before(browser: BrowserContext, address: str, program: Program) -> None:
    """Milo said yes once, in a window of his own."""
    page = browser.pages[0]
    page.goto(address + program.question())
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Redirect successful").wait_for()


def opened(browser: BrowserContext, opener_address: str, url: str) -> tuple[Page, Page]:
    """The opener's page and its popup, once that has loaded."""
    opener = browser.new_page()
    opener.goto(f"{opener_address}/#{url}")
    with opener.expect_popup() as popup:
        opener.get_by_role("button", name="Open").click()
    popup.value.wait_for_load_state()
    return opener, popup.value


def test_an_evil_opener_gets_no_code_without_the_user_seeing_the_page(
    tasklane: Flask,
    address: str,
    activepieces: ActivepiecesServer,
    browser: BrowserContext,
    opener_address: str,
) -> None:
    """Activepieces posts each code to its opener: an answer without a page would be anybody's."""
    program = Program.registered(tasklane, redirect_uri=f"{activepieces.url}/api/redirect")
    connected_before(browser, address, program)

    opener, popup = opened(browser, opener_address, address + program.question())

    popup.get_by_role("heading", name="Allow Test program to use your account?").wait_for()
    assert opener.evaluate("messages") == []


def test_the_code_of_an_approved_popup_reaches_its_opener(
    tasklane: Flask,
    address: str,
    activepieces: ActivepiecesServer,
    browser: BrowserContext,
    opener_address: str,
) -> None:
    """The consent page must not cut the popup off from Activepieces, which opened it."""
    program = Program.registered(tasklane, redirect_uri=f"{activepieces.url}/api/redirect")
    opener, popup = opened(browser, opener_address, address + program.question())

    popup.get_by_role("button", name="Approve").click()
    popup.get_by_text("Redirect successful").wait_for()

    (message,) = opener.evaluate("messages")
    assert message["code"].startswith("v1.")


def test_a_look_at_the_connected_apps_does_not_cut_the_popup_off_from_its_opener(
    tasklane: Flask,
    address: str,
    activepieces: ActivepiecesServer,
    browser: BrowserContext,
    opener_address: str,
) -> None:
    """That page is cut off from every opener, so it opens beside the consent page and not in its place."""
    program = Program.registered(tasklane, redirect_uri=f"{activepieces.url}/api/redirect")
    opener, popup = opened(browser, opener_address, address + program.question())

    with browser.expect_page() as beside:
        popup.locator("main").get_by_role("link", name="Connected apps").click()
    beside.value.get_by_role("heading", name="Connected apps", exact=True).wait_for()
    popup.get_by_role("button", name="Approve").click()
    popup.get_by_text("Redirect successful").wait_for()

    (message,) = opener.evaluate("messages")
    assert message["code"]


def test_the_page_of_connected_apps_is_cut_off_from_its_opener(
    address: str, browser: BrowserContext, opener_address: str
) -> None:
    _, popup = opened(browser, opener_address, f"{address}/oauth/connected-apps")

    assert popup.evaluate("window.opener") is None
