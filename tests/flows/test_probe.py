"""The route for the doctor's own request: only whoever has the secret keys gets an answer."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_activepieces.crypto.keyring import KeyRing
from flask_activepieces.state import get_state
from flask_activepieces.web.oauth.probe import probe_ticket
from tests.support.actors import Person, answer_of
from tests.support.clock import StoppedClock

PATH = "/oauth/probe"


@pytest.fixture
def ticket(app: Flask) -> str:
    return probe_ticket(get_state(app))


def test_the_answer_describes_the_request(stranger: Person, ticket: str) -> None:
    answer = stranger.browser.get(
        PATH, query_string={"ticket": ticket}, headers={"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    )

    assert answer_of(answer) == {
        "root_url": "http://localhost/",
        "remote_addr": "127.0.0.1",
        "forwarded_for": ["192.0.2.1"],
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_attack_without_a_ticket(stranger: Person) -> None:
    assert stranger.opens(PATH).status_code == 404


@pytest.mark.parametrize("forged", ["", "v1.e30.x", "ü", "v1..", "null"])
def test_attack_with_a_forged_ticket(stranger: Person, forged: str) -> None:
    assert stranger.browser.get(PATH, query_string={"ticket": forged}).status_code == 404


def test_attack_with_a_ticket_for_another_purpose(app: Flask, stranger: Person) -> None:
    keys = get_state(app).settings.secret_keys
    ticket = keys.sign_json("pending request", {"exp": get_state(app).now() + 60})

    assert stranger.browser.get(PATH, query_string={"ticket": ticket}).status_code == 404


def test_attack_with_a_ticket_of_other_keys(app: Flask, stranger: Person) -> None:
    ticket = KeyRing(["another key"]).sign_json("doctor's probe", {"exp": get_state(app).now() + 60})

    assert stranger.browser.get(PATH, query_string={"ticket": ticket}).status_code == 404


def test_a_ticket_is_valid_for_a_minute(stranger: Person, ticket: str, clock: StoppedClock) -> None:
    clock.advance(59)
    assert stranger.browser.get(PATH, query_string={"ticket": ticket}).status_code == 200

    clock.advance(1)

    assert stranger.browser.get(PATH, query_string={"ticket": ticket}).status_code == 404
