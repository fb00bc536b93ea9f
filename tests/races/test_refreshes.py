"""Parallel refreshes of one token leave one pair and nobody behind: Activepieces runs several workers."""

from __future__ import annotations

from tests.support.actors import answer_of
from tests.support.scenes import Scene, told
from tests.support.shots import refresh, revocation


def test_simultaneous_refreshes_of_one_token_all_get_the_same_pair(scene: Scene) -> None:
    program = scene.program()
    pair = scene.connect(program, scene.person())

    for generation in range(1, scene.rounds + 1):
        token = pair["refresh_token"]

        answers = scene.fire([refresh(program, token)] * scene.volley)

        assert told(answers) == {(200, None): scene.volley}
        pairs = {(answer.json["access_token"], answer.json["refresh_token"]) for answer in answers}
        assert len(pairs) == 1
        (family,) = scene.families(program)
        assert family["generation"] == generation
        assert family["previous_nonce"] == token.split(".")[2]
        pair = answers[0].json
        assert program.calls(pair["access_token"]).status_code == 200
    scene.assert_alive(program, pair)


def test_a_late_retry_still_gets_the_pair_that_the_race_gave(scene: Scene) -> None:
    program = scene.program()
    token = scene.connect(program, scene.person())["refresh_token"]
    answers = scene.fire([refresh(program, token)] * scene.volley)

    again = answer_of(program.refreshes(token))

    assert again["refresh_token"] == answers[0].json["refresh_token"]
    assert again["access_token"] == answers[0].json["access_token"]


def test_connections_of_one_user_refresh_at_the_same_time(scene: Scene) -> None:
    program, bob = scene.program(), scene.person()
    tokens = [scene.connect(program, bob)["refresh_token"] for _ in range(scene.volley)]

    answers = scene.fire([refresh(program, token) for token in tokens])

    assert told(answers) == {(200, None): scene.volley}
    for answer in answers:
        scene.assert_alive(program, answer.json)


def test_no_refresh_outlives_a_revocation_in_the_same_moment(scene: Scene) -> None:
    bob = scene.person()

    for _ in range(scene.rounds):
        program = scene.program()
        first = scene.connect(program, bob)
        token = first["refresh_token"]
        shots = [refresh(program, token)] * scene.volley
        shots[scene.volley // 4] = revocation(program, token)

        answers = scene.fire(shots)

        assert set(told(answers)) <= {(200, None), (400, "invalid_grant")}
        assert answers[scene.volley // 4].status == 200
        scene.assert_dead(program, first)
        for answer in answers:
            if "access_token" in answer.body:
                scene.assert_dead(program, answer.json)
        assert [family["revoked_at"] is None for family in scene.families(program)] == [False]
