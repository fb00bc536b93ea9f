"""Admins change clients while these are at work, and while other admins do the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.support.actors import Person, Program
from tests.support.scenes import Scene, told
from tests.support.shots import Shot, by_browser, refresh, submission

CLIENTS = "/api/integration/activepieces/oauth-clients"


def test_no_request_fails_while_the_secret_is_rotated(scene: Scene) -> None:
    alice, program = scene.person("alice"), scene.program()
    token = scene.connect(program, scene.person())["refresh_token"]
    shots = [refresh(program, token)] * scene.volley
    shots[scene.volley // 4] = rotation(alice, program)

    answers = scene.fire(shots)

    assert told(answers) == {(200, None): scene.volley}
    renewed = replace(program, client_secret=answers[scene.volley // 4].json["client_secret"])
    shots = [refresh(program, token), refresh(renewed, token)] * (scene.volley // 2)
    assert set(told(scene.fire(shots))) == {(200, None)}


def test_of_two_simultaneous_rotations_neither_hands_out_a_dead_secret(scene: Scene) -> None:
    """Each admin sees a secret once: the two before are what a client has, whoever came first."""
    alice = scene.person("alice")

    for _ in range(scene.rounds * 3):
        program = scene.program()
        token = scene.connect(program, scene.person())["refresh_token"]

        answers = scene.fire([rotation(alice, program)] * 2)

        assert told(answers) == {(200, None): 2}
        for answer in answers:
            renewed = replace(program, client_secret=answer.json["client_secret"])
            assert renewed.refreshes(token).status_code == 200


def test_of_many_clicks_on_one_page_exactly_one_rotates(scene: Scene) -> None:
    alice = scene.person("alice")

    for _ in range(scene.rounds):
        program = scene.program()
        token = scene.connect(program, scene.person())["refresh_token"]
        form = alice.sees(f"/oauth/clients/{program.client_id}").form_to("/rotate")

        answers = scene.fire([submission(alice, form)] * scene.volley)

        statuses = Counter(answer.status for answer in answers)
        assert statuses == {303: 1, 422: scene.volley - 1}
        assert program.refreshes(token).status_code == 200


def test_of_two_simultaneous_changes_neither_undoes_the_other(scene: Scene) -> None:
    """Else a redirect URI that one admin takes away could come back with another's new name."""
    alice = scene.person("alice")

    for _ in range(scene.rounds * 3):
        program = scene.program()
        uris = ["https://program.test/new"]

        answers = scene.fire(
            [
                change(alice, program, {"name": "Renamed"}),
                change(alice, program, {"redirect_uris": uris}),
            ]
        )

        assert told(answers) == {(200, None): 2}
        shown = scene.ask(by_browser(alice, "GET", f"{CLIENTS}/{program.client_id}")).json
        assert (shown["name"], shown["redirect_uris"]) == ("Renamed", uris)


def rotation(admin: Person, program: Program) -> Shot:
    return by_browser(admin, "POST", f"{CLIENTS}/{program.client_id}/rotate")


def change(admin: Person, program: Program, values: dict[str, object]) -> Shot:
    return replace(by_browser(admin, "PATCH", f"{CLIENTS}/{program.client_id}"), json=values)
