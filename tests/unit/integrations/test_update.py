"""Switching an integration off and on, giving it another key, removing it."""

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


def changed(harness: ServiceHarness, integration: Integration, **what: Any) -> Integration:
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
    "sign-in elsewhere": lambda harness, it: harness.services.third_party.start(
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
    off = changed(harness, made, enabled=False)
    harness.upstream.calls.clear()

    with pytest.raises(IntegrationDisabled):
        use(harness, off)

    assert harness.upstream.calls == []


def test_an_enabled_integration_works_again(harness: ServiceHarness) -> None:
    made = harness.set_up()

    on = changed(harness, changed(harness, made, enabled=False), enabled=True)

    assert not harness.services.connections.list(on)
    assert harness.event_names == ["integration.created", "integration.disabled", "integration.enabled"]


def test_enabling_an_enabled_integration_changes_nothing(harness: ServiceHarness) -> None:
    made = harness.set_up()

    assert changed(harness, made, enabled=True) == made
    assert harness.event_names == ["integration.created"]


def test_another_key_is_tried_before_it_replaces_the_old_one(harness: ServiceHarness) -> None:
    made = harness.set_up()

    with pytest.raises(InvalidInput) as caught:
        changed(harness, made, credentials=Credentials(api_key="sk-" + "x" * 61))

    assert list(caught.value.fields) == ["apiKey"]
    assert harness.reload(made) == made
    assert not harness.services.connections.list(made)


def test_a_user_beside_the_key_can_do_what_no_key_can(harness: ServiceHarness) -> None:
    made = harness.set_up()

    both = changed(harness, made, credentials=Credentials(user_token=harness.upstream.user_token()))

    assert harness.services.mcp.get(both).project_id == both.project_id
    assert harness.event_names == ["integration.created", "integration.key_rotated"]


def test_a_key_that_activepieces_does_not_know_any_more_is_said_to_be_bad(harness: ServiceHarness) -> None:
    made = harness.set_up()
    harness.upstream.faults.fail("GET", "/app-connections", 401)

    with pytest.raises(AuthenticationFailed):
        harness.services.connections.list(made)


def test_another_project_must_be_one_that_the_key_sees(harness: ServiceHarness) -> None:
    made = harness.set_up()

    with pytest.raises(InvalidInput) as caught:
        changed(harness, made, project_id="x" * 21)

    assert list(caught.value.fields) == ["projectId"]
    assert changed(harness, made, project_id=harness.upstream.project_id).project_id == (harness.upstream.project_id)


def test_two_changes_at_once_both_count(harness: ServiceHarness) -> None:
    made = harness.set_up()

    changed(harness, made, enabled=False)
    moved = changed(harness, made, project_id=harness.upstream.project_id)

    assert (moved.enabled, moved.project_id) == (False, harness.upstream.project_id)


@dataclass
class HarnessWithInterruption(ServiceHarness):
    """An harness where something happens between a question to Activepieces and what follows from the answer."""

    meanwhile: Callable[[], object] | None = None

    def _client(self, base_url: str, credential: Credential) -> ActivepiecesClient:
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return super()._client(base_url, credential)


def test_an_update_after_another_admins_change_is_rejected(harness: ServiceHarness) -> None:
    """What Activepieces accepted was about a key that the integration is not linked with any more."""
    made = harness.set_up()
    user = Credentials(user_token=harness.upstream.user_token())
    interrupted = HarnessWithInterruption(harness.engine, harness.upstream, harness.tenant)
    interrupted.meanwhile = lambda: changed(harness, made, credentials=user)

    with pytest.raises(Locked):
        changed(interrupted, made, project_id=harness.new_project())

    assert harness.reload(made).project_id == made.project_id


def test_a_setup_is_verified_again_after_another_admins_change(harness: ServiceHarness) -> None:
    """A project that one key sees is never saved with another key, which may not see it."""
    made = harness.set_up()

    def another_key_comes() -> None:
        columns = harness.credential_store.credential_columns(
            made.id, Credentials(user_token="a.token.of-somebody-else")
        )
        harness.database.run_in_transaction(
            lambda work: store.change(work, harness.reload(made), columns, now=harness.now)
        )

    interrupted = HarnessWithInterruption(
        harness.engine, harness.upstream, harness.tenant, meanwhile=another_key_comes
    )
    with pytest.raises(InvalidInput) as caught:
        interrupted.set_up(tenant_id=harness.tenant, project_id=harness.new_project())

    assert list(caught.value.fields) == ["userToken"]
    assert harness.reload(made).project_id == made.project_id


def test_a_connection_that_is_saved_meanwhile_disturbs_no_change(harness: ServiceHarness) -> None:
    made = harness.set_up()
    project = harness.new_project()
    interrupted = HarnessWithInterruption(harness.engine, harness.upstream, harness.tenant)
    interrupted.meanwhile = lambda: changed(harness, made, enabled=False)

    moved = changed(interrupted, made, project_id=project)

    assert (moved.enabled, moved.project_id) == (False, project)


# A user token that has ended, beside a key


@pytest.fixture
def ended(harness: ServiceHarness) -> Integration:
    """An integration with a key that works, and a user token that does not any more."""
    made = harness.set_up()
    credentials = Credentials(api_key=harness.upstream.api_key, user_token="a.token.that-ended")
    columns = harness.credential_store.credential_columns(made.id, credentials)
    return harness.database.run_in_transaction(lambda work: store.change(work, made, columns, now=harness.now))


def test_an_expired_token_does_not_block_a_new_key(harness: ServiceHarness, ended: Integration) -> None:
    again = changed(harness, ended, credentials=Credentials(api_key=harness.upstream.api_key))

    assert again.project_id == ended.project_id
    assert harness.event_names[-1] == "integration.key_rotated"


def test_an_expired_token_does_not_block_another_project(harness: ServiceHarness, ended: Integration) -> None:
    project = harness.new_project()

    assert changed(harness, ended, project_id=project).project_id == project


def test_an_expired_token_is_removed_without_a_call(harness: ServiceHarness, ended: Integration) -> None:
    harness.upstream.calls.clear()

    left = changed(harness, ended, removed=["user_token"])

    assert harness.upstream.calls == []
    assert left.credential_hint == f"sk-…{harness.upstream.api_key[-4:]}"
    with pytest.raises(CallNotSupported):
        harness.services.mcp.get(left)


def test_if_no_credential_works_the_first_is_named(harness: ServiceHarness, ended: Integration) -> None:
    left = changed(harness, ended, removed=["api_key"])

    with pytest.raises(InvalidInput) as caught:
        changed(harness, left, project_id=harness.new_project())

    assert list(caught.value.fields) == ["userToken"]


def test_the_last_credential_stays_where_the_app_has_no_key(harness: ServiceHarness) -> None:
    made = harness.set_up()

    with pytest.raises(InvalidInput) as caught:
        changed(harness, made, removed=["api_key"])

    assert list(caught.value.fields) == ["apiKey"]
    assert not harness.services.connections.list(made)


def test_without_any_credential_the_apps_own_key_is_used(harness: ServiceHarness) -> None:
    made = harness.set_up()
    app = harness.with_app_key()

    left = changed(app, made, removed=["api_key"])

    assert (left.has_credentials, left.credential_hint) == (False, None)
    assert app.platform_client().projects.get(left.project_id).external_id == harness.tenant


def test_an_e_mail_address_goes_with_its_password(harness: ServiceHarness) -> None:
    user = {"email": harness.upstream.email, "password": harness.upstream.password}
    made = harness.set_up(**harness.api_key_setup(), **user)

    left = changed(harness, made, removed=["password"])

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
    forgetful = harness.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    with pytest.raises(IntegrationDisabled, match="set them again"):
        forgetful.services.connections.list(made)


def test_new_credentials_replace_those_that_cannot_be_decrypted(harness: ServiceHarness) -> None:
    made = harness.set_up()
    forgetful = harness.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    again = forgetful.set_up(api_key=harness.upstream.api_key)

    assert (again.id, again.project_id) == (made.id, made.project_id)
    assert not forgetful.services.connections.list(again)


def test_credentials_that_cannot_be_decrypted_stay_without_new_ones(harness: ServiceHarness) -> None:
    made = harness.set_up()
    forgetful = harness.with_app_key(secret_keys=KeyRing(["another secret key of this app"]))

    with pytest.raises(IntegrationDisabled):
        forgetful.set_up(tenant_id=harness.tenant)

    assert harness.reload(made) == made


def test_after_reencryption_the_old_key_is_not_needed(harness: ServiceHarness) -> None:
    made = harness.set_up()
    old, new = "a secret key for tests only and long enough", "the newest secret key of this app"
    both = harness.with_settings(secret_keys=KeyRing([new, old]))

    assert both.services.integrations.reencrypt(made)

    only_new = harness.with_settings(secret_keys=KeyRing([new]))
    assert not only_new.services.connections.list(made)


def test_what_cannot_be_decrypted_is_not_reencrypted(harness: ServiceHarness) -> None:
    made = harness.set_up()
    forgetful = harness.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    assert not forgetful.services.integrations.reencrypt(made)

    assert not harness.services.connections.list(made)


def test_secrets_moved_to_another_row_cannot_be_decrypted(harness: ServiceHarness) -> None:
    """Whoever can write to the database does not get to use another tenant's key."""
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
