"""Connections that stopped working are found, and told once until they work again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from flask_activepieces.client.connections import Connection
from flask_activepieces.config import OAuthApp
from flask_activepieces.integrations.health import Failing
from flask_activepieces.integrations.records import Integration
from tests.support.office import SECRET_PIECE, Office


@pytest.fixture
def integration(office: Office) -> Integration:
    return office.set_up()


def breaks(office: Office, connection: Connection, status: str = "ERROR") -> None:
    """What Activepieces does when a refresh is refused."""
    office.upstream.world.store.change("app_connection", connection.id, status=status)


def checked(office: Office, integration: Integration) -> list[Failing]:
    return office.services.health.check(integration, now=office.now)


def failures(office: Office) -> int:
    return office.told.count("connection.failed")


def test_where_all_connections_work_there_is_nothing_to_tell(
    office: Office, integration: Integration
) -> None:
    office.save(integration)

    assert checked(office, integration) == []
    assert failures(office) == 0


def test_a_broken_connection_is_told_with_where_to_mend_it(
    office: Office, integration: Integration
) -> None:
    connection = office.save(integration, "Slack")
    breaks(office, connection)

    (failing,) = checked(office, integration)

    assert (failing.connection_id, failing.display_name) == (connection.id, "Slack")
    assert failing.is_new
    page = f"{office.upstream.url}/projects/{integration.project_id}/connections"
    assert failing.reconnect_url == page
    assert office.events[-1].detail == {
        "integration_id": integration.id,
        "connection_id": connection.id,
        "display_name": "Slack",
        "piece_name": SECRET_PIECE,
        "reconnect_url": page,
    }
    assert office.again(integration).failing == (connection.id,)


def test_it_is_told_once(office: Office, integration: Integration) -> None:
    breaks(office, office.save(integration))
    checked(office, integration)

    (failing,) = checked(office, integration)

    assert not failing.is_new
    assert failures(office) == 1


def test_it_is_told_again_after_it_worked_in_between(
    office: Office, integration: Integration
) -> None:
    connection = office.save(integration)
    for status in ("ERROR", "ACTIVE", "ERROR"):
        breaks(office, connection, status)
        checked(office, integration)

    assert failures(office) == 2


def test_a_deleted_connection_is_forgotten(office: Office, integration: Integration) -> None:
    connection = office.save(integration)
    breaks(office, connection)
    checked(office, integration)

    office.services.connections.delete(integration, connection.id, user_id="alice", now=office.now)

    assert checked(office, integration) == []
    assert office.again(integration).failing == ()


def test_of_several_checks_at_once_one_tells(
    office: Office, integration: Integration, held: list[int]
) -> None:
    breaks(office, office.save(integration))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: checked(office, integration), range(4)))

    held.clear()  # those that another thread used just then
    assert failures(office) == 1


def test_another_tenants_broken_connection_is_not_told(office: Office) -> None:
    app = office.on_the_apps_key(project_id=office.new_project())
    ours = app.set_up(tenant_id=app.tenant)
    theirs = app.set_up(tenant_id=f"{app.tenant}-other")
    breaks(app, app.save(theirs))

    assert checked(app, ours) == []


def test_a_piece_that_users_sign_in_to_from_the_app_is_mended_there(
    office: Office, integration: Integration
) -> None:
    connection = office.save(integration)
    app = office.with_settings(oauth_apps={SECRET_PIECE: OAuthApp("id", "secret")})
    office.upstream.world.store.change("app_connection", connection.id, type="OAUTH2")
    breaks(office, connection)

    (failing,) = checked(app, integration)

    assert failing.reconnect_url == (
        "https://app.example.com/api/integration/activepieces"
        f"/connections/{integration.id}/oauth2/start?connectionId={connection.id}"
    )


@pytest.mark.parametrize(
    "changed",
    [{"scope": "PLATFORM"}, {"metadata": {"userId": "bob"}}],
    ids=["of the platform", "of a user"],
)
def test_what_no_sign_in_from_the_app_mends_is_mended_in_activepieces(
    office: Office, integration: Integration, changed: dict[str, object]
) -> None:
    connection = office.save(integration)
    app = office.with_settings(oauth_apps={SECRET_PIECE: OAuthApp("id", "secret")})
    office.upstream.world.store.change("app_connection", connection.id, type="OAUTH2", **changed)
    breaks(office, connection)

    (failing,) = checked(app, integration)

    page = f"{office.upstream.url}/projects/{integration.project_id}/connections"
    assert failing.reconnect_url == page
