"""What people do and see on a page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

#: A busy machine takes its time.
expect.set_options(timeout=15_000)


def press(page: Page, button: str) -> None:
    """Press the button with exactly this name, in the page and not in the layout of the app."""
    page.locator("main").get_by_role("button", name=button, exact=True).click()


def sees(page: Page, text: str) -> None:
    """The text is on the page, or on the one that is about to open."""
    expect(page.locator("main")).to_contain_text(text)
