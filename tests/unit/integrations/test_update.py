"""Disabling and enabling an integration, changing its key, and removing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import Credential
from flask_activepieces.api_client.errors import AuthenticationFailed, CallNotSupported
from flask_activepieces.crypto.keyring import KeyRing
from flask_activepieces.errors import IntegrationDisabled, InvalidInput, Locked, NotFound
from flask_activepieces.host.interface import Principal
from flask_activepieces.integrations import store
from flask_activepieces.integrations.credentials import Credentials
from flask_activepieces.integrations.sign_in.third_party import AuthorizationStart
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import ServiceHarness

ALICE = Principal("alice", "acme", "Alice")


def update(harness: ServiceHarness, integration: Integration, **what: Any) -> Integration:
    return harness.services.integrations.update(integration, **what, user_id="alice")


USES: dict[str, Callable[[ServiceHarness, Integration], object]] = {
    "list connections": lambda harness, it: harness.services.connections.list(it),
    "one connection": lambda harness, it: harness.services.connections.get(it, "x"),
    "save": lambda harness, it: harness.save(it),
    "rename": lambda harness, it: harness.services.connections.update(it, "x", display_name="y", user_id="alice"),
    "delete": lambda harness, it: harness.services.connections.delete(it, "x", user_id="alice"),
    "replace": lambda harness, it: harness.services.connections.replace(
        it, source_id="x", target_id="y", user_id="alice"
    ),
    "owners": lambda harness, it: harness.services.connections.list_owners(it),
    "projects": lambda harness, it: harness.services.projects.list(it),
    "flows": lambda harness, it: harness.services.flows.list(it),
    "runs": lambda harness, it: harness.services.flows.list_runs(it),
    "MCP": lambda harness, it: harness.services.mcp.get(it),
    "MCP rotation": lambda harness, it: harness.services.mcp.rotate_token(it, ALICE),
    "health": lambda harness, it: harness.services.connection_health.check(it),
    "one click": lambda harness, it: harness.services.one_click.connect(
        it, replace(ALICE, tenant_id=it.tenant_id), issuer="https://app.example.com"
    ),
    "sign-in at a third party": lambda harness, it: harness.services.third_party.start(
        it,
        AuthorizationStart(piece_name="@activepieces/piece-acme-oauth"),
        user_id="alice",
        redirect_url="https://app.example.com/callback",
    ),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_a_disabled_integration_makes_no_call(
    harness: ServiceHarness, use: Callable[[ServiceHarness, Integration], object]
) -> None:
    made = harness.set_up()
    off = update(harness, made, enabled=False)
    harness.upstream.calls.clear()

    with pytest.raises(IntegrationDisabled):
        use(harness, off)

    assert harness.upstream.calls == []


def test_an_enabled_integration_works_again(harness: ServiceHarness) -> None:
    made = harness.set_up()

    on = update(harness, update(harness, made, enabled=False), enabled=True)

    assert not harness.services.connections.list(on)
    assert harness.event_names == ["integration.created", "integration.disabled", "integration.enabled"]


def test_enabling_an_enabled_integration_changes_nothing(harness: ServiceHarness) -> None:
    made = harness.set_up()

    assert update(harness, made, enabled=True) == made
    assert harness.event_names == ["integration.created"]


def test_a_new_key_is_verified_before_it_replaces_the_old_one(harness: ServiceHarness) -> None:
    made = harness.set_up()

    with pytest.raises(InvalidInput) as caught:
        update(harness, made, credentials=Credentials(api_key="sk-" + "x" * 61))

    assert list(caught.value.fields) == ["apiKey"]
    assert harness.reload(made) == made
    assert not harness.services.connections.list(made)


def test_a_user_added_to_the_key_is_used_for_calls_that_do_not_accept_a_key(harness: ServiceHarness) -> None:
    made = harness.set_up()

    both = update(harness, made, credentials=Credentials(user_token=harness.upstream.user_token()))

    assert harness.services.mcp.get(both).project_id == both.project_id
    assert harness.event_names == ["integration.created", "integration.key_rotated"]


def test_a_key_that_activepieces_rejects_is_an_authentication_failure(harness: ServiceHarness) -> None:
    made = harness.set_up()
    harness.upstream.faults.fail("GET", "/app-connections", 401)

    with pytest.raises(AuthenticationFailed):
        harness.services.connections.list(made)


def test_a_new_project_must_be_accessible_with_the_key(harness: ServiceHarness) -> None:
    made = harness.set_up()

    with pytest.raises(InvalidInput) as caught:
        update(harness, made, project_id="x" * 21)

    assert list(caught.value.fields) == ["projectId"]
    assert update(harness, made, project_id=harness.upstream.project_id).project_id == (harness.upstream.project_id)


def test_two_changes_both_take_effect(harness: ServiceHarness) -> None:
    made = harness.set_up()

    update(harness, made, enabled=False)
    moved = update(harness, made, project_id=harness.upstream.project_id)

    assert (moved.enabled, moved.project_id) == (False, harness.upstream.project_id)


@dataclass
class HarnessWithInterruption(ServiceHarness):
    """A harness that runs an action just before it creates the next API client."""

    meanwhile: Callable[[], object] | None = None

    def _client(self, base_url: str, credential: Credential) -> ActivepiecesClient:
        if self.meanwhile is not None:
            action, self.meanwhile = self.meanwhile, None
            action()
        return super()._client(base_url, credential)


def test_an_update_after_another_admins_change_is_rejected(harness: ServiceHarness) -> None:
    """Activepieces verified a key that the integration no longer uses."""
    made = harness.set_up()
    user = Credentials(user_token=harness.upstream.user_token())
    interrupted = HarnessWithInterruption(harness.engine, harness.upstream, harness.tenant)
    interrupted.meanwhile = lambda: update(harness, made, credentials=user)

    with pytest.raises(Locked):
        update(interrupted, made, project_id=harness.new_project())

    assert harness.reload(made).project_id == made.project_id


def test_a_setup_is_verified_again_after_another_admins_change(harness: ServiceHarness) -> None:
    """A project that was verified with one key must not be saved with another key."""
    made = harness.set_up()

    def replace_key() -> None:
        columns = harness.credential_store.credential_columns(
            made.id, Credentials(user_token="a.token.of-another-user")
        )
        harness.database.run_in_transaction(
            lambda work: store.change(work, harness.reload(made), columns, now=harness.now)
        )

    interrupted = HarnessWithInterruption(harness.engine, harness.upstream, harness.tenant, meanwhile=replace_key)
    with pytest.raises(InvalidInput) as caught:
        interrupted.set_up(tenant_id=harness.tenant, project_id=harness.new_project())

    assert list(caught.value.fields) == ["userToken"]
    assert harness.reload(made).project_id == made.project_id


def test_a_simultaneous_change_of_other_columns_does_not_conflict(harness: ServiceHarness) -> None:
    made = harness.set_up()
    project = harness.new_project()
    interrupted = HarnessWithInterruption(harness.engine, harness.upstream, harness.tenant)
    interrupted.meanwhile = lambda: update(harness, made, enabled=False)

    moved = update(interrupted, made, project_id=project)

    assert (moved.enabled, moved.project_id) == (False, project)


# A valid key together with an expired user token


@pytest.fixture
def with_expired_token(harness: ServiceHarness) -> Integration:
    """An integration with a valid key and an expired user token."""
    made = harness.set_up()
    credentials = Credentials(api_key=harness.upstream.api_key, user_token="an.expired.token")
    columns = harness.credential_store.credential_columns(made.id, credentials)
    return harness.database.run_in_transaction(lambda work: store.change(work, made, columns, now=harness.now))


def test_an_expired_token_does_not_block_a_new_key(harness: ServiceHarness, with_expired_token: Integration) -> None:
    again = update(harness, with_expired_token, credentials=Credentials(api_key=harness.upstream.api_key))

    assert again.project_id == with_expired_token.project_id
    assert harness.event_names[-1] == "integration.key_rotated"


def test_an_expired_token_does_not_block_another_project(
    harness: ServiceHarness, with_expired_token: Integration
) -> None:
    project = harness.new_project()

    assert update(harness, with_expired_token, project_id=project).project_id == project


def test_an_expired_token_is_removed_without_a_call(harness: ServiceHarness, with_expired_token: Integration) -> None:
    harness.upstream.calls.clear()

    left = update(harness, with_expired_token, removed=["user_token"])

    assert harness.upstream.calls == []
    assert left.credential_hint == f"sk-…{harness.upstream.api_key[-4:]}"
    with pytest.raises(CallNotSupported):
        harness.services.mcp.get(left)


def test_if_no_credential_is_valid_the_first_is_named(
    harness: ServiceHarness, with_expired_token: Integration
) -> None:
    left = update(harness, with_expired_token, removed=["api_key"])

    with pytest.raises(InvalidInput) as caught:
        update(harness, left, project_id=harness.new_project())

    assert list(caught.value.fields) == ["userToken"]


def test_the_last_credential_cannot_be_removed_if_the_app_has_no_key(harness: ServiceHarness) -> None:
    made = harness.set_up()

    with pytest.raises(InvalidInput) as caught:
        update(harness, made, removed=["api_key"])

    assert list(caught.value.fields) == ["apiKey"]
    assert not harness.services.connections.list(made)


def test_without_any_credential_the_apps_own_key_is_used(harness: ServiceHarness) -> None:
    made = harness.set_up()
    app = harness.with_app_key()

    left = update(app, made, removed=["api_key"])

    assert (left.has_credentials, left.credential_hint) == (False, None)
    assert app.platform_client().projects.get(left.project_id).external_id == harness.tenant


def test_removing_the_password_removes_the_e_mail_address(harness: ServiceHarness) -> None:
    user = {"email": harness.upstream.email, "password": harness.upstream.password}
    made = harness.set_up(**harness.api_key_setup(), **user)

    left = update(harness, made, removed=["password"])

    assert left.credential_hint == f"sk-…{harness.upstream.api_key[-4:]}"


def test_removal_keeps_the_connections(harness: ServiceHarness) -> None:
    made = harness.set_up()
    connection = harness.save(made)

    harness.services.integrations.remove(made, user_id="alice")

    with pytest.raises(NotFound):
        harness.reload(made)
    assert harness.platform_client().connections.get(made.project_id, connection.id)
    assert harness.event_names[-1] == "integration.removed"


def test_removing_twice_is_not_found(harness: ServiceHarness) -> None:
    made = harness.set_up()
    harness.services.integrations.remove(made, user_id="alice")

    with pytest.raises(NotFound):
        harness.services.integrations.remove(made, user_id="alice")
    with pytest.raises(NotFound):
        harness.services.connections.list(made)


def test_credentials_under_a_removed_key_disable_the_integration(harness: ServiceHarness) -> None:
    made = harness.set_up()
    without_old_key = harness.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    with pytest.raises(IntegrationDisabled, match="set them again"):
        without_old_key.services.connections.list(made)


def test_new_credentials_replace_those_that_cannot_be_decrypted(harness: ServiceHarness) -> None:
    made = harness.set_up()
    without_old_key = harness.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    again = without_old_key.set_up(api_key=harness.upstream.api_key)

    assert (again.id, again.project_id) == (made.id, made.project_id)
    assert not without_old_key.services.connections.list(again)


def test_credentials_that_cannot_be_decrypted_stay_without_new_ones(harness: ServiceHarness) -> None:
    made = harness.set_up()
    without_old_key = harness.with_app_key(secret_keys=KeyRing(["another secret key of this app"]))

    with pytest.raises(IntegrationDisabled):
        without_old_key.set_up(tenant_id=harness.tenant)

    assert harness.reload(made) == made


def test_after_reencryption_the_old_key_is_not_needed(harness: ServiceHarness) -> None:
    made = harness.set_up()
    old, new = "a secret key for tests only and long enough", "the newest secret key of this app"
    both = harness.with_settings(secret_keys=KeyRing([new, old]))

    assert both.services.integrations.reencrypt(made)

    only_new = harness.with_settings(secret_keys=KeyRing([new]))
    assert not only_new.services.connections.list(made)


def test_credentials_that_cannot_be_decrypted_are_not_reencrypted(harness: ServiceHarness) -> None:
    made = harness.set_up()
    without_old_key = harness.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    assert not without_old_key.services.integrations.reencrypt(made)

    assert not harness.services.connections.list(made)


def test_secrets_moved_to_another_row_cannot_be_decrypted(harness: ServiceHarness) -> None:
    """Someone who can write to the database must not be able to use another tenant's key."""
    made = harness.set_up()
    table = "activepieces_integrations"
    with harness.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE {table} SET id = 'moved', revision = revision + 1 WHERE id = ?",  # noqa: S608
            (made.id,),
        )
    moved = harness.find("moved", harness.tenant)

    with pytest.raises(IntegrationDisabled):
        harness.services.connections.list(moved)
