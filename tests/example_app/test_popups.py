"""Pages in a popup that another site opened: what the opener receives from a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.wrappers import Response

from flask_activepieces.testing import ActivepiecesServer
from tests.example_app.actors import Program
from tests.example_app.test_browser import address, serve

__all__ = ["address"]

pytestmark = [pytest.mark.browser, pytest.mark.long]

#: A page of another site. It opens the URL in its fragment and records every message that it receives.
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
    """A stand-in, whose redirect page posts the code to the window that opened it."""
    with ActivepiecesServer() as server:
        yield server


@pytest.fixture
def opener_address() -> Iterator[str]:
    """The address of the opener, on another site than Tasklane."""
    with serve(OPENER) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.fixture
def browser(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser where Milo, who has one workspace, is signed in to Tasklane."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/login")
    page.get_by_label("E-mail address").fill("member@acme.test")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")
    yield context
    context.close()


def approve_once(browser: BrowserContext, address: str, program: Program) -> None:
    """Milo approves the program in a normal window."""
    page = browser.pages[0]
    page.goto(address + program.authorize_url())
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Redirect successful").wait_for()


def open_popup(browser: BrowserContext, opener_address: str, url: str) -> tuple[Page, Page]:
    """The opener's page, and its popup after loading."""
    opener = browser.new_page()
    opener.goto(f"{opener_address}/#{url}")
    with opener.expect_popup() as popup:
        opener.get_by_role("button", name="Open").click()
    popup.value.wait_for_load_state()
    return opener, popup.value


def test_evil_opener_gets_no_code_without_a_consent_page(
    tasklane: Flask, address: str, activepieces: ActivepiecesServer, browser: BrowserContext, opener_address: str
) -> None:
    """Activepieces posts each code to its opener, so an automatic redirect would leak the code to any site."""
    program = Program.register(tasklane, redirect_uri=f"{activepieces.url}/api/redirect")
    approve_once(browser, address, program)

    opener, popup = open_popup(browser, opener_address, address + program.authorize_url())

    popup.get_by_role("heading", name="Test program wants to access your Tasklane account").wait_for()
    assert opener.evaluate("messages") == []


def test_opener_receives_the_code_after_approval(
    tasklane: Flask, address: str, activepieces: ActivepiecesServer, browser: BrowserContext, opener_address: str
) -> None:
    """The consent page must not cut the popup off from Activepieces, which opened it."""
    program = Program.register(tasklane, redirect_uri=f"{activepieces.url}/api/redirect")
    opener, popup = open_popup(browser, opener_address, address + program.authorize_url())

    popup.get_by_role("button", name="Approve").click()
    popup.get_by_text("Redirect successful").wait_for()

    (message,) = opener.evaluate("messages")
    assert message["code"].startswith("v1.")


def test_opening_connected_apps_does_not_separate_the_popup_from_its_opener(
    tasklane: Flask, address: str, activepieces: ActivepiecesServer, browser: BrowserContext, opener_address: str
) -> None:
    """The page of connected apps has no opener, so it opens in a new window, not in the popup."""
    program = Program.register(tasklane, redirect_uri=f"{activepieces.url}/api/redirect")
    opener, popup = open_popup(browser, opener_address, address + program.authorize_url())

    with browser.expect_page() as new_window:
        popup.locator("main").get_by_role("link", name="Connected apps").click()
    new_window.value.get_by_role("heading", name="Connected apps", exact=True).wait_for()
    popup.get_by_role("button", name="Approve").click()
    popup.get_by_text("Redirect successful").wait_for()

    (message,) = opener.evaluate("messages")
    assert message["code"]


def test_page_of_connected_apps_has_no_opener(address: str, browser: BrowserContext, opener_address: str) -> None:
    _, popup = open_popup(browser, opener_address, f"{address}/oauth/connected-apps")

    assert popup.evaluate("window.opener") is None
