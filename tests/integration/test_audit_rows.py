"""What the audit holds of a connection's life, on each database: PostgreSQL writes it in other statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from flask_activepieces.models import AuditEventRow
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.databases import MARIADB, POSTGRES, SQLITE, Kind, fresh_database
from tests.support.storage import engine_of, rows_of


@pytest.fixture(params=[SQLITE, POSTGRES, MARIADB])
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: StoppedClock) -> Iterator[Flask]:
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:
        app = hosts.make_app(tmp_path, database=url, clock=clock)
        try:
            yield app
        finally:
            hosts.dispose(app)


def counts(app: Flask) -> dict[str, int]:
    return {row["name"]: row["times"] for row in rows_of(app, "audit_events")}


def test_refreshes_share_a_row(app: Flask, program: Program, bob: Person) -> None:
    token = program.connects(bob)["refresh_token"]
    for _ in range(3):
        token = answer_of(program.refreshes(token))["refresh_token"]

    counted = counts(app)

    assert (counted["token.issued"], counted["token.refreshed"]) == (1, 3)


def test_a_pruned_row_is_followed_by_a_new_one(app: Flask, program: Program, bob: Person) -> None:
    """As when a connection was idle for longer than the audit is kept."""
    token = answer_of(program.refreshes(program.connects(bob)["refresh_token"]))["refresh_token"]
    with engine_of(app).begin() as connection:
        connection.execute(delete(AuditEventRow))

    for _ in range(2):
        token = answer_of(program.refreshes(token))["refresh_token"]

    assert counts(app) == {"token.refreshed": 2}


def test_what_changes_nothing_leaves_no_row(app: Flask, program: Program, bob: Person) -> None:
    """A code whose permission was taken back meanwhile."""
    code = bob.allows(program.question())
    bob.sends(bob.sees("/oauth/connected-apps").form_to("/disconnect"))
    before = rows_of(app, "audit_events")

    assert program.redeems(code).status_code == 400

    assert rows_of(app, "audit_events") == before
