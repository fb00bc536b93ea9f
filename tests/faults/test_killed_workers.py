"""Redemption, refresh and disconnect are atomic, wherever their worker is killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces.storage import tables
from flask_activepieces.storage.tables import TABLE_PREFIX
from tests.support.actors import answer_of
from tests.support.prepared_requests import KILL_HEADER, PreparedRequest, redemption, refresh, submission
from tests.support.race_environment import RaceEnvironment
from tests.support.storage import engine_of, rows_of, statements_of


@dataclass(frozen=True)
class Moment:
    """When a worker dies, and whether its work is committed by then."""

    name: str
    is_committed: bool


def test_a_code_whose_redemption_was_killed_is_valid_unless_committed(environment: RaceEnvironment) -> None:
    program, bob = environment.program(), environment.person()
    moments = moments_of(environment.app, program.redeems, environment.code(program, bob))

    for moment in moments:
        code = environment.code(program, bob)
        before = all_rows(environment.app)

        kill_during(environment, redemption(program, code), moment)

        if not moment.is_committed:
            assert all_rows(environment.app) == before, moment
            environment.assert_alive(program, answer_of(program.redeems(code)))
        else:
            # A second redemption revokes the tokens of the lost response.
            assert answer_of(program.redeems(code), 400)["error"] == "invalid_grant"
            existing = [row["id"] for row in before["token_families"]]
            (new,) = [row for row in environment.families(program) if row["id"] not in existing]
            assert new["revoked_at"] is not None


def test_a_token_whose_refresh_was_killed_stays_valid(environment: RaceEnvironment) -> None:
    program, bob = environment.program(), environment.person()
    first = environment.connect(program, bob)
    moments = moments_of(environment.app, program.refreshes, first["refresh_token"])

    for moment in moments:
        pair = environment.connect(program, bob)
        for _ in range(2):  # the first refresh of a family writes different rows than the second
            before = all_rows(environment.app)

            kill_during(environment, refresh(program, pair["refresh_token"]), moment)

            assert (all_rows(environment.app) != before) is moment.is_committed, moment
            pair = environment.assert_alive(program, pair)


def test_a_killed_disconnect_revokes_all_or_nothing(environment: RaceEnvironment) -> None:
    program, bob = environment.program(), environment.person()
    environment.connect(program, bob)
    moments = moments_of(environment.app, bob.sends, environment.disconnect_form(program, bob))

    for moment in moments:
        pair = environment.connect(program, bob)
        before = all_rows(environment.app)

        kill_during(environment, submission(bob, environment.disconnect_form(program, bob)), moment)

        if not moment.is_committed:
            assert all_rows(environment.app) == before, moment
            environment.assert_alive(program, pair)
        else:
            environment.assert_dead(program, pair)


def moments_of(app: Flask, act: Callable[..., TestResponse], *arguments: Any) -> list[Moment]:
    """Every moment at which a worker can die in this operation: around its statements and its commit."""
    with statements_of(app) as statements:
        assert act(*arguments).status_code < 400
    assert statements.pop() == "COMMIT"
    numbers = range(1, len(statements) + 1)
    around = [f"{when} statement {n}" for n in numbers for when in ("before", "after")]
    names = [*around, "before commit", "after commit"]
    writes = [statement for statement in statements if not statement.startswith("SELECT")]
    # On PostgreSQL a single write commits itself.
    commits_itself = engine_of(app).dialect.name == "postgresql" and len(writes) == 1
    first = names.index(around[-1] if commits_itself else "after commit")
    return [Moment(name, index >= first) for index, name in enumerate(names)]


def kill_during(environment: RaceEnvironment, request: PreparedRequest, moment: Moment) -> None:
    answer = environment.ask(replace(request, headers={**request.headers, KILL_HEADER: moment.name}))
    assert answer.status == 0, f"no worker was killed {moment.name}: {answer}"


def all_rows(app: Flask) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    names = [table.name.removeprefix(TABLE_PREFIX) for table in tables.metadata.sorted_tables]
    return {name: sorted(rows_of(app, name), key=repr) for name in names}
