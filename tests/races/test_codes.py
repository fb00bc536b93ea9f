"""A code buys one family, however many redeem it at once (RFC 6749 §4.1.2)."""

from __future__ import annotations

from tests.support.scenes import Scene, told
from tests.support.shots import redemption
from tests.support.storage import rows_of


def test_of_simultaneous_redemptions_exactly_one_wins(scene: Scene) -> None:
    bob = scene.person()

    for _ in range(scene.rounds):
        program = scene.program()
        code = scene.code(program, bob)

        answers = scene.fire([redemption(program, code)] * scene.volley)

        assert told(answers) == {(200, None): 1, (400, "invalid_grant"): scene.volley - 1}
        (won,) = [answer.json for answer in answers if answer.status == 200]
        (family,) = scene.families(program)
        assert won["refresh_token"].startswith(family["id"] + ".")


def test_a_replay_in_the_same_moment_takes_down_what_was_bought(scene: Scene) -> None:
    program = scene.program()
    code = scene.code(program, scene.person())

    answers = scene.fire([redemption(program, code)] * scene.volley)

    (won,) = [answer.json for answer in answers if answer.status == 200]
    (family,) = scene.families(program)
    assert family["revoked_at"] is not None
    subjects = [row["subject"] for row in rows_of(scene.app, "revocations")]
    assert subjects.count(f"family:{family['id']}") == 1
    scene.assert_dead(program, won)


def test_codes_of_one_grant_do_not_get_in_each_others_way(scene: Scene) -> None:
    program, bob = scene.program(), scene.person()
    codes = [scene.code(program, bob) for _ in range(scene.volley)]

    answers = scene.fire([redemption(program, code) for code in codes])

    assert told(answers) == {(200, None): scene.volley}
    assert len(scene.families(program)) == scene.volley
    for answer in answers:
        scene.assert_alive(program, answer.json)
