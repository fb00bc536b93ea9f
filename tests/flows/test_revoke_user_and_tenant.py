"""Disabling a user or a tenant revokes all their grants and tokens immediately."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_activepieces import Activepieces
from flask_activepieces.errors import Unavailable
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.storage import database_away, row_counts, rows_of


def revoke_user(app: Flask, user_id: str, tenant_id: str | None = None) -> int:
    with app.app_context():
        return Activepieces().revoke_user(user_id, tenant_id=tenant_id)


def revoke_tenant(app: Flask, tenant_id: str) -> int:
    with app.app_context():
        return Activepieces().revoke_tenant(tenant_id)


def get_client_credentials_token(program: Program) -> str:
    token = answer_of(program.posts("/oauth/token", {"grant_type": "client_credentials"}))
    assert isinstance(token["access_token"], str)
    return token["access_token"]


# A user


def test_revoking_a_user_revokes_all_their_grants_in_the_tenant(app: Flask, bob: Person) -> None:
    first, second = Program.registered(app), Program.registered(app)
    pairs = [(program, program.connects(bob)) for program in (first, second)]

    assert revoke_user(app, "bob", "acme") == 2

    for program, pair in pairs:
        assert program.calls(pair["access_token"]).status_code == 401
        refused = answer_of(program.refreshes(pair["refresh_token"]), 400)
        assert refused["error"] == "invalid_grant"
    assert "grants" not in row_counts(app)


def test_revoking_a_user_invalidates_unredeemed_codes(app: Flask, program: Program, bob: Person) -> None:
    code = bob.allows(program.question())

    revoke_user(app, "bob", "acme")

    refused = answer_of(program.redeems(code), 400)
    assert refused["error"] == "invalid_grant"
    assert "token_families" not in row_counts(app)


def test_revoking_a_user_without_a_tenant_covers_every_tenant(
    app: Flask, program: Program, alice: Person, bob: Person
) -> None:
    pairs = [program.connects(alice, workspace=tenant) for tenant in ("acme", "acme-labs")]
    bobs_tokens = program.connects(bob)

    assert revoke_user(app, "alice") == 2

    assert [program.calls(pair["access_token"]).status_code for pair in pairs] == [401, 401]
    assert program.calls(bobs_tokens["access_token"]).status_code == 200


def test_revoking_a_user_leaves_other_tenants_and_other_users_alone(
    app: Flask, program: Program, alice: Person, bob: Person
) -> None:
    other_tenant = program.connects(alice, workspace="acme-labs")
    revoked = program.connects(alice, workspace="acme")
    bobs_tokens = program.connects(bob)

    assert revoke_user(app, "alice", "acme") == 1

    assert program.calls(revoked["access_token"]).status_code == 401
    assert program.calls(other_tenant["access_token"]).status_code == 200
    assert program.calls(bobs_tokens["access_token"]).status_code == 200


def test_a_revoked_user_can_connect_again(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    revoke_user(app, "bob", "acme")

    pair = program.connects(bob)

    assert program.calls(pair["access_token"]).status_code == 200


@pytest.mark.parametrize(("user_id", "tenant_id"), [("nobody", "acme"), ("bob", "nowhere")])
def test_revoking_a_user_without_grants_changes_nothing(
    app: Flask, program: Program, bob: Person, user_id: str, tenant_id: str
) -> None:
    program.connects(bob)
    before = row_counts(app)

    assert revoke_user(app, user_id, tenant_id) == 0

    assert row_counts(app) == before


def test_revoking_compares_ids_exactly(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)

    assert revoke_user(app, "Bob", "acme") == 0
    assert revoke_user(app, "bob", "ACME") == 0


def test_the_audit_records_why_a_grant_was_revoked(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)

    revoke_user(app, "bob", "acme")

    last = rows_of(app, "audit_events")[-1]
    assert (last["name"], last["user_id"], last["tenant_id"]) == ("grant.revoked", "bob", "acme")
    assert "the user was disabled" in last["detail"]


def test_revoking_is_all_or_nothing(app: Flask, program: Program, bob: Person) -> None:
    pair = program.connects(bob)

    with database_away(app), pytest.raises(Unavailable):
        revoke_user(app, "bob", "acme")

    assert program.calls(pair["access_token"]).status_code == 200


def test_workers_with_a_revocation_cache_follow_within_the_allowed_staleness(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=20)
    program = Program.registered(app)
    token = program.connects(Person(app, "bob"))["access_token"]
    program.calls(token)

    revoke_user(app, "bob", "acme")
    clock.advance(20)

    assert program.calls(token).status_code == 401


# A tenant


def test_revoking_a_tenant_revokes_every_grant_in_it(
    app: Flask, program: Program, alice: Person, bob: Person, carol: Person
) -> None:
    alices, bobs = program.connects(alice), program.connects(bob)
    other_tenant = program.connects(carol)

    assert revoke_tenant(app, "acme") == 2

    for pair in (alices, bobs):
        assert program.calls(pair["access_token"]).status_code == 401
        assert program.refreshes(pair["refresh_token"]).status_code == 400
    assert program.calls(other_tenant["access_token"]).status_code == 200


def test_revoking_a_tenant_revokes_its_clients_credentials_tokens(app: Flask) -> None:
    own_client = Program.registered(app, "--client-credentials", "--tenant", "acme")
    other = Program.registered(app, "--client-credentials", "--tenant", "globex")
    revoked, unaffected = (get_client_credentials_token(own_client), get_client_credentials_token(other))

    revoke_tenant(app, "acme")

    assert own_client.calls(revoked).status_code == 401
    assert other.calls(unaffected).status_code == 200


@pytest.mark.parametrize("staleness", [0, 10])
def test_revoking_a_tenant_twice_keeps_its_tokens_revoked(
    make_app: MakeApp, clock: StoppedClock, staleness: int
) -> None:
    """The second revocation must last as long as the tokens that it revokes."""
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=staleness)
    own_client = Program.registered(app, "--client-credentials", "--tenant", "acme")
    revoke_tenant(app, "acme")
    clock.advance(3000)
    token = get_client_credentials_token(own_client)

    revoke_tenant(app, "acme")

    for _ in range(4):
        clock.advance(800)
        app.test_cli_runner().invoke(args=["activepieces", "prune"])
        assert own_client.calls(token).status_code == 401


def test_a_revoked_tenant_can_connect_again_with_its_own_client(app: Flask, bob: Person) -> None:
    """Only tokens issued before the call are revoked."""
    own_client = Program.registered(app, "--tenant", "acme")
    own_client.connects(bob)
    revoke_tenant(app, "acme")

    pair = own_client.connects(bob)

    assert own_client.calls(pair["access_token"]).status_code == 200


def test_a_revoked_tenant_can_connect_again_with_a_shared_client(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    revoke_tenant(app, "acme")

    pair = program.connects(bob)

    assert program.calls(pair["access_token"]).status_code == 200
