"""The examples on the page about consent: overriding templates, translation, and the JSON API."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from flask import Flask
from flask_babel import Babel

import flask_activepieces
from tests.conftest import MakeApp
from tests.docs.conftest import RunPage
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.documents import DOCS, blocks, page, shell_lines

CONSENT = DOCS / "consent.md"
FRAME, ONE_BLOCK = blocks(page("consent"), "jinja")


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


def test_one_block_of_a_page_can_be_changed(make_app: MakeApp, run_page: RunPage, tmp_path: Path) -> None:
    write_template(tmp_path, "flask_activepieces/consent.html", ONE_BLOCK)
    loader = run_page(CONSENT)["app"].jinja_loader
    app = make_app(first=lambda app: setattr(app, "jinja_loader", loader))

    consent_page = Person(app, "bob").sees(Program.registered(app).question())

    assert "help@example.com" in consent_page.text
    assert "You can revoke access" not in consent_page.text
    assert "consent_token" in consent_page.form("decision").values


def test_the_scopes_example_is_a_valid_setting(make_app: MakeApp, run_page: RunPage) -> None:
    app = make_app(ACTIVEPIECES_SCOPES=run_page(CONSENT)["ACTIVEPIECES_SCOPES"])
    program = Program.registered(app, scope="profile:read tasks:read")

    consent_page = Person(app, "bob").sees(program.question(scope="profile:read tasks:read"))

    assert "Required" in consent_page.text


def test_the_translation_example_works(make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (config,) = blocks(page("consent"), "ini")
    Path("babel.cfg").write_text(config, encoding="utf-8")
    extract, init, compile_ = shell_lines(page("consent"))

    def pybabel(line: str) -> None:
        # The shell would insert the path of our package here.
        arguments, needs_path, _ = line.partition('"$(')
        package_path = [flask_activepieces.__path__[0]] if needs_path else []
        CommandLineInterface().run(shlex.split(arguments) + package_path)  # type: ignore[no-untyped-call]

    pybabel(extract)
    pybabel(init)
    catalogue = Path("translations/de/LC_MESSAGES/flask_activepieces.po")
    content = catalogue.read_text(encoding="utf-8")
    catalogue.write_text(
        content.replace('msgid "Connected apps"\nmsgstr ""', 'msgid "Connected apps"\nmsgstr "Verbundene Apps"'),
        encoding="utf-8",
    )
    pybabel(compile_)
    app = make_app(BABEL_TRANSLATION_DIRECTORIES=str(tmp_path / "translations"))
    Babel(app, locale_selector=lambda: "de")

    assert "Verbundene Apps" in Person(app, "bob").sees("/oauth/connected-apps").text


def test_the_apps_layout_uses_the_apps_catalogue(make_app: MakeApp, tmp_path: Path) -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("Sign out", "Abmelden")
    folder = tmp_path / "translations" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)
    layout = "{{ _('Sign out') }} {{ gettext('Sign out') }} {% block main %}{% endblock %}"
    write_template(tmp_path, "layout.html", layout)
    write_template(tmp_path, "flask_activepieces/base.html", FRAME)

    def first(app: Flask) -> None:
        use_templates_in(app, tmp_path)
        Babel(app, locale_selector=lambda: "de")

    app = make_app(first=first, BABEL_TRANSLATION_DIRECTORIES=str(tmp_path / "translations"))

    content = Person(app, "bob").sees("/oauth/connected-apps").text

    assert "Abmelden Abmelden" in content
    assert "Connected apps" in content


def shape_of(value: Any) -> Any:
    """The keys and types of a JSON value, without its contents."""
    if isinstance(value, dict):
        return {name: shape_of(part) for name, part in value.items()}
    return [shape_of(value[0])] if isinstance(value, list) else type(value)


def test_the_consent_request_matches_the_documented_example(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_CONSENT_URL="/consent")
    bob = Person(app, "bob")
    sent = bob.opens(Program.registered(app).question())
    request_id = brought_back(sent)["request_id"]

    question = answer_of(bob.opens(f"/oauth/authorize/request/{request_id}"))

    (example,) = blocks(page("consent"), "json")
    assert shape_of(question) == shape_of(json.loads(example))
