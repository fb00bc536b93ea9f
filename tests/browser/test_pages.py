"""Every page: accessible in both color schemes, usable with the keyboard and on a phone, and silent in the console.

A few pages are looked at in each run, and all with the long tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.scenes import AREA, PAGES, Scene
from tests.browser.site import Site
from tests.browser.visitors import Visitor, visitor
from tests.support.requirements import require

pytestmark = pytest.mark.browser

DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=360, height=640)
#: One page of each kind.
QUICK = {"consent", AREA, f"{AREA}/connections", "connection form with errors", f"{AREA}/clients", f"{AREA}/audit"}
AXE = """async () => (await axe.run(document, {iframes: false})).violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
STRUCTURE = """() => ({
  hasTitle: document.title.trim() !== "",
  headings: document.querySelectorAll("h1").length,
  landmarks: document.querySelectorAll("main").length,
  unlabelled: [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
    .filter((control) => !control.labels.length && !control.ariaLabel).map((control) => control.outerHTML),
  language: document.documentElement.lang,
})"""
#: What can be used on the page, numbered: of radio buttons with one name, a browser stops at one.
CONTROLS = """() => {
  const seen = new Set();
  const controls = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")].filter((element) => {
      const group = element.type === "radio" && `${element.form?.action} ${element.name}`;
      const isFirst = !group || !seen.has(group);
      seen.add(group);
      return isFirst && !element.disabled && element.checkVisibility({ visibilityProperty: true });
    });
  controls.forEach((element, number) => {
    element.dataset.control = number;
    if (element.type === "radio")
      document.getElementsByName(element.name).forEach((each) => { each.dataset.control = number; });
  });
  return controls.map((element) => element.outerHTML.slice(0, 120));
}"""
#: Where the focus is, and whether a person sees it there: by an outline within the page.
FOCUS = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const shows = [element, element.closest("label")].filter(Boolean).some((each) => {
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.bottom > 0;
  });
  return { control: element.dataset.control ?? null, shows, html: element.outerHTML.slice(0, 120) };
}"""


#: From now on, forms only tell which button was pressed in them, and how many others they have.
REMEMBER_BUTTONS = """() => {
  window.pressed = [];
  addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const buttons = event.target.querySelectorAll("button:not([type=button]):not([hidden])");
    window.pressed.push({ html: event.submitter?.outerHTML ?? "no button", buttons: buttons.length });
  }, true);
}"""
FIELDS = "main input:not([type=hidden]):not([type=file]), main select"


#: The modules of the views that are pages, and which of these are none: JSON, a CSV file, and ways back to a page.
PAGE_MODULES = r"\.(web\.automation|web\.pages)\.|\.web\.oauth\.authorize$|^example_app\.(tasks|auth|builder)$"
NO_PAGES = {"activepieces.describe_request", "activepieces.automation_audit_csv"}


def axe_violations(page: Page) -> list[str]:
    """What axe-core finds on the page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Path(require("axe")).read_text("utf-8"))
    return list(page.evaluate(AXE))


def sideways_overflow(page: Page) -> int:
    """How many pixels the page can be scrolled sideways."""
    return int(page.evaluate(OVERFLOW))


@pytest.fixture(scope="module")
def visitors(chromium: Browser, filled_site: Site) -> Iterator[Callable[[str], Visitor]]:
    """One browser window for each person, opened when it is needed."""
    with ExitStack() as stack:
        yield cache(lambda who: stack.enter_context(visitor(chromium, filled_site, who)))


@dataclass
class Look:
    """A person who looks at a scene."""

    scene: Scene
    person: Visitor

    @property
    def page(self) -> Page:
        return self.person.page


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(scene, id=str(scene), marks=() if str(scene) in QUICK else pytest.mark.long) for scene in PAGES
    ],
)
def look(request: pytest.FixtureRequest, visitors: Callable[[str], Visitor], filled_site: Site) -> Iterator[Look]:
    """Each scene, for all tests of this file: pytest runs the tests of one scene after each other."""
    scene: Scene = request.param
    person = visitors(scene.who)
    person.problems.clear()
    person.page.set_viewport_size(DESKTOP)
    person.page.emulate_media(color_scheme="light")
    scene.show(person.page, filled_site)
    yield Look(scene, person)
    filled_site.restore()


def test_every_page_has_a_scene(filled_site: Site) -> None:
    view_functions, urls = filled_site.app.view_functions, filled_site.app.url_map.bind("localhost")
    seen = {
        urls.match(scene.path.format(**filled_site.ids).partition("?")[0])[0]
        for scene in PAGES
        if scene.status != 404
    }

    pages = {
        rule.endpoint
        for rule in filled_site.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and re.search(PAGE_MODULES, view_functions[rule.endpoint].__module__)
    }

    assert {page for page in pages - seen if not page.endswith("_again")} == NO_PAGES


def test_page_has_its_title_heading_landmark_and_labels(look: Look) -> None:
    assert look.person.status == look.scene.status
    assert look.page.evaluate(STRUCTURE) == {
        "hasTitle": True,
        "headings": 1,
        "landmarks": 1,
        "unlabelled": [],
        "language": "en",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(look: Look, scheme: Literal["light", "dark"]) -> None:
    look.page.emulate_media(color_scheme=scheme)

    assert axe_violations(look.page) == []


def test_tab_reaches_every_control_and_shows_where_the_focus_is(look: Look) -> None:
    controls = dict(enumerate(look.page.evaluate(CONTROLS)))
    unseen = []

    for _ in range(len(controls) + 10):
        look.page.keyboard.press("Tab")
        focus = look.page.evaluate(FOCUS)
        if focus and focus["control"] is not None:
            controls.pop(int(focus["control"]), None)
            unseen += [] if focus["shows"] else [focus["html"]]
        if not controls:
            break

    assert list(controls.values()) == []
    assert unseen == []


def test_enter_in_a_field_presses_the_button_that_the_person_expects(look: Look) -> None:
    """The only one of the form, its main one, or none; never one that ends something."""
    look.page.evaluate(REMEMBER_BUTTONS)

    for field in look.page.locator(FIELDS).all():
        if field.is_visible() and field.is_enabled():
            field.press("Enter")

    for pressed in look.page.evaluate("window.pressed"):
        assert "ap-button-danger" not in pressed["html"]
        assert pressed["buttons"] == 1 or "ap-button-primary" in pressed["html"] or " hidden" in pressed["html"]


def test_phone_does_not_scroll_sideways(look: Look) -> None:
    look.page.set_viewport_size(PHONE)

    assert sideways_overflow(look.page) == 0


def test_console_stays_empty(look: Look) -> None:
    """Not even a violation of the Content-Security-Policy. The last test of a scene, so that it hears everything."""
    assert look.person.problems == []
