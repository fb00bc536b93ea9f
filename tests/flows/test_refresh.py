"""Refreshing (RFC 6749 §6): rotation, lost responses and theft, as a client experiences them."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.storage import row_counts


@pytest.fixture
def first(program: Program, bob: Person) -> str:
    """The refresh token issued for a code."""
    token = program.connects(bob)["refresh_token"]
    assert isinstance(token, str)
    return token


def refresh(program: Program, token: str) -> str:
    successor = answer_of(program.refreshes(token))["refresh_token"]
    assert isinstance(successor, str)
    return successor


def test_a_refresh_gives_a_working_access_token_and_a_new_refresh_token(program: Program, first: str) -> None:
    pair = answer_of(program.refreshes(first))

    assert pair["refresh_token"] != first
    assert pair["token_type"] == "Bearer"
    assert pair["expires_in"] == 3600
    assert program.calls(pair["access_token"]).status_code == 200


def test_the_response_is_not_cached(program: Program, first: str) -> None:
    response = program.refreshes(first)

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"


#: The token that is sent, after how many seconds, and the outcome. RFC 9700 §4.14.2.
ROTATION_RULE = [
    ("the current token", 0, "rotates"),
    ("the current token", 89 * 86_400, "rotates"),
    ("the one before it", 0, "the same successor"),
    ("the one before it", 1, "the same successor"),
    ("the one before it", 90, "the same successor"),
    ("the one before it", 91, "a new successor"),
    ("the one before it", 3600, "a new successor"),
    ("the one before it", 7 * 86_400, "a new successor"),
    ("two before it", 0, "theft"),
    ("two before it", 3600, "theft"),
    ("three before it", 0, "theft"),
    ("a replaced one", 0, "theft"),
    ("a replaced one", 3600, "theft"),
]


@pytest.mark.parametrize(("sent", "seconds", "outcome"), ROTATION_RULE)
def test_the_rotation_rule(
    program: Program, clock: StoppedClock, first: str, sent: str, seconds: int, outcome: str
) -> None:
    second = refresh(program, first)
    third = refresh(program, second)
    fourth = refresh(program, third)
    if sent == "a replaced one":
        clock.advance(91)
        replaced, fourth = fourth, refresh(program, third)
    else:
        replaced = ""
    token = {
        "the current token": fourth,
        "the one before it": third,
        "two before it": second,
        "three before it": first,
        "a replaced one": replaced,
    }[sent]
    clock.advance(seconds)

    response = program.refreshes(token)

    if outcome == "theft":
        assert answer_of(response, 400)["error"] == "invalid_grant"
        assert answer_of(program.refreshes(fourth), 400)["error"] == "invalid_grant"
        return
    successor = answer_of(response)["refresh_token"]
    assert (successor == fourth) is (outcome == "the same successor")
    assert program.refreshes(successor).status_code == 200


def test_a_repeated_response_contains_the_same_tokens(program: Program, clock: StoppedClock, first: str) -> None:
    answer = answer_of(program.refreshes(first))
    clock.advance(20)

    again = answer_of(program.refreshes(first))

    assert again == answer | {"expires_in": 3580}


def test_theft_revokes_access_tokens_too(program: Program, first: str) -> None:
    second = answer_of(program.refreshes(first))
    third = answer_of(program.refreshes(second["refresh_token"]))

    program.refreshes(first)

    assert program.calls(second["access_token"]).status_code == 401
    assert program.calls(third["access_token"]).status_code == 401


def test_a_forged_token_changes_nothing(program: Program, first: str) -> None:
    family, generation, nonce, mac = first.split(".")
    forged = [
        f"{family}.{generation}.{nonce}.{mac[:-2]}AA",
        f"{family}.1.{nonce}.{mac}",
        f"{family}.{generation}.{'A' * 22}.{mac}",
        f"{'A' * 22}.{generation}.{nonce}.{mac}",
        f"{family}.{generation}.{nonce}",
        f"{family}.-1.{nonce}.{mac}",
        f"{family}.{'9' * 30}.{nonce}.{mac}",
        f"{first}.{mac}",
        "é.0.é.é",
        "...",
        "nonsense",
    ]

    for token in forged:
        assert answer_of(program.refreshes(token), 400)["error"] == "invalid_grant", token

    assert program.refreshes(first).status_code == 200


def test_another_clients_token_is_refused_and_stays_valid(app: Flask, program: Program, first: str) -> None:
    other = Program.registered(app)

    assert answer_of(other.refreshes(first), 400)["error"] == "invalid_grant"

    assert program.refreshes(first).status_code == 200


def test_a_used_token_sent_by_another_client_revokes_nothing(app: Flask, program: Program, first: str) -> None:
    """Otherwise any client could revoke other clients' token families."""
    other = Program.registered(app)
    second = refresh(program, first)
    third = refresh(program, second)

    assert answer_of(other.refreshes(first), 400)["error"] == "invalid_grant"

    assert program.refreshes(third).status_code == 200


def test_an_idle_token_family_expires(program: Program, clock: StoppedClock, first: str) -> None:
    clock.advance(days=89)
    second = refresh(program, first)
    clock.advance(days=90)

    assert answer_of(program.refreshes(second), 400)["error"] == "invalid_grant"


def test_a_refresh_may_narrow_the_scope_and_a_later_one_restore_it(program: Program, first: str) -> None:
    narrow = answer_of(program.refreshes(first, scope="profile:read"))
    full = answer_of(program.refreshes(narrow["refresh_token"]))

    assert narrow["scope"] == "profile:read"
    assert program.calls(narrow["access_token"], "/api/tasks", "POST").status_code == 403
    assert program.calls(full["access_token"], "/api/tasks", "POST").status_code == 201


def test_a_refresh_cannot_widen_its_scope_and_failing_to_changes_nothing(program: Program, bob: Person) -> None:
    code = bob.allows(program.question(), scope=["tasks:read"])
    token = answer_of(program.redeems(code))["refresh_token"]

    response = program.refreshes(token, scope="tasks:read tasks:write")

    assert answer_of(response, 400)["error"] == "invalid_scope"
    assert program.refreshes(token).status_code == 200


def test_unknown_parameters_are_ignored(program: Program, first: str) -> None:
    """Activepieces sends redirect_uri with a refresh."""
    response = program.refreshes(first, redirect_uri="https://other.test/", audience="x")

    assert response.status_code == 200


def test_refreshes_add_no_rows(app: Flask, program: Program, first: str) -> None:
    second = refresh(program, first)
    counts = row_counts(app)

    for _ in range(5):
        second = refresh(program, second)

    assert row_counts(app) == counts


def test_newer_tokens_stay_valid_after_a_restore_from_backup(app: Flask, program: Program, first: str) -> None:
    """The restored row lacks the newest generations; a client that sends them is not a thief."""
    from sqlalchemy import text

    from tests.support.storage import engine_of, rows_of

    (backup,) = rows_of(app, "token_families")
    third = refresh(program, refresh(program, first))
    with engine_of(app).begin() as conn:
        restored = {"nonce": backup["nonce"], "id": backup["id"]}
        conn.execute(
            text(
                "UPDATE activepieces_token_families SET generation = 0, nonce = :nonce,"
                " previous_nonce = NULL WHERE id = :id"
            ),
            restored,
        )

    fourth = refresh(program, third)

    assert program.refreshes(fourth).status_code == 200
