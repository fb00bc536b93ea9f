"""What only a real browser can tell: the policy lets our forms through, a small screen is enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from tests.example_app.actors import Program
from tests.support.requirements import require

pytestmark = pytest.mark.browser

#: The page of an outside program that people are sent back to.
PROGRAM_PAGE = Response("Back at the program", mimetype="text/plain")
#: Nothing but our own pages is asked for.
QUIETLY = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONG = "Kraftfahrzeughaftpflichtversicherungsgesellschaft" * 2
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@contextmanager
def served(app: Flask | Response) -> Iterator[str]:
    """The app on a free port of this machine, and its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    path = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIETLY)
        yield browser
        browser.close()


@pytest.fixture
def address(tasklane: Flask) -> Iterator[str]:
    """Where Tasklane is."""
    with served(tasklane) as address:
        yield address


@pytest.fixture
def callback() -> Iterator[str]:
    """Where the outside program is."""
    with served(PROGRAM_PAGE) as address:
        yield address


@pytest.fixture
def phone(chromium: Browser, address: str, callback: str) -> Iterator[Page]:
    """A page 360 px wide; whatever the browser complains about fails the test.

    It needs the servers so that it is closed before them: a page still fetching its icon from a
    server that stops would complain of that.
    """
    context = chromium.new_context(viewport={"width": 360, "height": 640})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("E-mail address").fill("admin@acme.test")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")


def test_person_consents_with_the_keyboard_and_is_sent_to_the_program(
    tasklane: Flask, address: str, callback: str, phone: Page
) -> None:
    program = Program.registered(tasklane, redirect_uri=callback)
    sign_in(phone, address)
    phone.goto(address + program.question())

    phone.get_by_label("Acme", exact=True).focus()
    phone.keyboard.press("ArrowDown")
    phone.get_by_label("Create and change tasks of the workspace").press("Space")
    phone.get_by_role("button", name="Approve").press("Enter")
    phone.wait_for_url(f"{callback}/?code=*")

    phone.goto(f"{address}/oauth/connected-apps")
    card = phone.get_by_role("article", name="Test program").inner_text()
    assert "Acme Labs" in card
    assert "Create and change" not in card

    phone.get_by_role("button", name="Disconnect Test program").click()
    phone.get_by_role("heading", name="No connected apps").wait_for()


def test_enter_in_a_box_of_the_consent_page_decides_nothing(
    tasklane: Flask, address: str, callback: str, chromium: Browser
) -> None:
    """A browser presses the first button of a form then, and that one was Approve."""
    program = Program.registered(tasklane, redirect_uri=callback)
    page = chromium.new_page()
    sign_in(page, address)
    page.goto(address + program.question())
    optional = page.get_by_label("Create and change tasks of the workspace")
    optional.uncheck()

    for box in ("radio", "checkbox"):
        page.get_by_role(box).last.press("Enter")
        page.get_by_role("alert").get_by_text("Choose Approve or Deny.").wait_for()

    assert not optional.is_checked()
    assert page.locator("form [name=decision]:visible").all_inner_texts() == ["Approve", "Deny"]
    page.close()


def test_long_words_do_not_widen_a_page(tasklane: Flask, address: str, phone: Page) -> None:
    program = Program.registered(
        tasklane, "--tenant", "acme", "--name", LONG, "--description", LONG
    )
    sign_in(phone, address)
    phone.get_by_label("New task").fill(LONG)
    phone.get_by_role("button", name="Add").click()
    phone.get_by_text(LONG).wait_for()

    for path in (
        "/",
        "/login",
        program.question(),
        "/oauth/connected-apps",
        "/automation",
        "/oauth/clients",
        "/oauth/clients/new",
        f"/oauth/clients/{program.client_id}",
    ):
        phone.goto(address + path)
        assert phone.evaluate(OVERFLOW) == 0, path
