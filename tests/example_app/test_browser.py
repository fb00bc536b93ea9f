"""Tests that need a real browser: content security policy, keyboard, and small screens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from tests.example_app.actors import Program

pytestmark = [pytest.mark.browser, pytest.mark.long]

#: The page of a program after the redirect.
PROGRAM_PAGE = Response("Back at the program", mimetype="text/plain")
#: Prevents requests to other hosts.
LONG_WORD = "Kraftfahrzeughaftpflichtversicherungsgesellschaft" * 2
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@contextmanager
def serve(app: Flask | Response) -> Iterator[str]:
    """Serve the app on a free local port, and yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address(tasklane: Flask) -> Iterator[str]:
    """The address of Tasklane."""
    with serve(tasklane) as address:
        yield address


@pytest.fixture
def callback() -> Iterator[str]:
    """The address of the program."""
    with serve(PROGRAM_PAGE) as address:
        yield address


@pytest.fixture
def phone(chromium: Browser, address: str, callback: str) -> Iterator[Page]:
    """A page 360 px wide. The test fails if the browser logs anything.

    It depends on the servers so that it closes first: a page that still loads its icon from a stopping server logs an
    error.
    """
    context = chromium.new_context(viewport={"width": 360, "height": 640})
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    yield page
    context.close()
    assert messages == []


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("E-mail address").fill("admin@acme.test")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")


def test_consent_page_works_with_the_keyboard(tasklane: Flask, address: str, callback: str, phone: Page) -> None:
    program = Program.register(tasklane, redirect_uri=callback)
    sign_in(phone, address)
    phone.goto(address + program.authorize_url())

    phone.get_by_label("Acme", exact=True).focus()
    phone.keyboard.press("ArrowDown")
    phone.locator("summary", has_text="Customize").press("Enter")
    phone.get_by_label("Create and change tasks of the workspace").press("Space")
    phone.get_by_role("button", name="Approve").press("Enter")
    phone.wait_for_url(f"{callback}/?code=*")

    phone.goto(f"{address}/oauth/connected-apps")
    card = phone.get_by_role("article", name="Test program").inner_text()
    assert "Acme Labs" in card
    assert "Create and change" not in card

    phone.locator("summary", has_text="Disconnect Test program").press("Enter")
    phone.get_by_text("stops working. Flows that use it fail.").or_(phone.get_by_text("Nothing stops")).wait_for()
    phone.get_by_role("button", name="Disconnect Test program").press("Enter")
    phone.get_by_role("heading", name="No connected apps").wait_for()


def test_enter_in_a_checkbox_of_the_consent_page_does_not_approve(
    tasklane: Flask, address: str, callback: str, chromium: Browser
) -> None:
    """On Enter, a browser presses the first button of a form, which used to be Approve."""
    program = Program.register(tasklane, redirect_uri=callback)
    page = chromium.new_page()
    sign_in(page, address)
    page.goto(address + program.authorize_url())
    page.get_by_text("Customize").click()
    optional = page.get_by_label("Create and change tasks of the workspace")
    optional.uncheck()

    for box in ("radio", "checkbox"):
        page.get_by_role(box).last.press("Enter")
        page.get_by_role("alert").get_by_text("Choose Approve or Deny.").wait_for()

    assert not optional.is_checked()
    assert page.locator("form [name=decision]:visible").all_inner_texts() == ["Switch account", "Approve", "Deny"]
    page.close()


def test_pages_with_long_words_do_not_overflow(tasklane: Flask, address: str, phone: Page) -> None:
    program = Program.register(tasklane, "--tenant", "acme", "--name", LONG_WORD, "--description", LONG_WORD)
    sign_in(phone, address)
    phone.get_by_label("New task").fill(LONG_WORD)
    phone.get_by_role("button", name="Add").click()
    phone.get_by_text(LONG_WORD).wait_for()

    for path in (
        "/",
        "/login",
        program.authorize_url(),
        "/oauth/connected-apps",
        "/automation",
        "/automation/clients",
        "/automation/clients/new",
        f"/automation/clients/{program.client_id}",
    ):
        phone.goto(address + path)
        assert phone.evaluate(OVERFLOW) == 0, path
