"""The page about theming: how an app changes a text of ours, and adds a language."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel
from flask_babel import gettext as text_of_the_app

from tests.conftest import MakeApp
from tests.support.actors import Person
from tests.support.catalogs import languages
from tests.support.documents import ROOT, blocks, file_name, page, prose, shell_lines

PAGE = page("theming")
CONNECTED_APPS = "/oauth/connected-apps"


def run(line: str, folder: Path) -> None:
    """Run a command of the page in this folder."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    subprocess.run(["bash", "-c", line], cwd=folder, env=environment, check=True, capture_output=True)


def app_with(make_app: MakeApp, folder: Path, locale: str) -> Flask:
    app = make_app(BABEL_TRANSLATION_DIRECTORIES=str(folder / "translations"))
    Babel(app, locale_selector=lambda: locale)
    return app


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """The catalog on the page."""
    (content,) = blocks(PAGE, "po")
    path = tmp_path / (file_name(content) or "")
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    return path


def test_an_app_changes_one_text(make_app: MakeApp, tmp_path: Path, catalog: Path) -> None:
    run(shell_lines(PAGE)[0], tmp_path)
    app = app_with(make_app, tmp_path, "de")

    content = Person(app, "bob").sees(CONNECTED_APPS).text

    assert "Programme mit Zugriff" in content
    assert "Apps mit Zugriff auf Ihr Konto." in content


def test_an_app_changes_a_text_in_english(make_app: MakeApp, tmp_path: Path, catalog: Path) -> None:
    english = tmp_path / "translations" / "en"
    catalog.parents[1].rename(english)
    path = english / "LC_MESSAGES" / catalog.name
    path.write_text(path.read_text("utf-8").replace("Programme mit Zugriff", "Linked programs"), "utf-8")
    run(shell_lines(PAGE)[0], tmp_path)
    app = app_with(make_app, tmp_path, "en")

    content = Person(app, "bob").sees(CONNECTED_APPS).text

    assert "Linked programs" in content
    assert "Apps with access to your account." in content


@pytest.mark.long
def test_an_app_adds_a_language(make_app: MakeApp, tmp_path: Path) -> None:
    _, init, compile_ = shell_lines(PAGE)
    run(init, tmp_path)
    catalog = tmp_path / "translations/it/LC_MESSAGES/flask_activepieces.po"
    content = catalog.read_text("utf-8")
    untranslated = 'msgid "Connected apps"\nmsgstr ""'
    assert untranslated in content
    catalog.write_text(content.replace(untranslated, 'msgid "Connected apps"\nmsgstr "App collegate"'), "utf-8")
    run(compile_, tmp_path)
    app = app_with(make_app, tmp_path, "it")

    content = Person(app, "bob").sees(CONNECTED_APPS).text

    assert "App collegate" in content
    assert "Apps with access to your account." in content


@pytest.mark.long
def test_an_update_after_an_upgrade_keeps_the_translations(tmp_path: Path) -> None:
    _, init, _ = shell_lines(PAGE)
    run(init, tmp_path)
    catalog = tmp_path / "translations/it/LC_MESSAGES/flask_activepieces.po"
    content = catalog.read_text("utf-8").replace('msgid "Deny"\nmsgstr ""', 'msgid "Deny"\nmsgstr "Rifiuta"')
    catalog.write_text(content, "utf-8")

    run(init.replace("pybabel init", "pybabel update"), tmp_path)

    assert 'msgid "Deny"\nmsgstr "Rifiuta"' in catalog.read_text("utf-8")


def test_a_template_of_the_app_uses_our_catalog_and_its_own(make_app: MakeApp, tmp_path: Path, catalog: Path) -> None:
    run(shell_lines(PAGE)[0], tmp_path)
    app = app_with(make_app, tmp_path, "de")

    with app.test_request_context():
        template = app.jinja_env.from_string(
            "{{ activepieces_text('Connected apps') }}, {{ activepieces_text('Deny') }}"
        )
        assert template.render() == "Programme mit Zugriff, Ablehnen"
        assert text_of_the_app("Connected apps") == "Connected apps"


def test_the_page_names_each_language() -> None:
    names = {"de": "German", "es": "Spanish", "fr": "French"}

    assert all(names[language] in prose(PAGE) for language in languages())
