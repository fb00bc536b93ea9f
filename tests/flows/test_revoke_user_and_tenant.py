"""The host disables a user or a tenant, and what was allowed ends with the call."""

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


def buys_for_itself(program: Program) -> str:
    token = answer_of(program.posts("/oauth/token", {"grant_type": "client_credentials"}))
    assert isinstance(token["access_token"], str)
    return token["access_token"]


# A user


def test_all_that_a_user_allowed_in_the_tenant_ends(app: Flask, bob: Person) -> None:
    first, second = Program.registered(app), Program.registered(app)
    pairs = [(program, program.connects(bob)) for program in (first, second)]

    assert revoke_user(app, "bob", "acme") == 2

    for program, pair in pairs:
        assert program.calls(pair["access_token"]).status_code == 401
        refused = answer_of(program.refreshes(pair["refresh_token"]), 400)
        assert refused["error"] == "invalid_grant"
    assert "grants" not in row_counts(app)


def test_a_code_in_flight_buys_nothing_any_more(app: Flask, program: Program, bob: Person) -> None:
    code = bob.allows(program.question())

    revoke_user(app, "bob", "acme")

    refused = answer_of(program.redeems(code), 400)
    assert refused["error"] == "invalid_grant"
    assert "token_families" not in row_counts(app)


def test_without_a_tenant_it_ends_in_all_of_them(
    app: Flask, program: Program, alice: Person, bob: Person
) -> None:
    pairs = [program.connects(alice, workspace=tenant) for tenant in ("acme", "acme-labs")]
    others = program.connects(bob)

    assert revoke_user(app, "alice") == 2

    assert [program.calls(pair["access_token"]).status_code for pair in pairs] == [401, 401]
    assert program.calls(others["access_token"]).status_code == 200


def test_the_users_other_tenants_and_other_users_go_on(
    app: Flask, program: Program, alice: Person, bob: Person
) -> None:
    elsewhere = program.connects(alice, workspace="acme-labs")
    ended = program.connects(alice, workspace="acme")
    others = program.connects(bob)

    assert revoke_user(app, "alice", "acme") == 1

    assert program.calls(ended["access_token"]).status_code == 401
    assert program.calls(elsewhere["access_token"]).status_code == 200
    assert program.calls(others["access_token"]).status_code == 200


def test_a_user_who_is_back_connects_anew(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)
    revoke_user(app, "bob", "acme")

    pair = program.connects(bob)

    assert program.calls(pair["access_token"]).status_code == 200


@pytest.mark.parametrize(("user_id", "tenant_id"), [("nobody", "acme"), ("bob", "nowhere")])
def test_where_nothing_was_allowed_nothing_happens(
    app: Flask, program: Program, bob: Person, user_id: str, tenant_id: str
) -> None:
    program.connects(bob)
    before = row_counts(app)

    assert revoke_user(app, user_id, tenant_id) == 0

    assert row_counts(app) == before


def test_ids_are_compared_to_the_letter(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)

    assert revoke_user(app, "Bob", "acme") == 0
    assert revoke_user(app, "bob", "ACME") == 0


def test_the_audit_says_why(app: Flask, program: Program, bob: Person) -> None:
    program.connects(bob)

    revoke_user(app, "bob", "acme")

    last = rows_of(app, "audit_events")[-1]
    assert (last["name"], last["user_id"], last["tenant_id"]) == ("grant.revoked", "bob", "acme")
    assert "the user was disabled" in last["detail"]


def test_it_is_all_or_nothing(app: Flask, program: Program, bob: Person) -> None:
    pair = program.connects(bob)

    with database_away(app), pytest.raises(Unavailable):
        revoke_user(app, "bob", "acme")

    assert program.calls(pair["access_token"]).status_code == 200


def test_workers_with_a_copy_follow_within_their_bound(
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


def test_all_that_anyone_allowed_in_the_tenant_ends(
    app: Flask, program: Program, alice: Person, bob: Person, carol: Person
) -> None:
    hers, his = program.connects(alice), program.connects(bob)
    elsewhere = program.connects(carol)

    assert revoke_tenant(app, "acme") == 2

    for pair in (hers, his):
        assert program.calls(pair["access_token"]).status_code == 401
        assert program.refreshes(pair["refresh_token"]).status_code == 400
    assert program.calls(elsewhere["access_token"]).status_code == 200


def test_what_the_tenants_own_clients_hold_for_themselves_ends_too(app: Flask) -> None:
    own = Program.registered(app, "--client-credentials", "--tenant", "acme")
    other = Program.registered(app, "--client-credentials", "--tenant", "globex")
    ended, kept = buys_for_itself(own), buys_for_itself(other)

    revoke_tenant(app, "acme")

    assert own.calls(ended).status_code == 401
    assert other.calls(kept).status_code == 200


@pytest.mark.parametrize("staleness", [0, 10])
def test_what_was_ended_stays_ended_though_it_was_ended_twice(
    make_app: MakeApp, clock: StoppedClock, staleness: int
) -> None:
    """The second call must count for as long as the tokens that it ends could live."""
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=staleness)
    own = Program.registered(app, "--client-credentials", "--tenant", "acme")
    revoke_tenant(app, "acme")
    clock.advance(3000)
    token = buys_for_itself(own)

    revoke_tenant(app, "acme")

    for _ in range(4):
        clock.advance(800)
        app.test_cli_runner().invoke(args=["activepieces", "prune"])
        assert own.calls(token).status_code == 401


def test_a_tenant_that_is_back_connects_anew_by_its_own_client(app: Flask, bob: Person) -> None:
    """What was issued before the call is ended, and not what is issued afterwards."""
    own = Program.registered(app, "--tenant", "acme")
    own.connects(bob)
    revoke_tenant(app, "acme")

    pair = own.connects(bob)

    assert own.calls(pair["access_token"]).status_code == 200


def test_a_tenant_that_is_back_connects_anew_by_a_client_of_all(
    app: Flask, program: Program, bob: Person
) -> None:
    program.connects(bob)
    revoke_tenant(app, "acme")

    pair = program.connects(bob)

    assert program.calls(pair["access_token"]).status_code == 200
