"""The pages in their own layout, as an app without a template gets them, in the colors that the docs show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from jinja2 import BaseLoader, Environment
from playwright.sync_api import Browser, Page, Route

from tests.browser.scenes import ADA, AREA, PAGES, Scene
from tests.browser.site import Site, example_site
from tests.browser.test_pages import PHONE, axe_violations, sideways_overflow
from tests.browser.visitors import visitor
from tests.docs.test_theming import SNIPPET

pytestmark = [pytest.mark.browser, pytest.mark.long]

#: docs/theming.md, "Your brand".
BRAND = {
    "ACTIVEPIECES_APP_NAME": "Tasklane",
    "ACTIVEPIECES_APP_LOGO": "/static/tasklane.svg",
    "ACTIVEPIECES_SUPPORT": "help@tasklane.example",
    "ACTIVEPIECES_ACCENT": "#0c6b5d",
}
#: The pages of Tasklane, which has templates of its own.
OURS = {"/", "/unknown", "/builder", f"{AREA}/nothing"}
#: The pages of the package that Ada sees as they are, or after an error in their form.
SCENES = [
    each for each in PAGES if each.who == ADA and (not each.act or each.status == 422) and each.path not in OURS
]


class OwnLayout(BaseLoader):
    """Ignores the template with which Tasklane replaces our layout."""

    def __init__(self, loader: BaseLoader) -> None:
        self._loader = loader

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        is_layout = template == "flask_activepieces/base.html"
        return self._loader.get_source(environment, f"original/{template}" if is_layout else template)


def use_own_layout(app: Flask) -> None:
    loader = app.jinja_env.loader
    assert loader is not None and app.jinja_env.cache is not None
    app.jinja_env.loader = OwnLayout(loader)
    app.jinja_env.cache.clear()


@pytest.fixture(scope="module")
def branded_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The servers, with a brand in the settings and without a template."""
    with example_site(tmp_path_factory.mktemp("branded"), **BRAND) as site:
        use_own_layout(site.app)
        yield site


@pytest.fixture(scope="module", params=["brand", "style sheet"])
def page(request: pytest.FixtureRequest, chromium: Browser, branded_site: Site) -> Iterator[Page]:
    """A browser of the admin. The style sheet of the docs comes after ours."""
    with visitor(chromium, branded_site) as person:
        if request.param == "style sheet":
            person.page.route("**/activepieces.css", add_snippet)
        yield person.page
        assert person.problems == []


def add_snippet(route: Route) -> None:
    response = route.fetch()
    route.fulfill(response=response, body=response.text() + SNIPPET)


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_documented_theme_is_accessible(page: Page, branded_site: Site, scene: Scene) -> None:
    page.set_viewport_size(PHONE)

    scene.show(page, branded_site)

    assert page.locator(".ap-header").inner_text() == "Tasklane"
    assert sideways_overflow(page) == 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe_violations(page) == []
