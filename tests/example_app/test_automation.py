"""The page by which an admin links a company with Activepieces, and what they find on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import StrictUndefined

from example_app import create_app
from example_app.activepieces import ExampleHost
from example_app.pieces import OAUTH_MANIFEST, packed
from example_app.serving import served
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import EmailPassword
from flask_activepieces.testing import ActivepiecesServer
from tests.example_app.actors import Person
from tests.example_app.conftest import SECRET_KEY
from tests.support.pages import Page


@dataclass
class Place:
    """A Tasklane that Activepieces reaches, and the other way round."""

    app: Flask
    activepieces: ActivepiecesServer

    @property
    def client(self) -> ActivepiecesClient:
        """Activepieces, as its own admin sees it."""
        return ActivepiecesClient(self.activepieces.url, api_key=self.activepieces.api_key)

    def admin_of(self, company: str) -> Person:
        return Person(self.app, f"admin@{company}.test")

    def link(self, person: Person, **given: str) -> Page:
        """Enter the key, and go where that leads."""
        form = person.sees("/automation").form("api_key")
        key = {"api_key": self.activepieces.api_key, "project_id": self.activepieces.project_id}
        return Page(person.browser.post(form.action, data=key | given, follow_redirects=True))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Nothing is linked yet; the piece is installed."""
    with ActivepiecesServer() as activepieces:

        def make_app(address: str) -> Flask:
            return create_app(
                {
                    "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'tasklane.db'}",
                    "SECRET_KEY": SECRET_KEY,
                    "ACTIVEPIECES_BASE_URL": activepieces.url,
                    "ACTIVEPIECES_PUBLIC_URL": address,
                }
            )

        with served(make_app) as (app, _):
            app.jinja_env.undefined = StrictUndefined
            made = Place(app, activepieces)
            piece = packed(OAUTH_MANIFEST)
            made.client.pieces.install(piece.archive, name=piece.name, version=piece.version)
            yield made


@pytest.fixture
def ada(place: Place) -> Person:
    """The admin of Acme, which is linked."""
    ada = place.admin_of("acme")
    assert place.link(ada).status == 200
    return ada


def pressed(person: Person, ends_with: str) -> Page:
    """The page after the button of that form was pressed."""
    form = person.sees("/automation").form_to(ends_with)
    return Page(person.browser.post(form.action, data=form.values, follow_redirects=True))


def test_a_linked_company_sees_its_project_and_no_key(place: Place) -> None:
    page = place.link(place.admin_of("acme"))

    assert page.status == 200
    assert place.activepieces.project_id in page.text
    assert place.activepieces.api_key not in page.response.text


def test_a_key_that_opens_nothing_is_refused_by_its_name(place: Place) -> None:
    ada = place.admin_of("acme")

    page = place.link(ada, api_key="sk-that-opens-nothing")

    assert page.status == 422
    assert "API key: Activepieces does not accept it" in page.text
    assert "sk-that-opens-nothing" not in page.response.text
    assert "Link with Activepieces" in ada.sees("/automation").text


def test_several_projects_are_listed_to_choose_from(place: Place) -> None:
    page = place.link(place.admin_of("acme"), project_id="")

    assert page.status == 422
    assert place.activepieces.project_id in page.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/automation"),
        ("POST", "/automation/link"),
        ("POST", "/automation/unlink"),
        ("POST", "/automation/connections"),
        ("POST", "/automation/connections/some-id/delete"),
        ("POST", "/automation/mcp/rotate"),
    ],
)
def test_members_and_strangers_stay_outside(place: Place, method: str, path: str) -> None:
    before = len(place.activepieces.calls)

    member = Person(place.app, "member@acme.test").browser.open(path, method=method)
    stranger = Person(place.app).browser.open(path, method=method)

    assert member.status_code == 403
    assert (stranger.status_code, stranger.location[:6]) == (302, "/login")
    assert len(place.activepieces.calls) == before


def test_a_form_of_another_site_changes_nothing(place: Place, ada: Person) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}

    assert ada.browser.post("/automation/unlink", headers=headers).status_code == 403
    assert "The link" in ada.sees("/automation").text


def connect(person: Person) -> Page:
    """One click."""
    return pressed(person, "/automation/connections")


def test_one_click_connects_and_the_connection_can_be_deleted(place: Place, ada: Person) -> None:
    page = connect(ada)

    assert "Ada Acker (Acme) ACTIVE" in " ".join(page.text.split())
    assert "No connection yet" in pressed(ada, "/delete").text


def test_a_connection_that_flows_use_is_deleted_only_when_that_is_said_twice(
    place: Place, ada: Person
) -> None:
    connect(ada)
    (connection,) = place.client.connections.list(place.activepieces.project_id)
    flow = place.client.flows.create(place.activepieces.project_id, "Uses it")
    step = {
        "name": "step_1",
        "type": "PIECE",
        "displayName": "Who am I",
        "valid": True,
        "lastUpdatedDate": "2026-01-01T00:00:00.000Z",
        "settings": {
            "pieceName": connection.piece_name,
            "pieceVersion": connection.piece_version,
            "actionName": "me",
            "input": {"auth": f"{{{{connections['{connection.external_id}']}}}}"},
            "propertySettings": {},
            "errorHandlingOptions": {},
        },
    }
    place.client.flows.apply(flow.id, "ADD_ACTION", {"parentStep": "trigger", "action": step})

    refused = pressed(ada, "/delete")

    assert refused.status == 409
    assert "1 flow uses this connection" in refused.text
    form = refused.form("force")
    assert ada.sends(form).status_code == 302
    assert "No connection yet" in ada.sees("/automation").text


def test_another_company_cannot_delete_it(place: Place, ada: Person) -> None:
    connect(ada)
    (connection,) = place.client.connections.list(place.activepieces.project_id)
    gwen = place.admin_of("globex")
    place.link(gwen)

    answer = gwen.browser.post(f"/automation/connections/{connection.id}/delete")

    assert answer.status_code == 404
    assert list(place.client.connections.list(place.activepieces.project_id)) == [connection]


def test_a_user_of_activepieces_rotates_the_token_of_the_mcp_server_and_sees_it_once(
    place: Place, ada: Person
) -> None:
    form = ada.sees("/automation").form("password")
    server = place.activepieces
    ada.sends(form, email=server.email, password=server.password)

    rotated = pressed(ada, "/mcp/rotate")

    user = ActivepiecesClient(server.url, credential=EmailPassword(server.email, server.password))
    token = user.mcp.get(server.project_id).token
    assert token in rotated.text
    assert rotated.response.headers["Cache-Control"] == "no-store"
    assert token not in ada.sees("/automation").response.text


def test_a_part_that_activepieces_does_not_answer_for_says_why(place: Place, ada: Person) -> None:
    place.activepieces.stop()

    page = ada.sees("/automation")

    assert page.status == 200
    assert "the connection was refused" in page.text
    assert "The link" in page.text


def test_a_broken_connection_is_told_with_the_page_that_renews_it(
    place: Place, ada: Person
) -> None:
    connect(ada)
    (connection,) = place.client.connections.list(place.activepieces.project_id)
    place.activepieces.state.store.change("app_connection", connection.id, status="ERROR")

    told = place.app.test_cli_runner().invoke(args=["activepieces", "integrations", "check"])
    connect(ada)

    assert f"reconnect at {place.app.config['ACTIVEPIECES_PUBLIC_URL']}/automation" in told.stdout
    (renewed,) = place.client.connections.list(place.activepieces.project_id)
    assert (renewed.id, renewed.status) == (connection.id, "ACTIVE")


def test_a_tasklane_without_an_address_tells_the_page_only_where_it_is_asked(
    tasklane: Flask,
) -> None:
    host = ExampleHost()

    with tasklane.app_context():
        assert host.reconnect_url("an-integration", "a-connection") is None
    with tasklane.test_request_context(base_url="http://localhost:5000"):
        page = host.reconnect_url("an-integration", "a-connection")
        assert page == "http://localhost:5000/automation"


def test_ending_the_link_ends_what_was_connected_with_one_click(place: Place, ada: Person) -> None:
    connect(ada)

    page = pressed(ada, "/automation/unlink")

    assert "Link with Activepieces" in page.text
    assert "No connected apps" in ada.sees("/oauth/connected-apps").text
