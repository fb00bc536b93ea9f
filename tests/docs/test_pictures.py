"""The pictures of the documentation follow its theme switch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from docs.conf import html_js_files
from tests.support.documents import DOCS
from tests.support.live import serving

pytestmark = pytest.mark.browser

#: A page as the theme writes it.
CONTENT = """<!doctype html><title>Pictures</title>
<body data-theme="auto">
<picture>
  <source media="(prefers-color-scheme: dark)" srcset="_static/screenshots/consent-dark.webp">
  <img src="_static/screenshots/consent-light.webp" alt="The consent page">
</picture>
<script src="/_static/pictures.js"></script>"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    app = Flask(__name__, static_folder=str(DOCS / "_static"), static_url_path="/_static")
    app.add_url_rule("/", view_func=lambda: CONTENT)
    with serving(app) as address, chromium.new_context() as context:
        shown = context.new_page()
        shown.goto(address)
        yield shown


@pytest.mark.parametrize(
    ("system", "theme", "shown"),
    [
        ("light", "auto", "light"),
        ("dark", "auto", "dark"),
        ("light", "dark", "dark"),
        ("dark", "light", "light"),
        ("dark", "dark", "dark"),
    ],
)
def test_the_pictures_follow_the_theme(page: Page, system: str, theme: str, shown: str) -> None:
    page.emulate_media(color_scheme="dark" if system == "dark" else "light")

    page.evaluate("theme => { document.body.dataset.theme = theme; }", theme)

    page.wait_for_function(
        "end => document.querySelector('img').currentSrc.endsWith(end)", arg=f"consent-{shown}.webp"
    )


def test_every_page_has_the_script() -> None:
    assert ("pictures.js", {"defer": "defer"}) in html_js_files
