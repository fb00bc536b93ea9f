"""The copy buttons of the documentation's code blocks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.support.documents import DOCS
from tests.support.live import serving

pytestmark = pytest.mark.browser

#: Code blocks as Sphinx writes them.
CONTENT = """<!doctype html><title>Blocks</title>
<div class="highlight"><pre>first line
second line
</pre></div>
<div class="highlight"><pre>$ flask run
 * Running on http://127.0.0.1:5000
</pre></div>
<div class="highlight-text notranslate"><div class="highlight"><pre>{"id": 2}
</pre></div></div>
<div class="literal-block-wrapper"><div class="highlight-text notranslate"><div class="highlight"><pre>PORT=80
</pre></div></div></div>
<script src="/copy.js"></script>"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    app = Flask(__name__, static_folder=str(DOCS / "_static"), static_url_path="")
    app.add_url_rule("/", view_func=lambda: CONTENT)
    with serving(app) as address, chromium.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        shown = context.new_page()
        shown.goto(address)
        yield shown


@pytest.mark.parametrize(
    ("block", "copied"),
    [(0, "first line\nsecond line\n"), (1, "flask run\n"), (2, "PORT=80\n")],
    ids=["code", "a session, without prompt and output", "a file of plain text"],
)
def test_the_button_copies_the_block(page: Page, block: int, copied: str) -> None:
    button = page.locator("button.copy").nth(block)

    button.press("Enter")

    expect(button).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == copied


def test_output_has_no_button(page: Page) -> None:
    expect(page.locator("div.highlight", has_text='{"id": 2}').get_by_role("button")).to_have_count(0)
