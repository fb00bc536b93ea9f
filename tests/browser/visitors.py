"""People with a browser, and what the browser reports about pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, StorageState

from example_app.seed import DEMO_PASSWORD
from tests.browser.scenes import ADA, LABS, NOBODY
from tests.browser.site import Site

#: Chromium reports each page with an error status.
_STATUS = "Failed to load resource: the server responded with a status of"
_REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.effectiveDirective} blocked ${event.blockedURI}`));"""


@dataclass
class Visitor:
    """A person with a browser."""

    context: BrowserContext
    page: Page
    #: What the console showed, errors of scripts and violations of the Content-Security-Policy among it.
    problems: list[str] = field(default_factory=list)
    #: The HTTP status of the page.
    status: int = 0

    def hear(self, message: ConsoleMessage) -> None:
        """Note an error or a warning of the console."""
        if message.type in ("error", "warning") and not message.text.startswith(_STATUS):
            self.problems.append(message.text)

    def note(self, response: Response) -> None:
        """Note the status of the page."""
        if response.request.is_navigation_request() and response.frame == self.page.main_frame:
            self.status = response.status


@contextmanager
def visitor(browser: Browser, site: Site, who: str = ADA, **options: Any) -> Iterator[Visitor]:
    """A person, signed in to Tasklane unless they have no name."""
    context = browser.new_context(
        base_url=site.url, locale="en-GB", storage_state=cookies_of(browser, site.url, who), **options
    )
    # The agent of the pictures, and nothing else, is on another host.
    context.route("https://**", lambda route: route.fulfill(body="", content_type="text/html"))
    page = context.new_page()
    person = Visitor(context, page)
    page.on("console", person.hear)
    page.on("response", person.note)
    page.on("pageerror", lambda error: person.problems.append(str(error)))
    page.add_init_script(_REPORT_VIOLATIONS)
    yield person
    context.close()


@cache
def cookies_of(browser: Browser, url: str, who: str) -> StorageState | None:
    """The cookies of a person who has signed in, once for all tests."""
    if who == NOBODY:
        return None
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("E-mail address").fill(ADA if who == LABS else who)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("/")
    if who == LABS:
        page.goto("/automation/workspace")
        page.get_by_label("Acme Labs").check()
        page.locator("main").get_by_role("button", name="Switch").click()
    state = context.storage_state()
    context.close()
    return state
