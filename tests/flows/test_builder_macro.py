"""The macro for pages of the host, which shows the embedded builder."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

from flask import Flask, render_template_string

from flask_activepieces.integrations import EmbeddedBuilder
from tests.support.documents import page

BUILDER = EmbeddedBuilder(
    instance_url="https://ap.example.com",
    token="a.b.c",
    expires_at=0,
    sdk_url="https://cdn.example.com/embed.js",
    script_origin="https://cdn.example.com",
    frame_origin="https://ap.example.com",
)
TEMPLATE = """{% from "flask_activepieces/builder.html" import activepieces_builder %}
{{ activepieces_builder(builder, **arguments) }}"""


def rendered(app: Flask, **arguments: Any) -> str:
    """The element with the builder."""
    with app.test_request_context():
        return render_template_string(TEMPLATE, builder=BUILDER, arguments=arguments)


def test_the_element_has_all_that_the_script_needs(app: Flask) -> None:
    html = rendered(app, options={"hideFolders": True})

    assert 'data-instance-url="https://ap.example.com"' in html
    assert 'data-token="a.b.c"' in html
    assert "data-prefix" not in html
    assert "data-route" not in html
    assert html.index("/oauth/static/builder.js") < html.index("https://cdn.example.com/embed.js")
    # No inline script and no inline style, so that the page works under a strict policy.
    assert "<style" not in html
    assert " style=" not in html
    assert html.count("<script src=") == html.count("<script")


def test_attack_by_an_option_that_closes_the_attribute(app: Flask) -> None:
    options = {"styling": {"fontFamily": "\"><script>alert(1)</script>'"}}

    html = rendered(app, options=options, prefix='"><b>', route="/flows/'\"")

    assert "<script>alert" not in html
    assert "<b>" not in html
    (attribute,) = [line for line in html.splitlines() if "data-options" in line]
    value = attribute.partition('="')[2].partition('"')[0]
    assert json.loads(unescape(value)) == options


def test_the_texts_can_be_translated(app: Flask) -> None:
    html = rendered(app, loading="Lädt…", failed="Geht nicht.", needs_script="Braucht JavaScript.")

    assert "Lädt…" in html
    assert 'data-failed="Geht nicht."' in html
    assert "<noscript><p>Braucht JavaScript.</p></noscript>" in html


def test_the_script_is_served(app: Flask) -> None:
    with app.test_client().get("/oauth/static/builder.js") as answer:
        assert (answer.status_code, answer.mimetype) == (200, "text/javascript")


def test_every_argument_is_documented(app: Flask) -> None:
    with app.test_request_context():
        macro = app.jinja_env.get_template("flask_activepieces/builder.html").module.activepieces_builder  # type: ignore[attr-defined]  # a macro

    assert "needs_script" in macro.arguments
    assert [name for name in macro.arguments if f"`{name}`" not in page("embedding")] == []
