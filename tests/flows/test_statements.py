"""The number of SQL statements and transactions of each operation.

The cost must be the same for the first token family and for the millionth.
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


def verbs(statements: list[str]) -> list[str]:
    """The verb of each statement."""
    return [statement.split()[0] for statement in statements]


@pytest.fixture
def pair(program: Program, bob: Person) -> dict[str, Any]:
    return program.connects(bob)


def test_a_code_exchange_is_two_statements(app: Flask, program: Program, bob: Person) -> None:
    code = bob.allows(program.question())

    with statements_of(app) as statements:
        answer_of(program.redeems(code))

    assert verbs(statements) == ["SELECT", "INSERT", "COMMIT"]


@pytest.mark.parametrize("refreshed_before", [0, 3])
def test_a_refresh_is_two_statements(
    app: Flask, program: Program, pair: dict[str, Any], refreshed_before: int
) -> None:
    token = pair["refresh_token"]
    for _ in range(refreshed_before):
        token = answer_of(program.refreshes(token))["refresh_token"]

    with statements_of(app) as statements:
        answer_of(program.refreshes(token))

    assert verbs(statements) == ["SELECT", "UPDATE", "COMMIT"]


def test_repeating_a_lost_response_is_one_query(app: Flask, program: Program, pair: dict[str, Any]) -> None:
    program.refreshes(pair["refresh_token"])

    with statements_of(app) as statements:
        answer_of(program.refreshes(pair["refresh_token"]))

    assert verbs(statements) == ["SELECT"]


def test_a_forged_token_costs_one_query(app: Flask, program: Program, pair: dict[str, Any]) -> None:
    with statements_of(app) as statements:
        program.refreshes(pair["refresh_token"] + "x")

    assert verbs(statements) == ["SELECT"]


def test_a_bearer_check_is_one_query_without_a_transaction(
    app: Flask, program: Program, pair: dict[str, Any]
) -> None:
    with statements_of(app) as statements:
        program.calls(pair["access_token"])

    assert verbs(statements) == ["SELECT"]


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Bearer a.b.c"])
def test_a_malformed_token_costs_no_statement(app: Flask, authorization: str) -> None:
    with statements_of(app) as statements:
        app.test_client().get("/api/whoami", headers={"Authorization": authorization})

    assert statements == []


def test_an_expired_token_costs_no_statement(
    app: Flask, program: Program, pair: dict[str, Any], clock: StoppedClock
) -> None:
    clock.advance(hours=1)

    with statements_of(app) as statements:
        program.calls(pair["access_token"])

    assert statements == []


def test_within_the_allowed_staleness_a_bearer_check_costs_no_statement(
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

    assert [verbs(statements) for statements in (first, within, after)] == [["SELECT"], [], ["SELECT"]]


def test_an_introspection_is_two_queries(app: Flask, program: Program, pair: dict[str, Any]) -> None:
    for token in (pair["access_token"], pair["refresh_token"]):
        with statements_of(app) as statements:
            answer_of(program.introspects(token))

        assert verbs(statements) == ["SELECT", "SELECT"]


def test_a_client_credentials_token_is_two_statements(app: Flask) -> None:
    client = Program.registered(app, "--client-credentials", "--tenant", "acme")

    for _ in range(2):
        with statements_of(app) as statements:
            answer_of(client.posts("/oauth/token", {"grant_type": "client_credentials"}))

        assert verbs(statements) == ["SELECT", "UPDATE", "COMMIT"]


def test_a_remembered_approval_costs_two_queries_and_no_write(app: Flask, trusted: Program, bob: Person) -> None:
    bob.allows(trusted.question())

    with statements_of(app) as statements:
        assert brought_back(bob.opens(trusted.question()))["code"]

    assert verbs(statements) == ["SELECT", "SELECT"]


@pytest.mark.parametrize("path", ["/oauth/jwks.json", "/.well-known/oauth-authorization-server"])
def test_public_documents_cost_no_statement(app: Flask, path: str) -> None:
    with statements_of(app) as statements:
        assert app.test_client().get(path).status_code == 200

    assert statements == []


def test_the_connected_apps_page_costs_the_same_for_one_app_and_for_many(app: Flask, bob: Person) -> None:
    def cost() -> int:
        with statements_of(app) as statements:
            assert bob.sees("/oauth/connected-apps").status == 200
        return len(statements)

    Program.registered(app).connects(bob)
    one = cost()
    for _ in range(4):
        Program.registered(app).connects(bob)

    # The apps, their connections, the flows that get events, and the personal access tokens.
    assert (one, cost()) == (4, 4)


#: The most statements that each revocation may take, however many token families it covers.
REVOCATIONS: list[tuple[str, Callable[[Flask, Program, Person], object], int]] = [
    ("a disconnection", lambda app, program, bob: bob.sends(bob.sees("/oauth/connected-apps").forms[0]), 10),
    (
        "the deletion of a client",
        lambda app, program, bob: app.test_cli_runner().invoke(
            args=["activepieces", "client", "delete", program.client_id, "--yes"]
        ),
        6,
    ),
]


@pytest.mark.parametrize(("name", "revoke", "limit"), REVOCATIONS, ids=[name for name, *_ in REVOCATIONS])
def test_a_revocation_costs_the_same_for_one_family_and_for_many(
    app: Flask, bob: Person, name: str, revoke: Callable[[Flask, Program, Person], object], limit: int
) -> None:
    costs = []
    for families in (1, 6):
        program = Program.registered(app)
        for _ in range(families):
            program.connects(bob)
        with statements_of(app) as statements:
            revoke(app, program, bob)
        costs.append(len([statement for statement in statements if statement != "COMMIT"]))

    assert costs[0] == costs[1] <= limit
