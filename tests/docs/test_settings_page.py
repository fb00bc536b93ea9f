"""The settings page of the docs works, against the stand-in."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from flask_activepieces import Activepieces
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.http_server import HttpServer
from tests.docs.conftest import RunPage
from tests.support import hosts
from tests.support.acme import acme_pieces
from tests.support.actors import Person
from tests.support.api_user import OWN_PIECE, PIECE
from tests.support.documents import DOCS, page
from tests.support.pages import Page
from tests.support.standin import action, standin
from tests.support.storage import row_counts

SETTINGS = "/settings/activepieces"
COMPANY = UUID(int=7)
LAYOUT = "<title>Shop</title><nav>Our navigation</nav>{% block content %}{% endblock %}"


@pytest.fixture
def activepieces_server() -> Iterator[ActivepiecesServer]:
    """A server of its own, with other pieces than that of the other tests."""
    with ActivepiecesServer(pieces=[OWN_PIECE, *acme_pieces("http://127.0.0.1:9")]) as server:
        yield server


@pytest.fixture
def app(run_page: RunPage, tmp_path: Path, activepieces_server: ActivepiecesServer) -> Iterator[Flask]:
    """The page's app with a layout of its own, served over HTTP so that Activepieces can redeem codes."""
    namespace = run_page(DOCS / "settings-page.md")
    hosts.dispose(namespace["app"])
    (tmp_path / "shop/templates/layout.html").write_text(LAYOUT, "utf-8")
    shop = importlib.import_module("shop")
    apps: list[Flask] = []
    with closing(HttpServer(lambda *arguments: apps[0](*arguments))) as server:
        app: Flask = shop.create_app(
            {
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/shop.sqlite",
                "ACTIVEPIECES_SCOPES": {**hosts.SCOPES, "orders:read": "See orders"},
                "ACTIVEPIECES_BASE_URL": activepieces_server.url,
                "ACTIVEPIECES_PIECE_NAME": OWN_PIECE.name,
                "ACTIVEPIECES_PUBLIC_URL": f"http://localhost:{server.port}",
            }
        )
        apps.append(app)
        app.register_blueprint(namespace["settings"])
        models, db = importlib.import_module("shop.models"), importlib.import_module("shop.extensions").db
        with app.app_context():
            db.create_all()
            for id, role in ((1, "owner"), (2, "member")):
                user = models.User(id=id, email=f"{role}@acme.test", company_id=COMPANY, role=role, password_hash="")
                db.session.add(user)
            db.session.commit()
        yield app
        hosts.dispose(app)


def signed_in(app: Flask, user_id: int) -> Person:
    person = Person(app)
    with person.browser.session_transaction() as session:
        session.update(_user_id=str(user_id), _fresh=True)
    return person


@pytest.fixture
def owner(app: Flask) -> Person:
    return signed_in(app, 1)


def link(owner: Person, server: ActivepiecesServer, **changes: str) -> Page:
    form = owner.sees(SETTINGS).form("api_key")
    fields = {"api_key": server.api_key, "project_id": server.project_id} | changes
    owner.sends(form, **fields)
    return owner.sees(SETTINGS)


def test_an_admin_links_connects_and_unlinks(
    app: Flask, owner: Person, activepieces_server: ActivepiecesServer
) -> None:
    linked = link(owner, activepieces_server)
    owner.sends(linked.form_to("/connect"))
    connected = owner.sees(SETTINGS)
    owner.sends(connected.form_to("/unlink"))

    assert "Our navigation" in linked.text
    assert f"sk-…{activepieces_server.api_key[-4:]}" in linked.text
    assert "owner@acme.test" in connected.text
    assert "Works" in connected.text
    assert "ACTIVE" not in connected.text
    assert "API key" in owner.sees(SETTINGS).text
    assert "integrations" not in row_counts(app)


def test_a_wrong_key_is_explained_and_nothing_is_saved(
    app: Flask, owner: Person, activepieces_server: ActivepiecesServer
) -> None:
    shown = link(owner, activepieces_server, api_key="sk-wrong")

    assert "Activepieces" in shown.text
    assert "sk-wrong" not in shown.text
    assert shown.form("api_key")
    assert "integrations" not in row_counts(app)


def test_the_button_says_that_flows_use_a_connection(owner: Person, activepieces_server: ActivepiecesServer) -> None:
    link(owner, activepieces_server)
    activepieces = standin(activepieces_server)
    activepieces.connect("mail", PIECE, {"type": "SECRET_TEXT", "secret_text": "ok-1"})
    activepieces.flow(action("step_1", PIECE, "whoami", auth="{{connections['mail']}}"))

    shown = owner.sees(SETTINGS)
    owner.sends(shown.form_to("/delete"))

    assert "Delete, although flows use it" in shown.text
    assert "Delete" not in owner.sees(SETTINGS).text


def test_without_force_a_connection_in_use_stays(owner: Person, activepieces_server: ActivepiecesServer) -> None:
    link(owner, activepieces_server)
    activepieces = standin(activepieces_server)
    activepieces.connect("mail", PIECE, {"type": "SECRET_TEXT", "secret_text": "ok-1"})
    before = owner.sees(SETTINGS).form_to("/delete")
    activepieces.flow(action("step_1", PIECE, "whoami", auth="{{connections['mail']}}"))

    owner.sends(before)

    assert "1 flow uses this connection and would fail without it." in owner.sees(SETTINGS).text


def test_the_page_stays_usable_while_activepieces_does_not_answer(
    owner: Person, activepieces_server: ActivepiecesServer
) -> None:
    link(owner, activepieces_server)
    activepieces_server.faults.fail("GET", "/app-connections", 500, times=None)

    shown = owner.sees(SETTINGS)

    assert shown.status == 200
    assert "Activepieces:" in shown.text
    assert shown.form_to("/unlink")


def test_other_users_and_visitors_get_nothing(app: Flask) -> None:
    assert signed_in(app, 2).opens(SETTINGS).status_code == 403
    assert Person(app).opens(SETTINGS).location.startswith("/login")


@pytest.mark.parametrize("action", ["link", "unlink", "connect", "connections/1/delete"])
def test_every_form_is_protected(owner: Person, action: str) -> None:
    assert owner.browser.post(f"{SETTINGS}/{action}").status_code == 400


def test_every_call_that_the_page_suggests_exists(app: Flask) -> None:
    suggestions = page("settings-page").partition("## Add to it")[2]
    calls = re.findall(r"`(\w+)\.(\w+)\(", suggestions)
    activepieces: Activepieces = importlib.import_module("shop.extensions").activepieces

    assert len(calls) >= 6
    with app.app_context():
        assert [call for call in calls if not hasattr(getattr(activepieces, call[0]), call[1])] == []
