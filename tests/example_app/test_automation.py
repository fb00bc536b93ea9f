"""The automation page, where an admin links a company with Activepieces and manages its connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import StrictUndefined

from example_app import create_app
from example_app.activepieces import ExampleHost
from example_app.serving import serve
from flask_activepieces import get_state
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import EmailPassword
from flask_activepieces.pieces.archive import build_archive
from flask_activepieces.testing import ActivepiecesServer
from tests.example_app.actors import Person
from tests.example_app.conftest import SECRET_KEY
from tests.support.pages import Page


@dataclass
class Servers:
    """Tasklane and Activepieces, which reach each other."""

    app: Flask
    activepieces: ActivepiecesServer

    @property
    def api_client(self) -> ActivepiecesClient:
        """Calls Activepieces as its own admin."""
        return ActivepiecesClient(self.activepieces.url, api_key=self.activepieces.api_key)

    def admin_of(self, company: str) -> Person:
        return Person(self.app, f"admin@{company}.test")

    def link(self, person: Person, **changes: str) -> Page:
        """Submit the form with the API key."""
        form = person.get_page("/automation").form("api_key")
        values = {"api_key": self.activepieces.api_key, "project_id": self.activepieces.project_id}
        return Page(person.browser.post(form.action, data=values | changes, follow_redirects=True))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Both servers, not linked yet, with the piece installed."""
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

        with serve(make_app) as (app, _):
            app.jinja_env.undefined = StrictUndefined
            servers = Servers(app, activepieces)
            with app.app_context():
                archive = build_archive(get_state().piece.manifest(version="1.0.0"))
            servers.api_client.pieces.install(archive.content, name=archive.name, version=archive.version)
            yield servers


@pytest.fixture
def ada(servers: Servers) -> Person:
    """The admin of Acme, which is linked already."""
    ada = servers.admin_of("acme")
    assert servers.link(ada).status == 200
    return ada


def press_button(person: Person, action_end: str) -> Page:
    """Submit the form on the automation page whose action ends with ``action_end``."""
    form = person.get_page("/automation").form_to(action_end)
    return Page(person.browser.post(form.action, data=form.values, follow_redirects=True))


def test_page_of_a_linked_company_shows_the_project_but_not_the_key(servers: Servers) -> None:
    page = servers.link(servers.admin_of("acme"))

    assert page.status == 200
    assert servers.activepieces.project_id in page.text
    assert servers.activepieces.api_key not in page.response.text


def test_error_for_an_invalid_key_names_the_field(servers: Servers) -> None:
    ada = servers.admin_of("acme")

    page = servers.link(ada, api_key="sk-invalid")

    assert page.status == 422
    assert "API key: Activepieces does not accept it" in page.text
    assert "sk-invalid" not in page.response.text
    assert "Link with Activepieces" in ada.get_page("/automation").text


def test_error_lists_the_projects_if_there_are_several(servers: Servers) -> None:
    page = servers.link(servers.admin_of("acme"), project_id="")

    assert page.status == 422
    assert servers.activepieces.project_id in page.text


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
def test_only_admins_have_access(servers: Servers, method: str, path: str) -> None:
    before = len(servers.activepieces.calls)

    member = Person(servers.app, "member@acme.test").browser.open(path, method=method)
    visitor = Person(servers.app).browser.open(path, method=method)

    assert member.status_code == 403
    assert (visitor.status_code, visitor.location[:6]) == (302, "/login")
    assert len(servers.activepieces.calls) == before


def test_form_from_another_site_changes_nothing(servers: Servers, ada: Person) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}

    assert ada.browser.post("/automation/unlink", headers=headers).status_code == 403
    assert "Remove link" in ada.get_page("/automation").text


def connect(person: Person) -> Page:
    """Press the button for a one-click connection."""
    return press_button(person, "/automation/connections")


def test_connection_is_created_with_one_click_and_can_be_deleted(servers: Servers, ada: Person) -> None:
    page = connect(ada)

    assert "Ada Acker (Acme) ACTIVE" in " ".join(page.text.split())
    assert "No connections yet" in press_button(ada, "/delete").text


def test_deleting_a_connection_in_use_requires_confirmation(servers: Servers, ada: Person) -> None:
    connect(ada)
    (connection,) = servers.api_client.connections.list(servers.activepieces.project_id)
    flow = servers.api_client.flows.create(servers.activepieces.project_id, "Uses it")
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
    servers.api_client.flows.apply(flow.id, "ADD_ACTION", {"parentStep": "trigger", "action": step})

    refused = press_button(ada, "/delete")

    assert refused.status == 409
    assert "1 flow uses this connection" in refused.text
    form = refused.form("force")
    assert ada.submit(form).status_code == 302
    assert "No connections yet" in ada.get_page("/automation").text


def test_connection_of_another_company_cannot_be_deleted(servers: Servers, ada: Person) -> None:
    connect(ada)
    (connection,) = servers.api_client.connections.list(servers.activepieces.project_id)
    gwen = servers.admin_of("globex")
    servers.link(gwen)

    response = gwen.browser.post(f"/automation/connections/{connection.id}/delete")

    assert response.status_code == 404
    assert list(servers.api_client.connections.list(servers.activepieces.project_id)) == [connection]


def test_new_mcp_token_is_shown_once_to_a_user_of_activepieces(servers: Servers, ada: Person) -> None:
    form = ada.get_page("/automation").form("password")
    server = servers.activepieces
    ada.submit(form, email=server.email, password=server.password)

    rotated = press_button(ada, "/mcp/rotate")

    user = ActivepiecesClient(server.url, credential=EmailPassword(server.email, server.password))
    token = user.mcp.get(server.project_id).token
    assert token in rotated.text
    assert rotated.response.headers["Cache-Control"] == "no-store"
    assert token not in ada.get_page("/automation").response.text


def test_sections_show_the_error_while_activepieces_is_unavailable(servers: Servers, ada: Person) -> None:
    servers.activepieces.stop()

    page = ada.get_page("/automation")

    assert page.status == 200
    assert "the connection was refused" in page.text
    assert "connections.list" not in page.text
    assert "Remove link" in page.text


def test_broken_connection_is_reported_with_the_page_that_renews_it(servers: Servers, ada: Person) -> None:
    connect(ada)
    (connection,) = servers.api_client.connections.list(servers.activepieces.project_id)
    servers.activepieces.state.store.change("app_connection", connection.id, status="ERROR")

    result = servers.app.test_cli_runner().invoke(args=["activepieces", "integrations", "check"])
    connect(ada)

    assert f"reconnect at {servers.app.config['ACTIVEPIECES_PUBLIC_URL']}/automation" in result.stdout
    (renewed,) = servers.api_client.connections.list(servers.activepieces.project_id)
    assert (renewed.id, renewed.status) == (connection.id, "ACTIVE")


def test_reconnect_url_without_a_public_url_requires_a_request(tasklane: Flask) -> None:
    host = ExampleHost()

    with tasklane.app_context():
        assert host.reconnect_url("an-integration", "a-connection") is None
    with tasklane.test_request_context(base_url="http://localhost:5000"):
        page = host.reconnect_url("an-integration", "a-connection")
        assert page == "http://localhost:5000/automation"


def test_removing_the_link_revokes_one_click_connections(servers: Servers, ada: Person) -> None:
    connect(ada)

    page = press_button(ada, "/automation/unlink")

    assert "Link with Activepieces" in page.text
    assert "No connected apps" in ada.get_page("/oauth/connected-apps").text
