"""The link in an e-mail about a broken connection, and where it leads each user, before and after the login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from flask_activepieces import Principal, signals
from flask_activepieces.host.interface import Permission
from flask_activepieces.storage.audit import Event
from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.flows.automation.test_connections import names_on, save
from tests.support.acme import acme_pieces
from tests.support.actors import Person
from tests.support.api_user import PIECE
from tests.support.automation import AREA, AreaUser, area_user
from tests.support.hosts import HostWithLabs
from tests.support.standin import standin
from tests.support.token_endpoint import TokenEndpoint

SITE = "https://small-host.test"


class Host(HostWithLabs):
    """Alice is an admin in Acme-Labs only, if ``only_labs`` is set; Bob may look in Acme."""

    only_labs = False

    def allows(self, principal: Principal, permission: Permission) -> bool:
        if principal.user_id == "bob":
            return permission == "view"
        return super().allows(principal, permission) and not (self.only_labs and principal.tenant_id == "acme")


@pytest.fixture(scope="module")
def listening_server(listening_acme: TokenEndpoint) -> Iterator[ActivepiecesServer]:
    with ActivepiecesServer(pieces=acme_pieces(listening_acme.url), validates_values=True) as server:
        yield server


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer, host: Host) -> Flask:
    return make_app(host=host, ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_PUBLIC_URL=SITE)


def break_and_mail(app: Flask, server: ActivepiecesServer, connection: dict[str, Any]) -> str:
    """The path of the link in the e-mail that the job sends about this connection."""
    links: list[str] = []

    def mail(sender: Flask, event: Event) -> None:
        links.append(str(event.detail["reconnect_url"]))

    server.break_connection(connection["externalId"])
    with signals.connection_failed.connected_to(mail, sender=app):
        app.test_cli_runner().invoke(args=["activepieces", "integrations", "check"])
    (link,) = links
    assert link.startswith(SITE)
    return link.removeprefix(SITE)


def select(person: AreaUser, workspace: str) -> None:
    person.submits(person.visits("/workspace").form_to("/workspace"), workspace=workspace)


@pytest.fixture
def link(app: Flask, admin: AreaUser, server: ActivepiecesServer) -> str:
    """The link about a connection of Acme."""
    return break_and_mail(app, server, save(admin, "Our key"))


def test_the_link_leads_to_the_form_that_repairs_the_connection(
    admin: AreaUser, server: ActivepiecesServer, link: str
) -> None:
    page = admin.sees(link)
    assert "Reconnect Our key" in page.text
    assert "works at the moment" not in page.text

    page = admin.submits(page.form("external_id"), **{"field-0": "ok-new"})

    assert "The connection was saved, and works." in page.text
    assert names_on(server) == ["Our key"]


def test_a_signed_out_user_signs_in_first(app: Flask, link: str) -> None:
    response = Person(app).opens(link)

    sent_to = urlsplit(response.location)
    assert (response.status_code, sent_to.path) == (302, "/login")
    assert parse_qs(sent_to.query) == {"next": [link]}


def test_the_link_leads_to_the_workspace_of_the_connection(admin: AreaUser, link: str) -> None:
    select(admin, "acme-labs")
    assert admin.visits(urlsplit(link).path.removeprefix(AREA)).status == 303

    page = admin.sees(link)

    assert "Reconnect Our key" in page.text
    assert "Workspace Acme " in page.text


def test_the_permission_in_the_workspace_of_the_connection_decides(
    app: Flask, alice: AreaUser, server: ActivepiecesServer, host: Host
) -> None:
    select(alice, "acme-labs")
    alice.links(server)
    form = alice.visits("/connections/add", piece=PIECE).form("external_id")
    alice.submits(form, **{"name": "In Labs", "field-0": "ok-labs"})
    (connection,) = standin(server).get(f"/app-connections?projectId={server.project_id}")["data"]
    link = break_and_mail(app, server, connection)
    select(alice, "acme")
    host.only_labs = True

    assert "Reconnect In Labs" in alice.sees(link).text


@pytest.mark.parametrize("name", ["carol"])
def test_a_user_of_another_tenant_sees_nothing(app: Flask, server: ActivepiecesServer, link: str, name: str) -> None:
    stranger = area_user(app, name)
    for is_linked in (False, True):
        if is_linked:
            stranger.links(server)
        pages = [stranger.sees(address) for address in (link, f"{AREA}/connections/x/reconnect?integration=unknown")]

        assert [page.status for page in pages] == [404, 404]
        assert pages[0].text == pages[1].text
        assert "in none of your workspaces" in pages[0].text
        assert "If you got the link at another account, sign in there." in pages[0].text


def test_a_user_without_the_permission_is_referred_to_an_admin(app: Flask, link: str) -> None:
    page = area_user(app, "bob").sees(link)

    assert page.status == 403
    assert "Ask an administrator of your workspace." in page.text


def test_a_form_of_a_user_without_the_permission_changes_nothing(
    app: Flask, admin: AreaUser, server: ActivepiecesServer, link: str
) -> None:
    bob = area_user(app, "bob")
    path = urlsplit(link).path.removeprefix(AREA)

    assert bob.posts(path, **{"field-0": "ok-bob", "external_id": "x"}).status_code == 403


def test_a_deleted_connection_is_reported_as_deleted(admin: AreaUser, server: ActivepiecesServer, link: str) -> None:
    connection = urlsplit(link).path.removesuffix("/reconnect").removeprefix(AREA)
    admin.presses(admin.visits(f"{connection}/delete"), "/delete")

    page = admin.sees(link)

    assert page.status == 404
    assert "This connection no longer exists" in page.text
    assert "Flows that used it need another connection." in page.text
    assert "Connections" in page.links


def test_a_workspace_whose_link_was_removed_has_nothing_to_reconnect(
    admin: AreaUser, server: ActivepiecesServer, link: str
) -> None:
    admin.presses(admin.visits("/setup/unlink"), "/setup/unlink")
    admin.links(server)

    assert admin.sees(link).status == 404


def test_a_repaired_connection_is_reported_as_working(admin: AreaUser, link: str) -> None:
    admin.submits(admin.sees(link).form("external_id"), **{"field-0": "ok-new"})

    assert "This connection works at the moment." in admin.sees(link).text


def test_an_outage_of_activepieces_does_not_lose_the_link(
    admin: AreaUser, server: ActivepiecesServer, link: str
) -> None:
    server.faults.fail("GET", "/app-connections", 500)

    assert admin.sees(link).status == 502
    assert "Reconnect Our key" in admin.sees(link).text


# Connections that several projects share


def test_a_connection_of_the_platform_keeps_its_id(app: Flask, admin: AreaUser, server: ActivepiecesServer) -> None:
    shared = save(admin, "Shared", scope="PLATFORM")
    link = break_and_mail(app, server, shared)

    page = admin.submits(admin.sees(link).form("external_id"), **{"field-0": "ok-new"})

    assert "The connection was saved, and works." in page.text
    assert admin.visits(f"/connections/{shared['id']}").status == 200
    assert list(admin.visits("/connections").links).count("Shared") == 1
