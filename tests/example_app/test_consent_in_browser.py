"""The consent page in a real browser: what a person does not choose is never approved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.example_app.actors import Program
from tests.example_app.test_browser import address, callback, sign_in

__all__ = ["address", "callback"]

pytestmark = [pytest.mark.browser, pytest.mark.long]

CHANGE = "Create and change tasks of the workspace"


@pytest.fixture
def program(tasklane: Flask, callback: str) -> Program:
    return Program.register(tasklane, redirect_uri=callback)


@pytest.fixture
def page(chromium: Browser, address: str, program: Program) -> Iterator[Page]:
    """The consent page, without JavaScript; the admin is signed in."""
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 640})
    page = context.new_page()
    sign_in(page, address)
    page.goto(address + program.authorize_url())
    yield page
    context.close()


def shown_boxes(page: Page) -> list[bool]:
    """Whether each visible box is ticked."""
    return [box.is_checked() for box in page.locator("input[type=checkbox]:visible").all()]


def test_boxes_appear_behind_customize(page: Page) -> None:
    assert shown_boxes(page) == []

    page.get_by_text("Customize").click()

    assert shown_boxes(page) == [True, True, True]


def test_an_unticked_permission_stays_in_view(page: Page) -> None:
    page.get_by_text("Customize").click()
    page.get_by_label(CHANGE).uncheck()
    page.get_by_text("Customize").click()

    assert shown_boxes(page) == [False]


def test_a_click_on_a_permission_without_a_box_changes_nothing(page: Page) -> None:
    page.get_by_text(CHANGE).click(force=True)

    assert page.locator("input[type=checkbox]:checked").count() == 3


def test_an_unticked_permission_is_not_granted(page: Page, program: Program, callback: str, address: str) -> None:
    page.get_by_text("Customize").click()
    page.get_by_label(CHANGE).uncheck()
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(f"{callback}/?code=*")

    page.goto(f"{address}/oauth/connected-apps")

    assert CHANGE not in page.get_by_role("article", name="Test program").inner_text()


def test_enter_anywhere_but_on_a_button_approves_nothing(
    page: Page, program: Program, callback: str, address: str
) -> None:
    """Two workspaces, Customize, and three permissions."""
    for number in range(6):
        page.goto(address + program.authorize_url())
        page.get_by_text("Customize").click()
        page.locator("form input:visible, form summary").nth(number).press("Enter")
        page.wait_for_load_state()

        assert page.get_by_role("button", name="Approve").is_visible(), number
        assert not page.url.startswith(callback), number


def test_no_button_is_focused_when_the_page_opens(page: Page, callback: str) -> None:
    page.keyboard.press("Enter")
    page.keyboard.press("Space")

    assert not page.url.startswith(callback)
    assert page.get_by_role("button", name="Approve").is_visible()


def test_reloading_starts_again(page: Page) -> None:
    page.get_by_text("Customize").click()
    page.get_by_label(CHANGE).uncheck()

    page.reload()

    assert page.locator("input[type=checkbox]:checked").count() == 3


def test_going_back_shows_the_page_again(page: Page, callback: str) -> None:
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url(f"{callback}/?error=access_denied*")

    page.go_back()
    page.get_by_role("button", name="Approve").click()

    page.wait_for_url(f"{callback}/?code=*")


def test_an_account_that_changed_in_another_window_reads_the_request_again(page: Page, address: str) -> None:
    other = page.context.new_page()
    other.goto(f"{address}/login")
    other.get_by_label("E-mail address").fill("member@acme.test")
    other.get_by_label("Password").fill("demo")
    other.locator("main").get_by_role("button", name="Sign in").click()
    other.wait_for_url(f"{address}/")

    page.get_by_role("button", name="Approve").click()
    page.get_by_role("link", name="Read the request again").click()

    page.get_by_text("Signed in as Milo").wait_for()


def test_switching_the_account_keeps_the_request(page: Page, callback: str) -> None:
    page.get_by_role("button", name="Switch account").click()
    page.get_by_text("Sign in to continue to Test program.").wait_for()
    page.get_by_label("E-mail address").fill("member@acme.test")
    page.get_by_label("Password").fill("demo")
    page.locator("main").get_by_role("button", name="Sign in").click()

    page.get_by_text("Signed in as Milo").wait_for()
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(f"{callback}/?code=*")


def test_names_of_all_scripts_fit(tasklane: Flask, page: Page, address: str) -> None:
    for name in ("قطعة العمل التلقائي", "活" * 120, "W" * 120):
        long = Program.register(tasklane, "--name", name, "--description", name * 4)
        page.goto(address + long.authorize_url())

        boxes = [page.locator("h1").bounding_box(), page.locator("body").bounding_box()]

        assert all(box is not None and box["width"] <= 360 for box in boxes), name
        assert boxes[0] is not None and boxes[0]["height"] < 320, name
