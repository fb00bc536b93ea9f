"""Revocations win over concurrent requests."""

from __future__ import annotations

from typing import Any

from tests.support.actors import Person, Program
from tests.support.prepared_requests import (
    PreparedRequest,
    by_browser,
    call,
    redemption,
    refresh,
    revocation,
    submission,
)
from tests.support.race_environment import RaceEnvironment, count_outcomes
from tests.support.storage import rows_of

CLIENTS = "/api/integration/activepieces/oauth-clients"


def test_parallel_revocations_of_a_token_all_succeed(environment: RaceEnvironment) -> None:
    program = environment.program()
    pair = environment.connect(program, environment.person())
    tokens = [pair["refresh_token"], pair["access_token"]]

    answers = environment.send_together([revocation(program, tokens[n % 2]) for n in range(environment.concurrency)])

    assert {answer.status for answer in answers} == {200}
    environment.assert_dead(program, pair)
    (family,) = environment.families(program)
    subjects = [row["subject"] for row in rows_of(environment.app, "revocations")]
    assert subjects.count(f"family:{family['id']}") == 1


def test_no_token_survives_a_simultaneous_disconnect(environment: RaceEnvironment) -> None:
    bob = environment.person()

    for _ in range(environment.rounds):
        program = environment.program()
        pairs, prepared = mixed_requests(environment, program, bob, environment.concurrency // 2)
        prepared.insert(len(prepared) // 4, submission(bob, environment.disconnect_form(program, bob)))

        answers = environment.send_together(prepared)

        assert set(count_outcomes([answer for answer in answers if answer.status != 303])) <= {
            (200, None),
            (400, "invalid_grant"),
            (401, "invalid_token"),
        }
        assert [answer.status for answer in answers].count(303) == 1
        assert_all_dead(environment, program, pairs + issued_pairs(answers))


def test_no_token_survives_the_deletion_of_its_client(environment: RaceEnvironment) -> None:
    alice, bob = environment.person("alice"), environment.person("bob")

    for _ in range(environment.rounds):
        program = environment.program("--client-credentials")
        pairs, prepared = mixed_requests(environment, program, bob, environment.concurrency // 2)
        prepared.insert(len(prepared) // 4, by_browser(alice, "DELETE", f"{CLIENTS}/{program.client_id}"))
        prepared += [client_credentials_request(program)] * 5

        answers = environment.send_together(prepared)

        assert set(count_outcomes(answers)) <= {
            (200, None),
            (204, None),
            (400, "invalid_grant"),
            (401, "invalid_client"),
            (429, "invalid_client"),  # many attempts by a deleted client
            (401, "invalid_token"),
        }
        assert [answer.status for answer in answers].count(204) == 1
        assert_all_dead(environment, program, pairs + issued_pairs(answers))
        assert all(row["client_id"] != program.client_id for row in rows_of(environment.app, "grants"))


def test_no_approval_survives_the_deletion_of_its_client(environment: RaceEnvironment) -> None:
    alice, people = (environment.person("alice"), [environment.person(name) for name in ("alice", "bob")])
    engine = environment.app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})

    for _ in range(environment.rounds):
        program = environment.program()
        forms = [(person, person.sees(program.question(prompt="consent")).form("decision")) for person in people]
        prepared = [submission(person, form, decision="approve") for person, form in forms]
        prepared.insert(1, by_browser(alice, "DELETE", f"{CLIENTS}/{program.client_id}"))

        answers = environment.send_together(prepared)

        assert sorted(answer.status for answer in answers)[0] == 204
        assert {answer.status for answer in answers} <= {204, 303, 400, 404}
        if engine.get("isolation_level") != "REPEATABLE READ":
            # The deletion may miss a concurrent approval; its row grants no access.
            grants = rows_of(environment.app, "grants")
            assert all(row["client_id"] != program.client_id for row in grants)


def mixed_requests(
    environment: RaceEnvironment, program: Program, person: Person, number: int
) -> tuple[list[dict[str, Any]], list[PreparedRequest]]:
    """Existing token families, and a mix of redemptions, refreshes and API calls."""
    pairs = [environment.connect(program, person) for _ in range(4)]
    prepared = [refresh(program, pair["refresh_token"]) for pair in pairs]
    prepared += [call(pair["access_token"]) for pair in pairs]
    codes = [environment.code(program, person) for _ in range(number)]
    mixed = [redemption(program, code) for code in codes]
    for index, request in enumerate(prepared):
        mixed.insert(index * 3, request)
    return pairs, mixed


def client_credentials_request(program: Program) -> PreparedRequest:
    form = {"grant_type": "client_credentials", "client_id": program.client_id}
    return PreparedRequest("POST", "/oauth/token", form | {"client_secret": program.client_secret})


def issued_pairs(answers: list[Any]) -> list[dict[str, Any]]:
    return [answer.json for answer in answers if '"access_token"' in answer.body]


def assert_all_dead(environment: RaceEnvironment, program: Program, pairs: list[dict[str, Any]]) -> None:
    existing = {grant["id"] for grant in rows_of(environment.app, "grants")}
    for family in environment.families(program):
        # Revoked, or without its grant: either is enough, see families.COLUMNS.
        assert family["revoked_at"] is not None or family["grant_id"] not in existing
    for pair in pairs:
        environment.assert_dead(program, pair)
