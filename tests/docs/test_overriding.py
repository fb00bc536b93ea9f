"""The examples on the page about theming: the host's layout, and one block of a page."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_babel import Babel

from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.documents import blocks, page
from tests.support.translations import write_catalog

FRAME, ONE_BLOCK = blocks(page("theming"), "jinja")


def write_template(root: Path, name: str, content: str) -> None:
    path = root / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def use_templates_in(app: Flask, root: Path) -> None:
    """Let the small host load its templates from ``root``."""
    app.root_path = str(root)
    app.template_folder = "templates"


def test_base_html_puts_all_pages_into_the_apps_layout(make_app: MakeApp, tmp_path: Path) -> None:
    write_template(
        tmp_path, "layout.html", "<h1>Ours</h1>{% block styles %}{% endblock %}{% block main %}{% endblock %}"
    )
    write_template(tmp_path, "flask_activepieces/base.html", FRAME)
    app = make_app(first=lambda app: use_templates_in(app, tmp_path))

    content = Person(app, "bob").sees("/oauth/connected-apps").text

    assert "Ours" in content
    assert "Connected apps" in content


def test_one_block_of_a_page_can_be_changed(make_app: MakeApp, tmp_path: Path) -> None:
    write_template(tmp_path, "flask_activepieces/consent.html", ONE_BLOCK)
    app = make_app(first=lambda app: use_templates_in(app, tmp_path))

    consent_page = Person(app, "bob").sees(Program.registered(app).question())

    assert "help@example.com" in consent_page.text
    assert "You can revoke access" not in consent_page.text
    assert "consent_token" in consent_page.form("decision").values


def test_the_apps_layout_uses_the_apps_catalogue(make_app: MakeApp, tmp_path: Path) -> None:
    translations = write_catalog(tmp_path / "translations", {"Sign out": "Abmelden"}, domain="messages")
    layout = "{{ _('Sign out') }} {{ gettext('Sign out') }} {% block main %}{% endblock %}"
    write_template(tmp_path, "layout.html", layout)
    write_template(tmp_path, "flask_activepieces/base.html", FRAME)

    def first(app: Flask) -> None:
        use_templates_in(app, tmp_path)
        Babel(app, locale_selector=lambda: "de")

    app = make_app(first=first, BABEL_TRANSLATION_DIRECTORIES=translations)

    content = Person(app, "bob").sees("/oauth/connected-apps").text

    assert "Abmelden Abmelden" in content
    assert "Verbundene Apps" in content
