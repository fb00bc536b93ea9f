"""What the page about the consent page promises: overriding, translating, and the JSON pair."""

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


def put(root: Path, name: str, text: str) -> None:
    path = root / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def template_root(app: Flask, root: Path) -> None:
    """Let the small host find its templates in ``root``, as an app of its own would."""
    app.root_path = str(root)
    app.template_folder = "templates"


def test_base_html_sets_all_pages_into_the_apps_own_frame(
    make_app: MakeApp, tmp_path: Path
) -> None:
    put(
        tmp_path,
        "layout.html",
        "<h1>Ours</h1>{% block styles %}{% endblock %}{% block main %}{% endblock %}",
    )
    put(tmp_path, "flask_activepieces/base.html", FRAME)
    app = make_app(first=lambda app: template_root(app, tmp_path))

    text = Person(app, "bob").sees("/oauth/connected-apps").text

    assert "Ours" in text
    assert "Connected apps" in text


def test_one_block_of_a_page_can_be_changed(
    make_app: MakeApp, run_page: RunPage, tmp_path: Path
) -> None:
    put(tmp_path, "flask_activepieces/consent.html", ONE_BLOCK)
    loader = run_page(CONSENT)["app"].jinja_loader
    app = make_app(first=lambda app: setattr(app, "jinja_loader", loader))

    shown = Person(app, "bob").sees(Program.registered(app).question())

    assert "help@example.com" in shown.text
    assert "You can revoke access" not in shown.text
    assert "consent_token" in shown.form("decision").values


def test_the_scopes_of_the_page_are_a_right_setting(make_app: MakeApp, run_page: RunPage) -> None:
    app = make_app(ACTIVEPIECES_SCOPES=run_page(CONSENT)["ACTIVEPIECES_SCOPES"])
    program = Program.registered(app, scope="profile:read tasks:read")

    shown = Person(app, "bob").sees(program.question(scope="profile:read tasks:read"))

    assert "Required" in shown.text


def test_pages_are_translated_by_the_recipe(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (config,) = blocks(page("consent"), "ini")
    Path("babel.cfg").write_text(config, encoding="utf-8")
    extract, init, compile_ = shell_lines(page("consent"))

    def pybabel(line: str) -> None:
        # The shell would put the place of our package here.
        words, asks_for_place, _ = line.partition('"$(')
        place = [flask_activepieces.__path__[0]] if asks_for_place else []
        CommandLineInterface().run(shlex.split(words) + place)  # type: ignore[no-untyped-call]

    pybabel(extract)
    pybabel(init)
    catalogue = Path("translations/de/LC_MESSAGES/flask_activepieces.po")
    text = catalogue.read_text(encoding="utf-8")
    catalogue.write_text(
        text.replace(
            'msgid "Connected apps"\nmsgstr ""', 'msgid "Connected apps"\nmsgstr "Verbundene Apps"'
        ),
        encoding="utf-8",
    )
    pybabel(compile_)
    app = make_app(BABEL_TRANSLATION_DIRECTORIES=str(tmp_path / "translations"))
    Babel(app, locale_selector=lambda: "de")

    assert "Verbundene Apps" in Person(app, "bob").sees("/oauth/connected-apps").text


def test_in_a_frame_of_the_apps_own_its_catalogue_is_its_own(
    make_app: MakeApp, tmp_path: Path
) -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("Sign out", "Abmelden")
    place = tmp_path / "translations" / "de" / "LC_MESSAGES"
    place.mkdir(parents=True)
    with (place / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)
    layout = "{{ _('Sign out') }} {{ gettext('Sign out') }} {% block main %}{% endblock %}"
    put(tmp_path, "layout.html", layout)
    put(tmp_path, "flask_activepieces/base.html", FRAME)

    def first(app: Flask) -> None:
        template_root(app, tmp_path)
        Babel(app, locale_selector=lambda: "de")

    app = make_app(first=first, BABEL_TRANSLATION_DIRECTORIES=str(tmp_path / "translations"))

    text = Person(app, "bob").sees("/oauth/connected-apps").text

    assert "Abmelden Abmelden" in text
    assert "Connected apps" in text


def shape_of(value: Any) -> Any:
    """The names and kinds in a JSON value, without what they hold."""
    if isinstance(value, dict):
        return {name: shape_of(part) for name, part in value.items()}
    return [shape_of(value[0])] if isinstance(value, list) else type(value)


def test_the_question_has_the_shape_that_is_shown(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_CONSENT_URL="/consent")
    bob = Person(app, "bob")
    sent = bob.opens(Program.registered(app).question())
    request_id = brought_back(sent)["request_id"]

    question = answer_of(bob.opens(f"/oauth/authorize/request/{request_id}"))

    (example,) = blocks(page("consent"), "json")
    assert shape_of(question) == shape_of(json.loads(example))
