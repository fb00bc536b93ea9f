"""Admins change clients that are in use, concurrently with other admins."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tests.support.actors import Person, Program
from tests.support.prepared_requests import PreparedRequest, by_browser, refresh, submission
from tests.support.race_environment import RaceEnvironment, count_outcomes

CLIENTS = "/api/integration/activepieces/oauth-clients"


def test_no_request_fails_while_the_secret_is_rotated(environment: RaceEnvironment) -> None:
    alice, program = environment.person("alice"), environment.program()
    token = environment.connect(program, environment.person())["refresh_token"]
    prepared = [refresh(program, token)] * environment.concurrency
    prepared[environment.concurrency // 4] = rotation(alice, program)

    answers = environment.send_together(prepared)

    assert count_outcomes(answers) == {(200, None): environment.concurrency}
    with_new_secret = replace(program, client_secret=answers[environment.concurrency // 4].json["client_secret"])
    prepared = [refresh(program, token), refresh(with_new_secret, token)] * (environment.concurrency // 2)
    assert set(count_outcomes(environment.send_together(prepared))) == {(200, None)}


def test_two_simultaneous_rotations_both_return_a_valid_secret(environment: RaceEnvironment) -> None:
    """Each admin sees a new secret once; the two latest are valid."""
    alice = environment.person("alice")

    for _ in range(environment.rounds * 3):
        program = environment.program()
        token = environment.connect(program, environment.person())["refresh_token"]

        answers = environment.send_together([rotation(alice, program)] * 2)

        assert count_outcomes(answers) == {(200, None): 2}
        for answer in answers:
            with_new_secret = replace(program, client_secret=answer.json["client_secret"])
            assert with_new_secret.refreshes(token).status_code == 200


def test_many_simultaneous_clicks_rotate_once(environment: RaceEnvironment) -> None:
    alice = environment.person("alice")

    for _ in range(environment.rounds):
        program = environment.program()
        token = environment.connect(program, environment.person())["refresh_token"]
        form = alice.sees(f"/automation/clients/{program.client_id}").form_to("/rotate")

        answers = environment.send_together([submission(alice, form)] * environment.concurrency)

        statuses = Counter(answer.status for answer in answers)
        assert statuses == {303: 1, 422: environment.concurrency - 1}
        assert program.refreshes(token).status_code == 200


def test_two_simultaneous_changes_both_take_effect(environment: RaceEnvironment) -> None:
    """Otherwise a redirect URI that one admin removes could come back when another renames the client."""
    alice = environment.person("alice")

    for _ in range(environment.rounds * 3):
        program = environment.program()
        uris = ["https://program.test/new"]

        answers = environment.send_together(
            [change(alice, program, {"name": "Renamed"}), change(alice, program, {"redirect_uris": uris})]
        )

        assert count_outcomes(answers) == {(200, None): 2}
        client = environment.ask(by_browser(alice, "GET", f"{CLIENTS}/{program.client_id}")).json
        assert (client["name"], client["redirect_uris"]) == ("Renamed", uris)


def rotation(admin: Person, program: Program) -> PreparedRequest:
    return by_browser(admin, "POST", f"{CLIENTS}/{program.client_id}/rotate")


def change(admin: Person, program: Program, values: dict[str, object]) -> PreparedRequest:
    return replace(by_browser(admin, "PATCH", f"{CLIENTS}/{program.client_id}"), json=values)
