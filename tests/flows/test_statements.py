"""What each operation asks of the database: the statements, counted, and the transactions that they run in.

The numbers are what lets the design promise the same cost for the first connection and for the millionth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.clock import StoppedClock
from tests.support.storage import statements_of


def words(statements: list[str]) -> list[str]:
    """The verb of each statement."""
    return [statement.split()[0] for statement in statements]


@pytest.fixture
def pair(program: Program, bob: Person) -> dict[str, Any]:
    return program.connects(bob)


def test_a_code_exchange_is_two_statements(app: Flask, program: Program, bob: Person) -> None:
    code = bob.allows(program.question())

    with statements_of(app) as statements:
        answer_of(program.redeems(code))

    assert words(statements) == ["SELECT", "INSERT", "COMMIT"]


@pytest.mark.parametrize("refreshed_before", [0, 3])
def test_a_refresh_is_two_statements(
    app: Flask, program: Program, pair: dict[str, Any], refreshed_before: int
) -> None:
    token = pair["refresh_token"]
    for _ in range(refreshed_before):
        token = answer_of(program.refreshes(token))["refresh_token"]

    with statements_of(app) as statements:
        answer_of(program.refreshes(token))

    assert words(statements) == ["SELECT", "UPDATE", "COMMIT"]


def test_a_lost_answer_is_repeated_by_one_look_up(
    app: Flask, program: Program, pair: dict[str, Any]
) -> None:
    program.refreshes(pair["refresh_token"])

    with statements_of(app) as statements:
        answer_of(program.refreshes(pair["refresh_token"]))

    assert words(statements) == ["SELECT"]


def test_a_forged_token_costs_one_look_up(
    app: Flask, program: Program, pair: dict[str, Any]
) -> None:
    with statements_of(app) as statements:
        program.refreshes(pair["refresh_token"] + "x")

    assert words(statements) == ["SELECT"]


def test_a_bearer_check_is_one_look_up_without_a_transaction(
    app: Flask, program: Program, pair: dict[str, Any]
) -> None:
    with statements_of(app) as statements:
        program.calls(pair["access_token"])

    assert words(statements) == ["SELECT"]


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Bearer a.b.c"])
def test_what_is_no_token_costs_nothing(app: Flask, authorization: str) -> None:
    with statements_of(app) as statements:
        app.test_client().get("/api/whoami", headers={"Authorization": authorization})

    assert statements == []


def test_an_expired_token_costs_nothing(
    app: Flask, program: Program, pair: dict[str, Any], clock: StoppedClock
) -> None:
    clock.advance(hours=1)

    with statements_of(app) as statements:
        program.calls(pair["access_token"])

    assert statements == []


def test_within_the_bound_of_staleness_a_bearer_check_asks_nothing(
    make_app: MakeApp, clock: StoppedClock
) -> None:
    app = make_app(ACTIVEPIECES_REVOCATION_MAX_STALENESS=30)
    program = Program.registered(app)
    token = program.connects(Person(app, "bob"))["access_token"]

    with statements_of(app) as first:
        program.calls(token)
    clock.advance(29)
    with statements_of(app) as within:
        for _ in range(5):
            program.calls(token)
    clock.advance(1)
    with statements_of(app) as after:
        for _ in range(5):
            program.calls(token)

    assert [words(statements) for statements in (first, within, after)] == [
        ["SELECT"],
        [],
        ["SELECT"],
    ]


def test_an_introspection_is_two_look_ups(
    app: Flask, program: Program, pair: dict[str, Any]
) -> None:
    for token in (pair["access_token"], pair["refresh_token"]):
        with statements_of(app) as statements:
            answer_of(program.introspects(token))

        assert words(statements) == ["SELECT", "SELECT"]


def test_a_clients_own_token_is_two_statements(app: Flask) -> None:
    own = Program.registered(app, "--client-credentials", "--tenant", "acme")

    for _ in range(2):
        with statements_of(app) as statements:
            answer_of(own.posts("/oauth/token", {"grant_type": "client_credentials"}))

        assert words(statements) == ["SELECT", "UPDATE", "COMMIT"]


def test_one_who_said_yes_before_costs_two_look_ups_and_no_write(
    app: Flask, trusted: Program, bob: Person
) -> None:
    bob.allows(trusted.question())

    with statements_of(app) as statements:
        assert brought_back(bob.opens(trusted.question()))["code"]

    assert words(statements) == ["SELECT", "SELECT"]


@pytest.mark.parametrize("path", ["/oauth/jwks.json", "/.well-known/oauth-authorization-server"])
def test_public_documents_cost_nothing(app: Flask, path: str) -> None:
    with statements_of(app) as statements:
        assert app.test_client().get(path).status_code == 200

    assert statements == []


def test_the_connected_apps_page_costs_the_same_for_one_app_and_for_many(
    app: Flask, bob: Person
) -> None:
    def cost() -> int:
        with statements_of(app) as statements:
            assert bob.sees("/oauth/connected-apps").status == 200
        return len(statements)

    Program.registered(app).connects(bob)
    one = cost()
    for _ in range(4):
        Program.registered(app).connects(bob)

    assert (one, cost()) == (2, 2)


#: How many statements it may take to end things, however many connections hang on them.
ENDINGS: list[tuple[str, Callable[[Flask, Program, Person], object], int]] = [
    (
        "a disconnection",
        lambda app, program, bob: bob.sends(bob.sees("/oauth/connected-apps").forms[0]),
        8,
    ),
    (
        "the deletion of a client",
        lambda app, program, bob: app.test_cli_runner().invoke(
            args=["activepieces", "client", "delete", program.client_id, "--yes"]
        ),
        6,
    ),
]


@pytest.mark.parametrize(("name", "end", "most"), ENDINGS, ids=[name for name, *_ in ENDINGS])
def test_an_end_costs_the_same_however_many_connections_there_are(
    app: Flask,
    bob: Person,
    name: str,
    end: Callable[[Flask, Program, Person], object],
    most: int,
) -> None:
    costs = []
    for connections in (1, 6):
        program = Program.registered(app)
        for _ in range(connections):
            program.connects(bob)
        with statements_of(app) as statements:
            end(app, program, bob)
        costs.append(len([statement for statement in statements if statement != "COMMIT"]))

    assert costs[0] == costs[1] <= most
