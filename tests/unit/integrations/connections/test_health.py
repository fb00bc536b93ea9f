"""Broken connections are found, and reported once until they work again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flask_activepieces.api_client.resources.connection_values import Placeholder
from flask_activepieces.api_client.resources.connections import Connection
from flask_activepieces.config.settings import ThirdPartyApp
from flask_activepieces.integrations.connections.health import BrokenConnection
from flask_activepieces.integrations.connections.saver import NewConnection
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import SECRET_PIECE, ServiceHarness


@pytest.fixture
def integration(harness: ServiceHarness) -> Integration:
    return harness.set_up()


def break_connection(harness: ServiceHarness, connection: Connection, status: str = "ERROR") -> None:
    """Set the status, as Activepieces does when a refresh is rejected."""
    harness.upstream.state.store.change("app_connection", connection.id, status=status)


def check(harness: ServiceHarness, integration: Integration) -> list[BrokenConnection]:
    return harness.services.connection_health.check(integration)


def failures(harness: ServiceHarness) -> int:
    return harness.event_names.count("connection.failed")


def test_nothing_is_reported_if_all_connections_work(harness: ServiceHarness, integration: Integration) -> None:
    harness.save(integration)

    assert check(harness, integration) == []
    assert failures(harness) == 0


def test_a_broken_connection_is_reported_with_its_reconnect_url(
    harness: ServiceHarness, integration: Integration
) -> None:
    connection = harness.save(integration, "Slack")
    break_connection(harness, connection)

    (failing,) = check(harness, integration)

    assert (failing.connection_id, failing.display_name) == (connection.id, "Slack")
    assert failing.is_new
    page = f"https://app.example.com/automation/connections/{connection.id}/reconnect?integration={integration.id}"
    assert failing.reconnect_url == page
    assert harness.events[-1].detail == {
        "integration_id": integration.id,
        "connection_id": connection.id,
        "display_name": "Slack",
        "piece_name": SECRET_PIECE,
        "status": "ERROR",
        "reconnect_url": page,
    }
    assert harness.reload(integration).failed_connection_ids == (connection.id,)


def test_a_connection_without_a_value_is_reported_too(harness: ServiceHarness, integration: Integration) -> None:
    """Flows fail with it as with a broken one."""
    new = NewConnection(value=Placeholder(), piece_name=SECRET_PIECE, display_name="Slack")
    made = harness.services.connections.save(integration, new, user_id="alice")

    (failing,) = check(harness, integration)

    assert (failing.connection_id, failing.status) == (made.id, "MISSING")
    assert harness.events[-1].detail["status"] == "MISSING"
    harness.save(integration, "Slack")
    assert check(harness, integration) == []


def test_a_missing_connection_is_renewed_by_sign_in_if_possible(registered: ServiceHarness) -> None:
    """Activepieces calls its type NO_AUTH."""
    integration = registered.set_up(organization_id=None)
    connection = registered.save(integration)
    registered.upstream.state.store.change("app_connection", connection.id, type="NO_AUTH")
    break_connection(registered, connection, "MISSING")

    (failing,) = check(registered, integration)

    assert f"/oauth2/start?connectionId={connection.id}" in failing.reconnect_url


def test_a_broken_connection_is_reported_once(harness: ServiceHarness, integration: Integration) -> None:
    break_connection(harness, harness.save(integration))
    check(harness, integration)

    (failing,) = check(harness, integration)

    assert not failing.is_new
    assert failures(harness) == 1


def test_a_broken_connection_is_reported_again_after_it_worked_in_between(
    harness: ServiceHarness, integration: Integration
) -> None:
    connection = harness.save(integration)
    for status in ("ERROR", "ACTIVE", "ERROR"):
        break_connection(harness, connection, status)
        check(harness, integration)

    assert failures(harness) == 2


def test_a_deleted_connection_is_forgotten(harness: ServiceHarness, integration: Integration) -> None:
    connection = harness.save(integration)
    break_connection(harness, connection)
    check(harness, integration)

    harness.services.connections.delete(integration, connection.id, user_id="alice")

    assert check(harness, integration) == []
    assert harness.reload(integration).failed_connection_ids == ()


def test_only_one_of_several_simultaneous_checks_reports(
    harness: ServiceHarness, integration: Integration, connections_in_use: list[int]
) -> None:
    break_connection(harness, harness.save(integration))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: check(harness, integration), range(4)))

    connections_in_use.clear()  # ignore the connections of the other threads
    assert failures(harness) == 1


def test_another_tenants_broken_connection_is_not_reported(harness: ServiceHarness) -> None:
    app = harness.with_app_key(project_id=harness.new_project())
    ours = app.set_up(tenant_id=app.tenant)
    theirs = app.set_up(tenant_id=f"{app.tenant}-other")
    break_connection(app, app.save(theirs))

    assert check(app, ours) == []


def broken_sign_in(harness: ServiceHarness, integration: Integration, **changed: Any) -> tuple[BrokenConnection, str]:
    """Break a connection of a piece with a third-party app; return the report and the id."""
    connection = harness.save(integration)
    metadata = dict(connection.metadata) | changed.pop("metadata", {})
    changed = {"type": "OAUTH2"} | changed | {"metadata": metadata}
    harness.upstream.state.store.change("app_connection", connection.id, **changed)
    break_connection(harness, connection)
    (failing,) = check(harness, integration)
    return failing, connection.id


@pytest.fixture
def registered(harness: ServiceHarness) -> ServiceHarness:
    """An app without our page of connections, but with a third-party app; its tenants use the app's key."""
    apps = {SECRET_PIECE: ThirdPartyApp("id", "secret")}
    return harness.with_app_key(third_party_apps=apps, disabled_pages=("connections",))


def test_a_connection_is_renewed_in_the_app_if_users_can_sign_in_there(registered: ServiceHarness) -> None:
    integration = registered.set_up(organization_id=None)

    failing, connection_id = broken_sign_in(registered, integration)

    assert failing.reconnect_url == (
        "https://app.example.com/api/integration/activepieces"
        f"/connections/{integration.id}/oauth2/start?connectionId={connection_id}"
    )


@pytest.mark.parametrize(
    "changed", [{"scope": "PLATFORM"}, {"metadata": {"userId": "bob"}}], ids=["of the platform", "of a user"]
)
def test_other_connections_are_renewed_in_activepieces(registered: ServiceHarness, changed: dict[str, Any]) -> None:
    integration = registered.set_up(organization_id=None)

    failing, _ = broken_sign_in(registered, integration, **changed)

    assert failing.reconnect_url == page_of(registered, integration)


@pytest.mark.parametrize("kind", ["SECRET_TEXT", "OAUTH2", "CLOUD_OAUTH2"])
def test_the_hosts_reconnect_url_is_used_for_every_type(registered: ServiceHarness, kind: str) -> None:
    """Users cannot renew a connection of the app's own piece in Activepieces: they do not know the client secret."""
    integration = registered.set_up(organization_id=None)
    registered.host.page_url = "https://app.example.com/reconnect"

    failing, connection_id = broken_sign_in(registered, integration, type=kind)

    page = f"https://app.example.com/reconnect/{integration.id}/{connection_id}"
    assert failing.reconnect_url == page
    assert registered.events[-1].detail["reconnect_url"] == page


def test_a_connection_on_the_tenants_platform_is_renewed_there(registered: ServiceHarness) -> None:
    """The app's third-party app is not used on that platform."""
    integration = registered.set_up()

    failing, _ = broken_sign_in(registered, integration)

    assert failing.reconnect_url == page_of(registered, integration)


def page_of(harness: ServiceHarness, integration: Integration) -> str:
    return f"{harness.upstream.url}/projects/{integration.project_id}/connections"
