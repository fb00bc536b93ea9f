"""The area in an app that changes a lot: layout, a template, a block, prefix, brand, language, pages that are off."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask, render_template
from flask_babel import Babel

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.actors import Person
from tests.support.api_user import ApiUser
from tests.support.documents import blocks, page
from tests.support.hosts import HostWithLabs
from tests.support.pages import Page
from tests.support.pieces import make_piece_app
from tests.support.translations import write_catalog

PREFIX = "/settings/automation"
LAYOUT = """<!doctype html>
<html lang="de"><head><title>{% block title %}{% endblock %} - Acme</title>{% block styles %}{% endblock %}</head>
<body class="acme">
<header>
{% from "flask_activepieces/navigation.html" import automation_links %}
<a href="/own">Acme</a> {{ automation_links(class="menu") }}
</header>
{% block main %}{% endblock %}
<footer>Acme Inc.</footer>
</body></html>"""
#: The example of docs/theming.md.
(BASE, _) = blocks(page("theming"), "jinja")
ONE_BLOCK = """{% extends "original/flask_activepieces/automation/connections.html" %}
{% block connections_heading %}<h1>Our accounts</h1>{% endblock %}"""
ONE_TEMPLATE = """{% extends "flask_activepieces/automation/layout.html" %}
{% block title %}Ours{% endblock %}
{% block area %}<h1>Our own overview</h1>{% endblock %}"""
OWN_PAGE = (
    '{% extends "layout.html" %}{% block title %}Own{% endblock %}{% block main %}<p>Our page</p>{% endblock %}'
)
GERMAN = {"Connections": "Verbindungen", "Flows": "Abläufe", "Settings": "Einstellungen", "Audit log": "Protokoll"}


def use_layout(app: Flask, root: Path) -> None:
    templates = {
        "layout.html": LAYOUT,
        "own.html": OWN_PAGE,
        "flask_activepieces/base.html": BASE,
        "flask_activepieces/automation/connections.html": ONE_BLOCK,
        "flask_activepieces/automation/overview.html": ONE_TEMPLATE,
    }
    for name, content in templates.items():
        path = root / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    app.root_path, app.template_folder = str(root), "templates"
    app.add_url_rule("/own", "own", lambda: render_template("own.html"))


@pytest.fixture
def alice(make_app: MakeApp, server: ActivepiecesServer, tmp_path: Path) -> Person:
    """The admin, whose workspace is linked."""

    def first(app: Flask) -> None:
        use_layout(app, tmp_path)
        Babel(app, locale_selector=lambda: "de")

    write_catalog(tmp_path / "translations", GERMAN)
    app, _ = make_piece_app(
        make_app,
        first=first,
        host=HostWithLabs(),
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_AUTOMATION_PREFIX=PREFIX,
        ACTIVEPIECES_DISABLED_PAGES=["mcp", "deliveries"],
        ACTIVEPIECES_APP_NAME="Acme",
        ACTIVEPIECES_SUPPORT="help@acme.test",
        ACTIVEPIECES_ACCENT="#0c6b5d",
        BABEL_TRANSLATION_DIRECTORIES=str(tmp_path / "translations"),
    )
    alice = Person(app, "alice")
    ApiUser(alice).links(apiKey=server.api_key, projectId=server.project_id)
    return alice


def is_in_layout(page: Page) -> bool:
    html = page.response.get_data(as_text=True)
    return html.count('<body class="acme">') == html.count("<footer>Acme Inc.</footer>") == html.count("<main") == 1


@pytest.mark.parametrize(
    "path",
    ["", "/connections", "/connections/services", "/connections/unknown", "/flows", "/runs", "/piece"]
    + ["/clients", "/clients/new", "/audit", "/setup", "/setup/unlink", "/workspace"],
)
def test_every_page_is_in_the_layout_of_the_app(alice: Person, path: str) -> None:
    page = alice.sees(PREFIX + path)

    assert page.status == (404 if path.endswith("unknown") else 200)
    assert is_in_layout(page)
    assert "Einstellungen" in page.links
    # The style sheet of the area is in the page, and no part of ours is left in the head.
    html = page.response.get_data(as_text=True)
    assert html.count("automation.css") == 1
    assert len(re.findall("<title>", html)) == 1


def test_one_block_is_the_apps_and_the_others_are_ours(alice: Person) -> None:
    page = alice.sees(PREFIX + "/connections")

    assert "Our accounts" in page.text
    assert "Google Sheets" in page.text


def test_a_template_of_the_app_replaces_ours(alice: Person) -> None:
    page = alice.sees(PREFIX)

    assert "Our own overview" in page.text
    assert "No problems found" not in page.text


def test_the_pages_speak_the_language_of_the_app(alice: Person) -> None:
    page = alice.sees(PREFIX + "/audit")

    assert "Protokoll" in page.text
    assert page.links["Abläufe"] == f"{PREFIX}/flows"


def test_the_brand_is_used_in_the_layout_of_the_app(alice: Person) -> None:
    page = alice.sees(PREFIX + "/connections")
    styles = alice.opens("/oauth/static/activepieces.css").get_data(as_text=True)

    assert page.links["help@acme.test"] == "mailto:help@acme.test"
    assert "#0c6b5d" in styles


@pytest.mark.parametrize("path", ["/mcp", "/deliveries", "/subscriptions"])
def test_pages_that_are_off_are_nowhere(alice: Person, path: str) -> None:
    assert alice.opens(PREFIX + path).status_code == 404
    assert PREFIX + path not in alice.sees(PREFIX).links.values()


def test_nothing_is_at_the_usual_prefix(alice: Person) -> None:
    assert alice.opens("/automation").status_code == 404


def test_the_apps_own_pages_have_the_links_too(alice: Person) -> None:
    page = alice.sees("/own")

    assert page.links["Verbindungen"] == f"{PREFIX}/connections"
    assert "Our page" in page.text


def test_visitors_see_the_layout_without_the_links(alice: Person) -> None:
    page = Person(alice.browser.application).sees("/own")

    assert set(page.links) == {"Acme"}


def test_forms_work_under_the_prefix(alice: Person) -> None:
    page = alice.sees(PREFIX + "/workspace")

    switched = Page(alice.sends(page.form_to("/workspace"), workspace="acme-labs"))

    assert (switched.status, switched.response.location) == (303, f"{PREFIX}?done=workspace-selected")
    assert "Acme-Labs" in alice.sees(PREFIX).text
