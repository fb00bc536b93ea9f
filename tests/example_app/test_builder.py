"""The pages with the embedded builder, in a browser, with the stand-in: Tasklane's own, and that of the area."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from example_app import demo
from example_app.demo import start_demo
from example_app.models import db
from flask_activepieces import Activepieces
from tests.browser.site import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.long]

#: Prevents requests to other hosts.
PAGES = ["/builder", "/automation/builder"]
#: Collects the events of the builder, with what they say.
COLLECT = """window.events = [];
for (const name of ["ready", "navigate", "home", "failed"]) {
  document.addEventListener(`activepieces:${name}`, ({ detail }) => {
    window.events.push([name, detail?.route ?? (detail?.error ? "error" : null)]);
  });
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """The address of the demo."""
    with start_demo(folder) as instructions:
        yield re.findall(r"Tasks +(http://\S+)/$", instructions, re.MULTILINE)[0]


@pytest.fixture
def errors() -> list[str]:
    """What the console reports, such as violations of the Content-Security-Policy."""
    return []


@pytest.fixture
def page(chromium: Browser, site: str, errors: list[str]) -> Iterator[Page]:
    """Tasklane, where the admin of Acme is signed in."""
    with ExitStack() as stack:
        context = stack.enter_context(chromium.new_context(base_url=site))
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto("/login")
        page.fill("[name=email]", "admin@acme.test")
        page.fill("[name=password]", "demo")
        page.click("button[type=submit]")
        yield page


def opened(page: Page, path: str) -> FrameLocator:
    """The builder on this page, where the user is signed in."""
    page.goto(path)
    builder = page.frame_locator("#activepieces-builder iframe")
    expect(builder.get_by_text("Signed in as Ada Acker")).to_be_visible()
    return builder


@pytest.mark.parametrize("start", ["/", "/automation"])
def test_the_builder_shows_the_flows_of_the_company(page: Page, errors: list[str], start: str) -> None:
    page.goto(start)
    page.get_by_role("link", name="Builder").last.click()

    builder = page.frame_locator("#activepieces-builder iframe")
    expect(builder.get_by_text("Signed in as Ada Acker")).to_be_visible()
    expect(builder.get_by_role("button", name="Tasks by webhook")).to_be_visible()
    expect(page.get_by_text("The builder is loading")).to_have_count(0)
    expect(builder.locator("#sidebar")).to_be_hidden()
    assert errors == []


@pytest.mark.parametrize("path", PAGES)
def test_the_token_does_not_stay_in_the_document(page: Page, path: str) -> None:
    opened(page, path)

    assert "data-token" not in page.content()
    expect(page.locator("#activepieces-builder iframe")).to_have_attribute("title", "Activepieces")


def test_the_page_learns_what_happens_in_the_builder(page: Page) -> None:
    page.add_init_script(COLLECT)
    builder = opened(page, "/builder")
    wait_until(lambda: bool(page.evaluate("window.events.length == 1")))

    builder.get_by_role("button", name="Tasks by webhook").click()
    wait_until(lambda: bool(page.evaluate("window.events.length == 2")))

    ready, (name, route) = page.evaluate("window.events")
    assert ready == ["ready", None]
    assert name == "navigate"
    assert re.match("^/flows/", route)


#: Changes what the macro wrote, as other arguments would, before the script reads it.
OTHER_ARGUMENTS = """new MutationObserver(() => {
  const element = document.querySelector("[data-activepieces-builder]");
  if (element?.dataset.token && !element.dataset.route) {
    element.dataset.route = "/runs";
    element.dataset.options = JSON.stringify({ builder: { homeButtonClickedHandler: true } });
  }
}).observe(document, { childList: true, subtree: true });"""


def test_a_first_page_and_the_home_button_can_be_asked_for(page: Page) -> None:
    page.add_init_script(COLLECT)
    page.add_init_script(OTHER_ARGUMENTS)
    builder = opened(page, "/builder")
    expect(builder.locator("#route")).to_have_text("/runs")

    builder.get_by_role("button", name="Back").click()

    wait_until(lambda: bool(page.evaluate("window.events.some(([name]) => name == 'home')")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_builder_follows_the_system_if_asked(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.add_init_script(
        "addEventListener('message', ({data}) => data.type == 'VENDOR_INIT' && (window.mode = data.data.mode))"
    )

    builder = opened(page, "/automation/builder")

    frame = builder.owner.element_handle().content_frame()
    assert frame is not None
    assert frame.evaluate("window.mode") == scheme


@pytest.mark.parametrize("path", PAGES)
def test_a_failure_is_shown_to_the_user(page: Page, path: str) -> None:
    page.add_init_script(COLLECT)
    page.route("**/managed-authn/external-token", lambda route: route.fulfill(status=401, json={}))

    page.goto(path)

    expect(page.get_by_role("alert")).to_have_text("The builder could not be loaded. Reload the page.")
    assert page.evaluate("window.events") == [["failed", "error"]]
    expect(page.locator("#activepieces-builder iframe")).to_have_count(0)


def test_while_the_sdk_loads_the_page_says_so(page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/sdk/embed.js", lambda route: waiting.append(route))

    page.goto("/automation/builder", wait_until="commit")

    expect(page.get_by_role("status")).to_have_text("The builder is loading…")
    waiting[0].continue_()
    builder = page.frame_locator("#activepieces-builder iframe")
    expect(builder.get_by_text("Signed in as Ada Acker")).to_be_visible()


def test_without_scripts_the_page_says_what_it_needs(page: Page, chromium: Browser, site: str) -> None:
    with chromium.new_context(
        base_url=site, java_script_enabled=False, storage_state=page.context.storage_state()
    ) as context:
        without = context.new_page()

        without.goto("/automation/builder")

        expect(without.locator("#activepieces-builder")).to_have_text(
            "The builder needs JavaScript.", use_inner_text=True
        )


def test_without_the_sdk_the_user_is_told(page: Page) -> None:
    page.route("**/sdk/embed.js", lambda route: route.abort())

    page.goto("/builder")

    expect(page.get_by_role("alert")).to_have_text("The builder could not be loaded. Reload the page.")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_the_page_does_not_scroll_sideways(page: Page, width: int, path: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, path)

    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.locator("#activepieces-builder iframe").evaluate("frame => frame.clientHeight") > 400


def test_a_user_who_is_removed_loses_the_session(page: Page, folder: Path) -> None:
    """The last test: afterwards, the admin would have to be let in again."""
    tokens: list[str] = []
    urls: list[str] = []
    page.on("request", lambda request: tokens.append(request.headers.get("authorization", "")))
    page.on("request", lambda request: urls.append(request.url))
    page.goto("/builder")
    expect(page.frame_locator("#activepieces-builder iframe").get_by_text("Signed in")).to_be_visible()
    session = next(token for token in tokens if token)
    flows = next(url for url in urls if "/api/v1/flows?" in url)
    app = demo.create_app(folder)
    with app.app_context():
        Activepieces().revoke_user("1", tenant_id="acme")
        db.engine.dispose()

    answer = page.request.get(flows, headers={"Authorization": session})

    assert (answer.status, answer.json()["code"]) == (403, "SESSION_EXPIRED")
