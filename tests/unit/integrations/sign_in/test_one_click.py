"""One click: we issue a code, and Activepieces redeems it at our token endpoint while it saves the connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import Engine, event
from werkzeug.test import TestResponse

from flask_activepieces.api_client.errors import CodeExchangeFailed, ConnectionFailed, ResourceNotFound, ServerError
from flask_activepieces.api_client.resources.connections import Connection
from flask_activepieces.errors import InvalidInput, NotFound, SetupError
from flask_activepieces.host.interface import Principal, Workspace
from flask_activepieces.integrations import store
from flask_activepieces.integrations.sign_in.integration_client import trusted_redirect_uri
from flask_activepieces.integrations.store import Integration
from flask_activepieces.testing import ActivepiecesServer
from tests.support import hosts
from tests.support.clock import StoppedClock
from tests.support.live import serving
from tests.support.service_harness import SECRET_PIECE, ServiceHarness
from tests.support.storage import engine_of


@dataclass(frozen=True)
class Site:
    """The app, served so that Activepieces can reach it."""

    app: Flask
    url: str
    clock: StoppedClock


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    clock = StoppedClock()
    app = hosts.make_app(tmp_path_factory.mktemp("site"), clock=clock)
    with serving(app) as url:
        yield Site(app, url, clock)
    hosts.dispose(app)


@pytest.fixture(scope="module")
def engine(site: Site) -> Engine:
    return engine_of(site.app)


@pytest.fixture
def harness(harness: ServiceHarness, site: Site) -> ServiceHarness:
    return replace(harness, clock=site.clock)


@pytest.fixture
def integration(harness: ServiceHarness) -> Integration:
    return harness.set_up()


def someone(harness: ServiceHarness, name: str = "alice") -> Principal:
    return Principal(name, harness.tenant, name.title())


def connect(harness: ServiceHarness, site: Site, integration: Integration, name: str = "alice") -> Connection:
    return harness.services.one_click.connect(integration, someone(harness, name), issuer=site.url)


def stored_value(harness: ServiceHarness, connection: Connection) -> dict[str, Any]:
    """The decrypted value of a connection in Activepieces."""
    row = harness.upstream.state.store.get("app_connection", connection.id)
    assert row is not None
    found: dict[str, Any] = harness.upstream.state.store.decrypt(row["sealed"])
    return found


def grants_of(harness: ServiceHarness) -> list[dict[str, Any]]:
    return [row for row in harness.rows("grants") if row["tenant_id"] == harness.tenant]


def clients_of(harness: ServiceHarness) -> list[dict[str, Any]]:
    return [row for row in harness.rows("oauth_clients") if row["tenant_id"] == harness.tenant]


def call_status(site: Site, token: str) -> int:
    """The status of an API call with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return site.app.test_client().get("/api/whoami", headers=headers, base_url=site.url).status_code


def test_a_click_creates_a_connection_that_can_call_the_app_for_the_user(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    made = connect(harness, site, integration)

    assert (made.type, made.status) == ("OAUTH2", "ACTIVE")
    assert made.display_name == f"Alice ({harness.tenant.title()})"
    assert made.metadata["userId"] == "alice"
    assert call_status(site, stored_value(harness, made)["access_token"]) == 200
    now = harness.reload(integration)
    assert now.default_connection_id == made.id
    assert harness.services.connections.get_default(now).id == made.id


def test_the_click_creates_a_grant(harness: ServiceHarness, site: Site, integration: Integration) -> None:
    connect(harness, site, integration)

    (grant,) = grants_of(harness)
    assert (grant["user_id"], grant["scope"]) == ("alice", "profile:read tasks:read")
    assert harness.event_names == ["integration.created", "client.created", "grant.approved", "connection.saved"]


def test_revoking_the_grant_invalidates_the_connection(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    token = stored_value(harness, connect(harness, site, integration))["access_token"]

    harness.grants.revoke_user("alice", tenant_id=harness.tenant, reason="a test")

    assert call_status(site, token) == 401


def test_a_second_click_renews_the_connection(harness: ServiceHarness, site: Site, integration: Integration) -> None:
    first = connect(harness, site, integration)
    second = connect(harness, site, integration)

    assert second.id == first.id
    assert len(grants_of(harness)) == len(clients_of(harness)) == 1


def test_each_user_has_their_own_connection(harness: ServiceHarness, site: Site, integration: Integration) -> None:
    hers = connect(harness, site, integration, "alice")
    his = connect(harness, site, integration, "bob")

    assert hers.id != his.id
    assert {grant["user_id"] for grant in grants_of(harness)} == {"alice", "bob"}
    assert harness.reload(integration).default_connection_id == his.id


def test_each_integration_has_its_own_oauth_client(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    """Flow authors can read the client's secret, so it must not grant access to another tenant."""
    labs = harness.set_up(organization_id="labs", **harness.api_key_setup())
    harness.host.workspace_list = [Workspace(harness.tenant, "All"), Workspace(harness.tenant, "Labs", "labs")]
    connect(harness, site, integration)
    connect(harness, site, labs)

    first, second = (harness.reload(one).oauth_client_id for one in (integration, labs))
    assert first != second
    (client, _) = clients_of(harness)
    assert client["require_pkce"]
    assert client["redirect_uris"] == f"{harness.upstream.url}/redirect"
    assert client["scope"] == "profile:read tasks:read"


def test_the_clients_secret_is_stored_encrypted(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    secret = stored_value(harness, connect(harness, site, integration))["client_secret"]

    assert secret.startswith("fas_")
    assert secret not in repr(harness.rows("integrations"))
    assert secret not in repr(harness.rows("audit_events"))


def test_the_code_is_bound_to_its_verifier(harness: ServiceHarness, site: Site, integration: Integration) -> None:
    value = stored_value(harness, connect(harness, site, integration))

    assert len(value["code_challenge"]) == 64
    assert value["props"] == {"base_url": site.url}
    assert urlsplit(value["redirect_url"]).path == "/redirect"
    assert value["scope"] == "profile:read tasks:read"


def test_the_token_names_the_organization(harness: ServiceHarness, site: Site) -> None:
    labs = harness.set_up(organization_id="labs", **harness.api_key_setup())
    harness.host.workspace_list = [Workspace(harness.tenant, "All"), Workspace(harness.tenant, "Labs", "labs")]

    made = connect(harness, site, labs)

    (grant,) = grants_of(harness)
    assert (grant["organization_id"], grant["workspace_name"]) == ("labs", "Labs")
    assert made.display_name == "Alice (Labs)"


def test_a_deleted_client_is_created_again(harness: ServiceHarness, site: Site, integration: Integration) -> None:
    connect(harness, site, integration)
    before = harness.reload(integration).oauth_client_id
    delete_client(harness, before)

    again = connect(harness, site, integration)

    assert harness.reload(integration).oauth_client_id != before
    assert call_status(site, stored_value(harness, again)["access_token"]) == 200


def test_a_client_deleted_during_the_click_is_created_again(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    """It is deleted after it was found, and before the grant is stored."""
    connect(harness, site, integration)
    before = harness.reload(integration).oauth_client_id
    deleted: list[str | None] = []

    @event.listens_for(harness.engine, "before_cursor_execute")
    def delete(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "activepieces_grants" in statement and not deleted:
            deleted.append(before)
            for table in ("activepieces_oauth_clients", "activepieces_grants"):
                cursor.execute(f"DELETE FROM {table} WHERE client_id = ?", (before,))  # noqa: S608

    try:
        made = connect(harness, site, integration)
    finally:
        event.remove(harness.engine, "before_cursor_execute", delete)

    assert made.status == "ACTIVE"
    assert call_status(site, stored_value(harness, made)["access_token"]) == 200


def delete_client(harness: ServiceHarness, client_id: str | None) -> None:
    client = harness.oauth_clients.find_by_id(client_id or "")
    assert client is not None
    harness.oauth_clients.delete(client)


def test_a_client_secret_that_cannot_be_decrypted_is_replaced(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    connect(harness, site, integration)
    client_id = harness.reload(integration).oauth_client_id
    harness.database.run_in_transaction(
        lambda transaction: store.change(
            transaction, harness.reload(integration), {"encrypted_client_secret": "lost"}, now=harness.now
        )
    )

    again = connect(harness, site, integration)

    assert harness.reload(integration).oauth_client_id == client_id
    assert again.status == "ACTIVE"


def test_renewing_a_connection_revokes_its_older_tokens(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    first = stored_value(harness, connect(harness, site, integration))
    connect(harness, site, integration)
    last = stored_value(harness, connect(harness, site, integration))

    assert call_status(site, first["access_token"]) == 401
    assert call_status(site, last["access_token"]) == 200
    families = [row for row in harness.rows("token_families") if row["tenant_id"] == harness.tenant]
    assert [row["revoked_at"] is None for row in families].count(True) == 1
    assert harness.event_names.count("token.revoked") == 2


def test_another_users_connection_keeps_its_tokens(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    his = stored_value(harness, connect(harness, site, integration, "bob"))
    connect(harness, site, integration)
    connect(harness, site, integration)

    assert call_status(site, his["access_token"]) == 200


# --- The redirect URI ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reported",
    [
        None,
        "",
        "https://evil.example/steal",
        "http://127.0.0.1:1/redirect",
        "javascript:alert(1)",
        "https://[",
        "{server}/redirect#fragment",
        "http://user@{host}/redirect",
    ],
)
def test_a_reported_redirect_uri_at_another_origin_is_not_used(
    harness: ServiceHarness, site: Site, integration: Integration, reported: str | None
) -> None:
    """The server is not authenticated, so it must not be able to send the code elsewhere."""
    server = harness.upstream.url
    report_redirect_uri(harness, reported and reported.format(server=server, host=urlsplit(server).netloc))

    connect(harness, site, integration)

    (client,) = clients_of(harness)
    assert client["redirect_uris"] == f"{server}/redirect"


def test_a_reported_redirect_uri_at_the_configured_origin_is_used(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    report_redirect_uri(harness, f"{harness.upstream.url}/elsewhere/redirect")

    made = connect(harness, site, integration)

    assert urlsplit(stored_value(harness, made)["redirect_url"]).path == "/elsewhere/redirect"


def report_redirect_uri(harness: ServiceHarness, redirect_url: str | None) -> None:
    """Let the stand-in report another redirect URI."""
    flags = requests.get(f"{harness.upstream.url}/api/v1/flags", timeout=5).json()
    reported = flags | {"THIRD_PARTY_AUTH_PROVIDER_REDIRECT_URL": redirect_url}
    harness.upstream.faults.invalid_json("GET", "/flags", body=json.dumps(reported).encode())


@pytest.mark.parametrize(
    ("server", "reported", "redirect"),
    [
        ("https://ap.example.com", None, "https://ap.example.com/redirect"),
        ("https://ap.example.com/api", None, "https://ap.example.com/redirect"),
        ("https://ap.example.com/team/api/v1", None, "https://ap.example.com/team/redirect"),
        ("https://ap.example.com", "https://ap.example.com/x", "https://ap.example.com/x"),
        ("https://ap.example.com", "https://AP.example.com:443/x", "https://AP.example.com:443/x"),
        ("https://ap.example.com", "http://ap.example.com/x", "https://ap.example.com/redirect"),
        ("https://ap.example.com", "https://ap.example.com:8/", "https://ap.example.com/redirect"),
        ("https://ap.example.com", "https://ap.example.com.", "https://ap.example.com/redirect"),
    ],
)
def test_the_trusted_redirect_uri(server: str, reported: str | None, redirect: str) -> None:
    assert trusted_redirect_uri(server, reported) == redirect


def test_the_error_for_a_server_on_plain_http_names_it() -> None:
    with pytest.raises(SetupError) as caught:
        trusted_redirect_uri("http://ap.internal:8080", "http://ap.internal:8080/redirect")

    assert "http://ap.internal:8080" in str(caught.value)
    assert "https" in str(caught.value)


# --- Organizations ------------------------------------------------------------------------


def test_a_user_outside_the_organization_does_not_find_the_integration(harness: ServiceHarness, site: Site) -> None:
    labs = harness.set_up(organization_id="labs", **harness.api_key_setup())
    harness.upstream.calls.clear()

    for in_it in ([], [Workspace(harness.tenant, "Sales", "sales")], [Workspace("x", "X", "labs")]):
        harness.host.workspace_list = in_it
        with pytest.raises(NotFound):
            connect(harness, site, labs)

    assert not harness.upstream.calls
    assert clients_of(harness) == grants_of(harness) == []


def test_with_the_integration_of_the_tenant_the_grant_is_for_the_users_organization(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    harness.host.workspace_list = [Workspace(harness.tenant, "All"), Workspace(harness.tenant, "Labs", "labs")]

    for organization_id, expected in [("labs", "labs"), ("gone", None), (None, None)]:
        principal = replace(someone(harness), organization_id=organization_id)
        harness.services.one_click.connect(integration, principal, issuer=site.url)
        (grant,) = grants_of(harness)
        assert grant["organization_id"] == (expected or "")
        (active,) = [
            row
            for row in harness.rows("token_families")
            if row["tenant_id"] == harness.tenant and row["revoked_at"] is None
        ]
        assert (active["grant_id"], active["organization_id"]) == (grant["id"], expected)


# --- The client of the integration -----------------------------------------------------------------------------


def test_an_integrations_client_cannot_be_changed(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    """Flow authors can read its secret, so it must not get more permissions."""
    connect(harness, site, integration)
    (before,) = clients_of(harness)
    client = harness.oauth_clients.find_by_id(before["client_id"])
    assert client is not None
    assert client.integration_id == integration.id
    more = replace(client.registration(), client_credentials=True)

    for change in (
        lambda: harness.oauth_clients.update(client, more),
        lambda: harness.oauth_clients.rotate_secret(client),
        lambda: harness.oauth_clients.set_enabled(client, False),
    ):
        with pytest.raises(InvalidInput, match="managed by an integration"):
            change()

    assert clients_of(harness) == [before]


def test_an_integration_does_not_use_the_client_of_another_one(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    labs = harness.set_up(organization_id="labs", **harness.api_key_setup())
    connect(harness, site, integration)
    foreign = harness.reload(integration).oauth_client_id
    harness.database.run_in_transaction(
        lambda transaction: store.change(transaction, labs, {"oauth_client_id": foreign}, now=harness.now)
    )
    harness.host.workspace_list = [Workspace(harness.tenant, "Labs", "labs")]

    connect(harness, site, harness.reload(labs))

    assert harness.reload(labs).oauth_client_id != foreign


# --- Disabled integrations -----------------------------------------------------------------------


def test_a_disabled_integration_gets_no_token(harness: ServiceHarness, site: Site, integration: Integration) -> None:
    value = stored_value(harness, connect(harness, site, integration))

    set_enabled(harness, integration, on=False)
    off = refresh(site, value)
    set_enabled(harness, integration, on=True)
    on = refresh(site, value)

    assert (off.status_code, off.headers["Retry-After"]) == (503, "3600")
    # On invalid_grant Activepieces would mark the connection as permanently broken.
    assert off.get_json() == {
        "error": "temporarily_unavailable",
        "error_description": "This OAuth client is suspended by an administrator.",
    }
    assert on.status_code == 200


def test_an_unauthenticated_client_does_not_learn_that_it_is_disabled(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    value = stored_value(harness, connect(harness, site, integration))
    set_enabled(harness, integration, on=False)

    answer = refresh(site, value | {"client_secret": "wrong"})

    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_token_can_be_revoked_while_the_integration_is_disabled(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    value = stored_value(harness, connect(harness, site, integration))
    set_enabled(harness, integration, on=False)

    answer = site.app.test_client().post(
        "/oauth/revoke", data=client_credentials(value) | {"token": value["refresh_token"]}, base_url=site.url
    )

    assert answer.status_code == 200
    assert call_status(site, value["access_token"]) == 401


def set_enabled(harness: ServiceHarness, integration: Integration, *, on: bool) -> None:
    harness.services.integrations.update(harness.reload(integration), enabled=on, user_id="alice")


def client_credentials(value: dict[str, Any]) -> dict[str, str]:
    return {"client_id": value["client_id"], "client_secret": value["client_secret"]}


def refresh(site: Site, value: dict[str, Any]) -> TestResponse:
    form = client_credentials(value) | {"grant_type": "refresh_token", "refresh_token": value["refresh_token"]}
    return site.app.test_client().post("/oauth/token", data=form, base_url=site.url)


def test_another_click_keeps_the_account_identifier(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    made = connect(harness, site, integration)
    metadata = {**made.metadata, "accountIdentifier": "ada@example.com"}
    harness.upstream.state.store.change("app_connection", made.id, metadata=metadata)

    again = connect(harness, site, integration)

    assert again.id == made.id
    assert again.metadata["accountIdentifier"] == "ada@example.com"
    assert again.metadata["userId"] == "alice"


# --- Failures --------------------------------------------------------------------------


def test_the_error_names_the_token_url_if_activepieces_cannot_reach_it(
    harness: ServiceHarness, integration: Integration
) -> None:
    nowhere = Site(Flask("nowhere"), "http://127.0.0.1:9", harness.clock)

    with pytest.raises(CodeExchangeFailed) as caught:
        connect(harness, nowhere, integration)

    assert "http://127.0.0.1:9/oauth/token" in str(caught.value)
    assert "AP_SSRF_ALLOW_LIST" in str(caught.value)


def test_a_failed_click_leaves_no_grant(harness: ServiceHarness, integration: Integration) -> None:
    nowhere = Site(Flask("nowhere"), "http://127.0.0.1:9", harness.clock)

    with pytest.raises(CodeExchangeFailed):
        connect(harness, nowhere, integration)

    assert grants_of(harness) == []
    assert harness.event_names[-1] == "grant.revoked"
    assert not harness.services.connections.list(integration)
    assert harness.reload(integration).default_connection_id is None


def test_a_failed_click_keeps_an_existing_grant(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    token = stored_value(harness, connect(harness, site, integration))["access_token"]
    harness.upstream.faults.fail("POST", "/app-connections", 500)

    with pytest.raises(ServerError):
        connect(harness, site, integration)

    assert len(grants_of(harness)) == 1
    assert call_status(site, token) == 200


def test_deleting_a_connection_revokes_its_grant(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    made = connect(harness, site, integration)
    token = stored_value(harness, made)["access_token"]

    harness.services.connections.delete(integration, made.id, user_id="bob")

    assert grants_of(harness) == []
    assert call_status(site, token) == 401


def test_a_deletion_with_a_lost_response_revokes_the_grant(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    made = connect(harness, site, integration)
    token = stored_value(harness, made)["access_token"]
    harness.upstream.faults.drop_response("DELETE", "/app-connections/*")

    harness.services.connections.delete(integration, made.id, user_id="bob")

    assert harness.event_names[-1] == "connection.deleted"
    assert grants_of(harness) == []
    assert harness.reload(integration).default_connection_id is None
    assert call_status(site, token) == 401


def test_a_failed_deletion_revokes_the_grant_too(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    """The user wants to disconnect, even if the connection remains in Activepieces."""
    made = connect(harness, site, integration)
    harness.upstream.faults.reset_connection("DELETE", "/app-connections/*")

    with pytest.raises(ConnectionFailed):
        harness.services.connections.delete(integration, made.id, user_id="bob")

    assert grants_of(harness) == []
    assert "connection.deleted" not in harness.event_names
    harness.services.connections.delete(integration, made.id, user_id="bob")
    assert harness.event_names[-1] == "connection.deleted"


def test_a_replacement_with_a_lost_response_revokes_the_grant(harness: ServiceHarness, site: Site) -> None:
    integration = harness.set_up(**harness.user_token_setup())
    his = connect(harness, site, integration, "bob")
    hers = connect(harness, site, integration, "alice")
    harness.upstream.faults.drop_response("POST", "/app-connections/replace")

    harness.services.connections.replace(integration, source_id=his.id, target_id=hers.id, user_id="carol")

    assert [grant["user_id"] for grant in grants_of(harness)] == ["alice"]
    assert harness.event_names[-1] == "connection.deleted"


@pytest.mark.parametrize("served", ["0.86"], indirect=True)
@pytest.mark.parametrize(
    ("choices", "status"),
    [({}, 401), ({"delete_source": False}, 200), ({"apply_to_published": False}, 200)],
    ids=["deleted", "value", "drafts only"],
)
def test_a_grant_is_revoked_only_if_the_replaced_connection_is_deleted(
    harness: ServiceHarness, site: Site, choices: dict[str, bool], status: int
) -> None:
    """Otherwise a published flow would fail, because it still uses the connection."""
    integration = harness.set_up(**harness.user_token_setup())
    his = connect(harness, site, integration, "bob")
    hers = connect(harness, site, integration, "alice")
    token = stored_value(harness, his)["access_token"]

    harness.services.connections.replace(integration, source_id=his.id, target_id=hers.id, **choices, user_id="carol")

    assert call_status(site, token) == status
    assert ("connection.deleted" in harness.event_names) == (status == 401)


def test_no_name_chosen_by_a_caller_overwrites_a_users_connection(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    made = connect(harness, site, integration)

    for name in ("user-alice", "alice", made.external_id):
        assert harness.save(integration, name).id != made.id
        assert harness.save(integration, external_id=name).id != made.id

    assert harness.services.connections.get(integration, made.id).metadata["userId"] == "alice"


def test_removing_an_integration_deletes_its_client(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    token = stored_value(harness, connect(harness, site, integration))["access_token"]

    harness.services.integrations.remove(integration, user_id="alice")

    assert clients_of(harness) == grants_of(harness) == []
    assert call_status(site, token) == 401


def test_one_click_needs_the_apps_piece(harness: ServiceHarness, site: Site, integration: Integration) -> None:
    with pytest.raises(SetupError, match="ACTIVEPIECES_PIECE_NAME"):
        connect(harness.with_settings(piece_name=None), site, integration)


def test_a_piece_that_is_not_installed_is_named(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    with pytest.raises(ResourceNotFound, match="piece-missing is not installed"):
        connect(harness.with_settings(piece_name="piece-missing"), site, integration)


def test_a_piece_without_oauth2_cannot_be_connected_with_one_click(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    with pytest.raises(SetupError, match="OAuth2"):
        connect(harness.with_settings(piece_name=SECRET_PIECE), site, integration)


def test_an_unknown_scope_of_the_piece_is_named(
    harness: ServiceHarness, site: Site, integration: Integration
) -> None:
    known = {"tasks:read": harness.settings.scopes["tasks:read"]}

    with pytest.raises(SetupError, match="profile:read"):
        connect(harness.with_settings(scopes=known), site, integration)
    assert clients_of(harness) == []


def test_no_secret_is_in_an_error(
    harness: ServiceHarness, upstream: ActivepiecesServer, integration: Integration
) -> None:
    nowhere = Site(Flask("nowhere"), "http://127.0.0.1:9", harness.clock)

    with pytest.raises(CodeExchangeFailed) as caught:
        connect(harness, nowhere, integration)

    assert "fas_" not in str(caught.value)
    assert "v1." not in str(caught.value)
    assert upstream.api_key not in str(caught.value)
