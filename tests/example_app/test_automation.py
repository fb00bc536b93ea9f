"""The automation area in Tasklane: an admin links a company with Activepieces and manages its connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from example_app import create_app
from example_app.seed import DEMO_PASSWORD
from example_app.serving import serve
from flask_activepieces import get_state
from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.pieces.archive import build_archive
from flask_activepieces.testing import ActivepiecesServer
from tests.example_app.actors import Person
from tests.example_app.conftest import SECRET_KEY
from tests.support.pages import Form, Page


@dataclass
class Servers:
    """Tasklane and Activepieces, which reach each other."""

    app: Flask
    activepieces: ActivepiecesServer
    address: str

    @property
    def api_client(self) -> ActivepiecesClient:
        """Calls Activepieces as its own admin."""
        return ActivepiecesClient(self.activepieces.url, api_key=self.activepieces.api_key)

    def admin_of(self, company: str) -> Visitor:
        admin = Visitor(self.app.test_client(), self.address)
        admin.posts("/login", {"email": f"admin@{company}.test", "password": DEMO_PASSWORD})
        return admin


@dataclass
class Visitor:
    """A person on pages that Activepieces must be able to reach, too."""

    browser: FlaskClient
    address: str

    def opens(self, path: str) -> Page:
        return Page(self.browser.get(path, base_url=self.address))

    def posts(self, path: str, values: dict[str, Any]) -> Page:
        return Page(self.browser.post(path, data=values, base_url=self.address, follow_redirects=True))

    def sends(self, form: Form, **changes: str) -> Page:
        return self.posts(form.action, form.values | changes)

    def links(self, server: ActivepiecesServer) -> Page:
        """The wizard, to its end."""
        picker = self.sends(self.opens("/automation/setup?with=key").form("api_key"), api_key=server.api_key)
        return self.sends(picker.form("sealed"), project=server.project_id)

    def connects(self) -> Page:
        """Press the button for a connection with one click."""
        return self.sends(self.opens("/automation/connections").form_to("/connections/one-click"))


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

        with serve(make_app) as (app, address):
            app.jinja_env.undefined = StrictUndefined
            servers = Servers(app, activepieces, address)
            with app.app_context():
                archive = build_archive(get_state().piece.manifest(version="1.0.0"))
            servers.api_client.pieces.install(archive.content, name=archive.name, version=archive.version)
            yield servers


@pytest.fixture
def ada(servers: Servers) -> Visitor:
    """The admin of Acme, which is linked already."""
    ada = servers.admin_of("acme")
    assert "Your workspace is connected" in ada.links(servers.activepieces).text
    return ada


def test_every_page_has_the_layout_of_the_app_and_no_undefined_variable(servers: Servers, ada: Visitor) -> None:
    overview = ada.opens("/automation")

    pages = {url for url in overview.links.values() if url.startswith("/automation")}
    assert len(pages) >= 8
    for url in pages:
        page = ada.opens(url)
        assert page.status == 200, url
        assert page.links["Tasklane"] == "/", url
        assert servers.activepieces.api_key not in page.response.text, url


def test_members_do_not_see_the_area(servers: Servers, ada: Visitor) -> None:
    before = len(servers.activepieces.calls)

    member = Person(servers.app, "member@acme.test").browser.get("/automation")
    visitor = Person(servers.app).browser.get("/automation")

    assert member.status_code == 403
    assert (visitor.status_code, visitor.location) == (302, "/login?next=%2Fautomation")
    assert len(servers.activepieces.calls) == before


def test_the_project_of_the_company_is_chosen_beforehand(servers: Servers) -> None:
    project = servers.api_client.projects.create("Globex", external_id="globex")
    gwen = servers.admin_of("globex")

    picker = gwen.sends(
        gwen.opens("/automation/setup?with=key").form("api_key"), api_key=servers.activepieces.api_key
    )

    assert picker.form("sealed").values["project"] == project.id


def test_a_connection_is_made_with_one_click_and_can_be_deleted(servers: Servers, ada: Visitor) -> None:
    page = ada.connects()
    (connection,) = servers.api_client.connections.list(servers.activepieces.project_id)

    assert "Ada Acker (Acme)" in page.text
    deletion = ada.opens(f"/automation/connections/{connection.id}/delete")
    assert "No connections yet" in ada.sends(deletion.form_to("/delete")).text


def test_connection_of_another_company_is_not_found(servers: Servers, ada: Visitor) -> None:
    ada.connects()
    (connection,) = servers.api_client.connections.list(servers.activepieces.project_id)
    other = servers.api_client.projects.create("Globex", external_id="globex")
    gwen = servers.admin_of("globex")
    picker = gwen.sends(
        gwen.opens("/automation/setup?with=key").form("api_key"), api_key=servers.activepieces.api_key
    )
    gwen.sends(picker.form("sealed"), project=other.id)

    assert gwen.opens(f"/automation/connections/{connection.id}").status == 404


def test_broken_connection_is_reported_with_the_page_that_renews_it(servers: Servers, ada: Visitor) -> None:
    ada.connects()
    (connection,) = servers.api_client.connections.list(servers.activepieces.project_id)
    servers.activepieces.state.store.change("app_connection", connection.id, status="ERROR")

    result = servers.app.test_cli_runner().invoke(args=["activepieces", "integrations", "check"])
    page = f"/automation/connections/{connection.id}/reconnect"
    assert f"reconnect at {servers.address}{page}" in result.stdout

    ada.sends(ada.opens(page).form_to("/one-click"))
    (renewed,) = servers.api_client.connections.list(servers.activepieces.project_id)
    assert (renewed.id, renewed.status) == (connection.id, "ACTIVE")


def test_removing_the_link_revokes_one_click_connections(servers: Servers, ada: Visitor) -> None:
    ada.connects()

    page = ada.sends(ada.opens("/automation/setup/unlink").form_to("/unlink"))

    assert page.status == 200
    assert "No connected apps" in ada.opens("/oauth/connected-apps").text
