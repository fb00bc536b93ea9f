"""Only webhooks of the workspace's own Activepieces server can be subscribed or called (CWE-918)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, insert

from flask_activepieces.delivery.webhook_urls import WebhookServers
from flask_activepieces.errors import IntegrationDisabled, InvalidInput
from flask_activepieces.storage import tables

OURS, THEIRS = "https://flows.example.com", "https://globex.example.net"
SERVERS = WebhookServers(configured=OURS, allowed=[THEIRS])


def check(conn: Connection, url: str, servers: WebhookServers = SERVERS) -> tuple[str, str | None]:
    """Check a URL for a subscriber of Acme."""
    return servers.check(conn, url, tenant_id="acme", organization_id=None)


EVASIONS = {
    "another server": "https://evil.example/api/v1/webhooks/f1",
    "the metadata of a cloud": "http://169.254.169.254/api/v1/webhooks/f1",
    "this machine": "http://127.0.0.1/api/v1/webhooks/f1",
    "this machine as one number": "http://2130706433/api/v1/webhooks/f1",
    "this machine in hexadecimal": "http://0x7f000001/api/v1/webhooks/f1",
    "this machine in IPv6": "http://[::1]/api/v1/webhooks/f1",
    "a user name": "https://flows.example.com@evil.example/api/v1/webhooks/f1",
    "a user name on our server": "https://me:pw@flows.example.com/api/v1/webhooks/f1",
    "a longer name": "https://flows.example.com.evil.example/api/v1/webhooks/f1",
    "another scheme": "http://flows.example.com/api/v1/webhooks/f1",
    "no web scheme": "file:///api/v1/webhooks/f1",
    "another port": "https://flows.example.com:8443/api/v1/webhooks/f1",
    "a final dot": "https://flows.example.com./api/v1/webhooks/f1",
    "capital letters": "https://FLOWS.example.com/api/v1/webhooks/f1",
    "another route": "https://flows.example.com/api/v1/users/f1",
    "dot segments": "https://flows.example.com/api/v1/webhooks/../users/f1",
    "escaped dot segments": "https://flows.example.com/api/v1/webhooks/%2e%2e/users",
    "an escaped slash": "https://flows.example.com/api/v1/webhooks/f1%2f..%2fusers",
    "an empty segment": "https://flows.example.com//evil.example/api/v1/webhooks/f1",
    "a backslash": "https://flows.example.com\\@evil.example/api/v1/webhooks/f1",
    "a line break": "https://flows.example.com/api/v1/webhooks/f1\r\nHost: evil.example",
    "a query": "https://flows.example.com/api/v1/webhooks/f1?next=https://evil.example",
    "a fragment": "https://flows.example.com/api/v1/webhooks/f1#x",
    "spaces": " https://flows.example.com/api/v1/webhooks/f1",
    "a full-width letter": "https://flows.example.\uff43om/api/v1/webhooks/f1",
    "another tenant's server": f"{THEIRS}/api/v1/webhooks/f1",
}


@pytest.fixture
def conn() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    tables.metadata.create_all(engine)
    with engine.connect() as conn:
        yield conn
    engine.dispose()


def add_integration(conn: Connection, base_url: str | None, *, enabled: bool = True) -> None:
    columns = {column.name: None for column in tables.integrations.c}
    row = {
        **columns,
        "id": "integration",
        "tenant_id": "acme",
        "organization_id": "",
        "base_url": base_url,
        "project_id": "project",
        "shares_project": False,
        "enabled": enabled,
        "failed_connection_ids": "[]",
        "revision": 1,
        "created_at": 1,
        "updated_at": 1,
    }
    known = {name: value for name, value in row.items() if name in columns}
    conn.execute(insert(tables.integrations), known)


@pytest.mark.parametrize("suffix", ["f1", "AbC123xyz", "f1/test", "f1/draft"])
def test_webhooks_of_the_apps_server_are_accepted(conn: Connection, suffix: str) -> None:
    url = f"{OURS}/api/v1/webhooks/{suffix}"

    assert check(conn, url) == (OURS, None)
    assert SERVERS.may_be_called(url, integration_server=None)


@pytest.mark.parametrize("evasion", EVASIONS)
def test_no_other_url_is_accepted(conn: Connection, evasion: str) -> None:
    with pytest.raises(InvalidInput):
        check(conn, EVASIONS[evasion], WebhookServers(configured=OURS, allowed=[]))


@pytest.mark.parametrize("evasion", EVASIONS)
def test_no_other_url_is_called_even_if_it_is_stored(evasion: str) -> None:
    servers = WebhookServers(configured=OURS, allowed=[])

    assert not servers.may_be_called(EVASIONS[evasion], integration_server=None)


def test_a_workspace_with_its_own_server_has_only_that(conn: Connection) -> None:
    add_integration(conn, THEIRS)

    assert check(conn, f"{THEIRS}/api/v1/webhooks/f1") == (THEIRS, "integration")
    with pytest.raises(InvalidInput):
        check(conn, f"{OURS}/api/v1/webhooks/f1")


def test_a_server_that_the_operator_no_longer_lists_is_not_called() -> None:
    servers = WebhookServers(configured=OURS, allowed=[])

    assert not servers.may_be_called(f"{THEIRS}/api/v1/webhooks/f1", integration_server=THEIRS)


def test_a_disabled_integration_gets_no_subscription(conn: Connection) -> None:
    add_integration(conn, None, enabled=False)

    with pytest.raises(IntegrationDisabled):
        check(conn, f"{OURS}/api/v1/webhooks/f1")
