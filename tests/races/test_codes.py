"""Concurrent redemptions of one code create one token family (RFC 6749 §4.1.2)."""

from __future__ import annotations

from tests.support.prepared_requests import redemption
from tests.support.race_environment import RaceEnvironment, count_outcomes
from tests.support.storage import rows_of


def test_exactly_one_of_many_simultaneous_redemptions_succeeds(environment: RaceEnvironment) -> None:
    bob = environment.person()

    for _ in range(environment.rounds):
        program = environment.program()
        code = environment.code(program, bob)

        answers = environment.send_together([redemption(program, code)] * environment.concurrency)

        assert count_outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): environment.concurrency - 1}
        (winner,) = [answer.json for answer in answers if answer.status == 200]
        (family,) = environment.families(program)
        assert winner["refresh_token"].startswith(family["id"] + ".")


def test_a_simultaneous_replay_revokes_the_issued_tokens(environment: RaceEnvironment) -> None:
    program = environment.program()
    code = environment.code(program, environment.person())

    answers = environment.send_together([redemption(program, code)] * environment.concurrency)

    (winner,) = [answer.json for answer in answers if answer.status == 200]
    (family,) = environment.families(program)
    assert family["revoked_at"] is not None
    subjects = [row["subject"] for row in rows_of(environment.app, "revocations")]
    assert subjects.count(f"family:{family['id']}") == 1
    environment.assert_dead(program, winner)


def test_codes_of_one_grant_can_be_redeemed_simultaneously(environment: RaceEnvironment) -> None:
    program, bob = environment.program(), environment.person()
    codes = [environment.code(program, bob) for _ in range(environment.concurrency)]

    answers = environment.send_together([redemption(program, code) for code in codes])

    assert count_outcomes(answers) == {(200, None): environment.concurrency}
    assert len(environment.families(program)) == environment.concurrency
    for answer in answers:
        environment.assert_alive(program, answer.json)
