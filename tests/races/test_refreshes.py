"""Parallel refreshes of one token all return the same pair: Activepieces runs several workers."""

from __future__ import annotations

from tests.support.actors import answer_of
from tests.support.prepared_requests import refresh, revocation
from tests.support.race_environment import RaceEnvironment, count_outcomes


def test_simultaneous_refreshes_of_one_token_all_get_the_same_pair(environment: RaceEnvironment) -> None:
    program = environment.program()
    pair = environment.connect(program, environment.person())

    for generation in range(1, environment.rounds + 1):
        token = pair["refresh_token"]

        answers = environment.send_together([refresh(program, token)] * environment.concurrency)

        assert count_outcomes(answers) == {(200, None): environment.concurrency}
        pairs = {(answer.json["access_token"], answer.json["refresh_token"]) for answer in answers}
        assert len(pairs) == 1
        (family,) = environment.families(program)
        assert family["generation"] == generation
        assert family["previous_nonce"] == token.split(".")[2]
        pair = answers[0].json
        assert program.calls(pair["access_token"]).status_code == 200
    environment.assert_alive(program, pair)


def test_a_late_retry_gets_the_same_pair(environment: RaceEnvironment) -> None:
    program = environment.program()
    token = environment.connect(program, environment.person())["refresh_token"]
    answers = environment.send_together([refresh(program, token)] * environment.concurrency)

    again = answer_of(program.refreshes(token))

    assert again["refresh_token"] == answers[0].json["refresh_token"]
    assert again["access_token"] == answers[0].json["access_token"]


def test_token_families_of_one_user_refresh_at_the_same_time(environment: RaceEnvironment) -> None:
    program, bob = environment.program(), environment.person()
    tokens = [environment.connect(program, bob)["refresh_token"] for _ in range(environment.concurrency)]

    answers = environment.send_together([refresh(program, token) for token in tokens])

    assert count_outcomes(answers) == {(200, None): environment.concurrency}
    for answer in answers:
        environment.assert_alive(program, answer.json)


def test_no_refresh_survives_a_simultaneous_revocation(environment: RaceEnvironment) -> None:
    bob = environment.person()

    for _ in range(environment.rounds):
        program = environment.program()
        first = environment.connect(program, bob)
        token = first["refresh_token"]
        prepared = [refresh(program, token)] * environment.concurrency
        prepared[environment.concurrency // 4] = revocation(program, token)

        answers = environment.send_together(prepared)

        assert set(count_outcomes(answers)) <= {(200, None), (400, "invalid_grant")}
        assert answers[environment.concurrency // 4].status == 200
        environment.assert_dead(program, first)
        for answer in answers:
            if "access_token" in answer.body:
                environment.assert_dead(program, answer.json)
        assert [family["revoked_at"] is None for family in environment.families(program)] == [False]
