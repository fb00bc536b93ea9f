"""Interleaved transactions: a commit between two statements of another transaction takes effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from flask_activepieces.oauth.tokens import families
from flask_activepieces.oauth.tokens.refresh_tokens import REPEAT_WINDOW
from flask_activepieces.state import get_state
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of, s256
from tests.support.clock import StoppedClock
from tests.support.databases import Kind, fresh_database
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.storage import engine_of, rows_of


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: StoppedClock) -> Iterator[Flask]:
    """The small host, on each database."""
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:
        app = hosts.make_app(tmp_path, database=url, clock=clock)
        try:
            yield app
        finally:
            hosts.dispose(app)


@contextmanager
def run_before(app: Flask, fragment: str, act: Callable[[], object]) -> Iterator[None]:
    """Run an action once, on another connection, before the first statement that contains the fragment."""
    calls: list[bool] = []

    def interrupt(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if fragment in statement and not calls:
            calls.append(True)
            act()

    engine = engine_of(app)
    event.listen(engine, "before_cursor_execute", interrupt)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", interrupt)
    assert calls, f"no statement contained {fragment}"


def test_a_refresh_interleaved_with_a_revocation_is_refused(app: Flask, program: Program, bob: Person) -> None:
    """The refresh has read an active family; its UPDATE must notice that it was revoked since."""
    token = program.connects(bob)["refresh_token"]

    with run_before(app, "UPDATE activepieces_token_families", lambda: program.revokes(token)):
        refused = program.refreshes(token)

    assert_oauth_error(refused, 400, "invalid_grant")
    (family,) = rows_of(app, "token_families")
    assert family["generation"] == 0
    assert family["revoked_at"] is not None


def test_two_interleaved_late_retries_get_the_same_successor(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    """Otherwise the second would replace the token given to the first, whose next use would count as theft."""
    token = program.connects(bob)["refresh_token"]
    answer_of(program.refreshes(token))
    clock.advance(REPEAT_WINDOW + 1)
    retried: list[str] = []

    def retry() -> None:
        retried.append(answer_of(program.refreshes(token))["refresh_token"])

    with run_before(app, "UPDATE activepieces_token_families", retry):
        second = answer_of(program.refreshes(token))["refresh_token"]

    assert retried == [second]
    assert program.refreshes(second).status_code == 200


def test_a_family_without_its_grant_is_inactive_even_if_its_row_is_not_revoked(
    app: Flask, program: Program, bob: Person
) -> None:
    """At REPEATABLE READ, a transaction that did not see the family may have deleted the grant."""
    token = program.connects(bob)["refresh_token"]
    with engine_of(app).begin() as conn:
        conn.execute(text("DELETE FROM activepieces_grants"))

    assert answer_of(program.introspects(token)) == {"active": False}
    assert_oauth_error(program.refreshes(token), 400, "invalid_grant")


def test_a_family_can_only_be_revoked_for_its_own_client(app: Flask, program: Program, bob: Person) -> None:
    token = program.connects(bob)["refresh_token"]
    (family,) = rows_of(app, "token_families")
    with app.app_context():
        revoked = get_state().database.run_in_transaction(
            lambda transaction: families.revoke(
                transaction, family["id"], client_id="another", now=family["created_at"]
            )
        )

    assert not revoked
    assert program.refreshes(token).status_code == 200


def test_a_redemption_interleaved_with_a_disconnection_is_refused(app: Flask, program: Program, bob: Person) -> None:
    code = bob.allows(program.question())
    form = bob.sees("/oauth/connected-apps").form_to("/disconnect")

    with run_before(app, "INTO activepieces_token_families", lambda: bob.sends(form)):
        refused = program.redeems(code)

    assert_oauth_error(refused, 400, "invalid_grant")
    assert rows_of(app, "token_families") == []


@pytest.mark.parametrize("other", ["tenant", "client"])
def test_a_code_for_a_grant_of_another_tenant_or_client_is_refused(
    app: Flask, program: Program, bob: Person, other: str
) -> None:
    """The grant of a code is looked up with its tenant and its client."""
    program.connects(bob)
    (grant,) = rows_of(app, "grants")
    client = Program.registered(app) if other == "client" else program
    with app.app_context():
        state = get_state()
        code = state.code_issuer.issue(
            replace(
                state.grants.search(id=grant["id"])[0],
                client_id=client.client_id,
                tenant_id="globex" if other == "tenant" else "acme",
            ),
            ["tasks:read"],
            issuer="http://localhost",
            redirect_uri=client.redirect_uri,
            code_challenge=s256(client.verifier),
        )

    with assert_nothing_stored(app):
        assert_oauth_error(client.redeems(code), 400, "invalid_grant")
