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
from flask_activepieces.integrations import store as records
from flask_activepieces.integrations.setup.credentials import Credentials
from flask_activepieces.integrations.sign_in.third_party import AuthorizationStart
from flask_activepieces.integrations.store import Integration
from tests.support.office import Office

ALICE = Principal("alice", "acme", "Alice")


def changed(office: Office, integration: Integration, **what: Any) -> Integration:
    return office.services.integrations.update(integration, **what, user_id="alice")


USES: dict[str, Callable[[Office, Integration], object]] = {
    "list connections": lambda office, it: office.services.connections.list(it),
    "one connection": lambda office, it: office.services.connections.get(it, "x"),
    "save": lambda office, it: office.save(it),
    "rename": lambda office, it: office.services.connections.update(
        it, "x", display_name="y", user_id="alice"
    ),
    "delete": lambda office, it: office.services.connections.delete(it, "x", user_id="alice"),
    "replace": lambda office, it: office.services.connections.replace(
        it, source_id="x", target_id="y", user_id="alice"
    ),
    "owners": lambda office, it: office.services.connections.list_owners(it),
    "projects": lambda office, it: office.services.projects.list(it),
    "flows": lambda office, it: office.services.flows.list(it),
    "runs": lambda office, it: office.services.flows.list_runs(it),
    "MCP": lambda office, it: office.services.mcp.get(it),
    "MCP rotation": lambda office, it: office.services.mcp.rotate_token(it, ALICE),
    "health": lambda office, it: office.services.connection_health.check(it),
    "one click": lambda office, it: office.services.one_click.connect(
        it, replace(ALICE, tenant_id=it.tenant_id), issuer="https://app.example.com"
    ),
    "sign-in elsewhere": lambda office, it: office.services.third_party.start(
        it,
        AuthorizationStart(piece_name="@activepieces/piece-acme-oauth"),
        user_id="alice",
        redirect_url="https://app.example.com/callback",
    ),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_switched_off_it_is_of_no_use_at_all(
    office: Office, use: Callable[[Office, Integration], object]
) -> None:
    made = office.set_up()
    off = changed(office, made, enabled=False)
    office.upstream.calls.clear()

    with pytest.raises(IntegrationDisabled):
        use(office, off)

    assert office.upstream.calls == []


def test_switched_on_again_it_works(office: Office) -> None:
    made = office.set_up()

    on = changed(office, changed(office, made, enabled=False), enabled=True)

    assert not office.services.connections.list(on)
    assert office.told == ["integration.created", "integration.disabled", "integration.enabled"]


def test_switching_to_where_it_stands_already_changes_nothing(office: Office) -> None:
    made = office.set_up()

    assert changed(office, made, enabled=True) == made
    assert office.told == ["integration.created"]


def test_another_key_is_tried_before_it_replaces_the_old_one(office: Office) -> None:
    made = office.set_up()

    with pytest.raises(InvalidInput) as caught:
        changed(office, made, credentials=Credentials(api_key="sk-" + "x" * 61))

    assert list(caught.value.fields) == ["apiKey"]
    assert office.again(made) == made
    assert not office.services.connections.list(made)


def test_a_user_beside_the_key_can_do_what_no_key_can(office: Office) -> None:
    made = office.set_up()

    both = changed(office, made, credentials=Credentials(user_token=office.upstream.user_token()))

    assert office.services.mcp.get(both).project_id == both.project_id
    assert office.told == ["integration.created", "integration.key_rotated"]


def test_a_key_that_activepieces_does_not_know_any_more_is_said_to_be_bad(office: Office) -> None:
    made = office.set_up()
    office.upstream.faults.fail("GET", "/app-connections", 401)

    with pytest.raises(AuthenticationFailed):
        office.services.connections.list(made)


def test_another_project_must_be_one_that_the_key_sees(office: Office) -> None:
    made = office.set_up()

    with pytest.raises(InvalidInput) as caught:
        changed(office, made, project_id="x" * 21)

    assert list(caught.value.fields) == ["projectId"]
    assert changed(office, made, project_id=office.upstream.project_id).project_id == (
        office.upstream.project_id
    )


def test_two_changes_at_once_both_count(office: Office) -> None:
    made = office.set_up()

    changed(office, made, enabled=False)
    moved = changed(office, made, project_id=office.upstream.project_id)

    assert (moved.enabled, moved.project_id) == (False, office.upstream.project_id)


@dataclass
class Meddled(Office):
    """An office where something happens between a question to Activepieces and what follows from the answer."""

    meanwhile: Callable[[], object] | None = None

    def _client(self, base_url: str, credential: Credential) -> ActivepiecesClient:
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return super()._client(base_url, credential)


def test_a_change_on_ground_that_another_admin_has_moved_is_not_made(office: Office) -> None:
    """What Activepieces accepted was about a key that the integration is not linked with any more."""
    made = office.set_up()
    user = Credentials(user_token=office.upstream.user_token())
    meddled = Meddled(office.engine, office.upstream, office.tenant)
    meddled.meanwhile = lambda: changed(office, made, credentials=user)

    with pytest.raises(Locked):
        changed(meddled, made, project_id=office.new_project())

    assert office.again(made).project_id == made.project_id


def test_a_setup_on_ground_that_another_admin_has_moved_is_tried_anew(office: Office) -> None:
    """A project that one key sees is never saved with another key, which may not see it."""
    made = office.set_up()

    def another_key_comes() -> None:
        columns = office.credential_store.credential_columns(
            made.id, Credentials(user_token="a.token.of-somebody-else")
        )
        office.database.run_in_transaction(
            lambda work: records.change(work, office.again(made), columns, now=office.now)
        )

    meddled = Meddled(office.engine, office.upstream, office.tenant, meanwhile=another_key_comes)
    with pytest.raises(InvalidInput) as caught:
        meddled.set_up(tenant_id=office.tenant, project_id=office.new_project())

    assert list(caught.value.fields) == ["userToken"]
    assert office.again(made).project_id == made.project_id


def test_a_connection_that_is_saved_meanwhile_disturbs_no_change(office: Office) -> None:
    made = office.set_up()
    project = office.new_project()
    meddled = Meddled(office.engine, office.upstream, office.tenant)
    meddled.meanwhile = lambda: changed(office, made, enabled=False)

    moved = changed(meddled, made, project_id=project)

    assert (moved.enabled, moved.project_id) == (False, project)


# A user token that has ended, beside a key


@pytest.fixture
def ended(office: Office) -> Integration:
    """An integration with a key that works, and a user token that does not any more."""
    made = office.set_up()
    credentials = Credentials(api_key=office.upstream.api_key, user_token="a.token.that-ended")
    columns = office.credential_store.credential_columns(made.id, credentials)
    return office.database.run_in_transaction(
        lambda work: records.change(work, made, columns, now=office.now)
    )


def test_a_token_that_ended_does_not_keep_the_key_from_being_changed(
    office: Office, ended: Integration
) -> None:
    again = changed(office, ended, credentials=Credentials(api_key=office.upstream.api_key))

    assert again.project_id == ended.project_id
    assert office.told[-1] == "integration.key_rotated"


def test_a_token_that_ended_does_not_keep_the_project_from_being_changed(
    office: Office, ended: Integration
) -> None:
    project = office.new_project()

    assert changed(office, ended, project_id=project).project_id == project


def test_a_token_that_ended_is_removed_without_asking_anybody(
    office: Office, ended: Integration
) -> None:
    office.upstream.calls.clear()

    left = changed(office, ended, removed=["user_token"])

    assert office.upstream.calls == []
    assert left.credential_hint == f"sk-…{office.upstream.api_key[-4:]}"
    with pytest.raises(CallNotSupported):
        office.services.mcp.get(left)


def test_where_nothing_works_any_more_the_first_is_to_blame(
    office: Office, ended: Integration
) -> None:
    left = changed(office, ended, removed=["api_key"])

    with pytest.raises(InvalidInput) as caught:
        changed(office, left, project_id=office.new_project())

    assert list(caught.value.fields) == ["userToken"]


def test_the_last_credential_stays_where_the_app_has_no_key(office: Office) -> None:
    made = office.set_up()

    with pytest.raises(InvalidInput) as caught:
        changed(office, made, removed=["api_key"])

    assert list(caught.value.fields) == ["apiKey"]
    assert not office.services.connections.list(made)


def test_without_any_credential_the_apps_own_key_is_used(office: Office) -> None:
    made = office.set_up()
    app = office.on_the_apps_key()

    left = changed(app, made, removed=["api_key"])

    assert (left.has_credentials, left.credential_hint) == (False, None)
    assert app.key().projects.get(left.project_id).external_id == office.tenant


def test_an_e_mail_address_goes_with_its_password(office: Office) -> None:
    user = {"email": office.upstream.email, "password": office.upstream.password}
    made = office.set_up(**office.own_key(), **user)

    left = changed(office, made, removed=["password"])

    assert left.credential_hint == f"sk-…{office.upstream.api_key[-4:]}"


def test_removed_it_is_gone_and_its_connections_are_not(office: Office) -> None:
    made = office.set_up()
    connection = office.save(made)

    office.services.integrations.remove(made, user_id="alice")

    with pytest.raises(NotFound):
        office.again(made)
    assert office.key().connections.get(made.project_id, connection.id)
    assert office.told[-1] == "integration.removed"


def test_removed_twice_is_not_found(office: Office) -> None:
    made = office.set_up()
    office.services.integrations.remove(made, user_id="alice")

    with pytest.raises(NotFound):
        office.services.integrations.remove(made, user_id="alice")
    with pytest.raises(NotFound):
        office.services.connections.list(made)


def test_what_was_encrypted_under_a_key_that_is_gone_is_said_so(office: Office) -> None:
    made = office.set_up()
    forgetful = office.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    with pytest.raises(IntegrationDisabled, match="set them again"):
        forgetful.services.connections.list(made)


def test_what_nobody_can_open_any_more_is_replaced_by_what_is_given(office: Office) -> None:
    made = office.set_up()
    forgetful = office.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    again = forgetful.set_up(api_key=office.upstream.api_key)

    assert (again.id, again.project_id) == (made.id, made.project_id)
    assert not forgetful.services.connections.list(again)


def test_without_a_new_key_what_nobody_can_open_stays_as_it_is(office: Office) -> None:
    made = office.set_up()
    forgetful = office.on_the_apps_key(secret_keys=KeyRing(["another secret key of this app"]))

    with pytest.raises(IntegrationDisabled):
        forgetful.set_up(tenant_id=office.tenant)

    assert office.again(made) == made


def test_encrypted_anew_it_needs_the_old_key_no_more(office: Office) -> None:
    made = office.set_up()
    old, new = "a secret key for tests only and long enough", "the newest secret key of this app"
    both = office.with_settings(secret_keys=KeyRing([new, old]))

    assert both.services.integrations.reencrypt(made)

    only_new = office.with_settings(secret_keys=KeyRing([new]))
    assert not only_new.services.connections.list(made)


def test_what_no_key_opens_is_not_encrypted_anew(office: Office) -> None:
    made = office.set_up()
    forgetful = office.with_settings(secret_keys=KeyRing(["another secret key of this app"]))

    assert not forgetful.services.integrations.reencrypt(made)

    assert not office.services.connections.list(made)


def test_secrets_moved_to_another_row_open_nothing(office: Office) -> None:
    """Whoever can write to the database does not get to use another tenant's key."""
    made = office.set_up()
    table = "activepieces_integrations"
    with office.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE {table} SET id = 'moved', revision = revision + 1 WHERE id = ?",  # noqa: S608
            (made.id,),
        )
    moved = office.find("moved", office.tenant)

    with pytest.raises(IntegrationDisabled):
        office.services.connections.list(moved)
