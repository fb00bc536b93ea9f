"""How token issues and refreshes are recorded, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support import hosts
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.databases import MARIADB, POSTGRES, SQLITE, Kind, fresh_database
from tests.support.storage import rows_of


@pytest.fixture(params=[SQLITE, POSTGRES, MARIADB])
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: StoppedClock) -> Iterator[Flask]:
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:
        app = hosts.make_app(tmp_path, database=url, clock=clock)
        try:
            yield app
        finally:
            hosts.dispose(app)


def test_a_family_counts_its_refreshes(app: Flask, program: Program, bob: Person) -> None:
    token = program.connects(bob)["refresh_token"]
    before = rows_of(app, "audit_events")
    for _ in range(3):
        token = answer_of(program.refreshes(token))["refresh_token"]

    (family,) = rows_of(app, "token_families")
    assert family["refresh_count"] == 3
    assert rows_of(app, "audit_events") == before


def test_a_request_that_changes_nothing_leaves_no_audit_row(app: Flask, program: Program, bob: Person) -> None:
    """The code's grant was revoked in the meantime."""
    code = bob.allows(program.question())
    bob.sends(bob.sees("/oauth/connected-apps").form_to("/disconnect"))
    before = rows_of(app, "audit_events")

    assert program.redeems(code).status_code == 400

    assert rows_of(app, "audit_events") == before
