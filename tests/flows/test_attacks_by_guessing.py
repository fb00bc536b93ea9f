"""Guessing secrets, codes and tokens is rate limited, stores nothing and does not affect other clients."""

from __future__ import annotations

import base64
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from flask_activepieces.crypto import keyring as signing
from tests.conftest import MakeApp
from tests.support.actors import Parameters, Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.requirements import require
from tests.support.storage import statements_of

#: The failures per minute that are answered as usual.
MAX_FAILURES = 20

Attempt = Callable[[str], TestResponse]


def assert_refused(response: TestResponse, status: int, error: str) -> None:
    assert_oauth_error(response, status, error)
    if status == 429:
        assert int(response.headers["Retry-After"]) > 0
    else:
        assert "Retry-After" not in response.headers


def assert_rate_limited(attempt: Attempt, status: int, error: str) -> None:
    for number in range(MAX_FAILURES + 5):
        assert_refused(attempt(f"guess-{number}"), status if number < MAX_FAILURES else 429, error)


def test_guesses_at_a_secret_are_rate_limited(app: Flask, program: Program) -> None:
    with assert_nothing_stored(app):
        for number in range(1000):
            response = program.introspects("x", client_secret=f"fas_{number:064}")
            assert_refused(response, 401 if number < MAX_FAILURES else 429, "invalid_client")
        assert answer_of(program.introspects("x")) == {"active": False}, "the valid secret still works"


#: Texts that the source once compared in place of a secret that is not there, and others like them.
PLACEHOLDERS = ["the secret of no client", "the token of no registration", "", "-", "-" * 64, "0" * 64, "None"]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_the_placeholder_for_a_missing_secret_is_no_secret(app: Flask, program: Program, placeholder: str) -> None:
    """A client that never rotated has no previous secret. What stands for it is in our source, which anyone reads."""
    attacker = Program(app, program.client_id, placeholder)

    with assert_nothing_stored(app):
        assert_oauth_error(attacker.introspects("x"), 401, "invalid_client")


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_every_endpoint_counts_failures(app: Flask, program: Program, path: str) -> None:
    def attempt(guess: str) -> TestResponse:
        form: Parameters = {"grant_type": "refresh_token", "token": "x", "client_secret": guess}
        return program.posts(f"/oauth/{path}", form)

    with assert_nothing_stored(app):
        assert_rate_limited(attempt, 401, "invalid_client")


def test_guesses_at_tokens_of_a_public_client_are_counted(app: Flask) -> None:
    """Anyone can impersonate a public client."""
    public, other = (Program.registered(app, "--public") for _ in range(2))
    with assert_nothing_stored(app):
        assert_rate_limited(lambda guess: public.redeems(f"v1.{guess}.x"), 400, "invalid_grant")
        assert_rate_limited(lambda guess: other.refreshes(f"{guess}.0.b.c"), 400, "invalid_grant")


def test_invalid_tokens_from_an_authenticated_client_are_not_counted(
    app: Flask, program: Program, bob: Person
) -> None:
    """The tokens belong to many users, who must not affect each other."""
    with assert_nothing_stored(app):
        for number in range(MAX_FAILURES + 5):
            assert_refused(program.redeems(f"v1.guess-{number}.x"), 400, "invalid_grant")
            assert_refused(program.refreshes(f"guess-{number}.0.b.c"), 400, "invalid_grant")
    forged = program.connects(bob)["refresh_token"][:-4] + "AAAA"
    for _ in range(MAX_FAILURES + 5):
        assert_refused(program.refreshes(forged), 400, "invalid_grant")


def test_guesses_at_an_unknown_client_are_counted(app: Flask, program: Program) -> None:
    with assert_nothing_stored(app):
        assert_rate_limited(
            lambda guess: program.introspects("x", client_id="unknown", client_secret=guess), 401, "invalid_client"
        )


def test_honest_mistakes_are_not_counted(app: Flask, program: Program, bob: Person) -> None:
    """A worker that repeats a wrong verifier or an unknown grant type is not guessing secrets."""
    code = bob.allows(program.question())

    for _ in range(MAX_FAILURES + 5):
        assert program.redeems(code, code_verifier="a" * 43).status_code == 400
        assert program.redeems(code, grant_type="password").status_code == 400
    assert program.redeems(code).status_code == 200


def test_the_limit_resets_after_a_minute(program: Program, clock: StoppedClock) -> None:
    for _ in range(MAX_FAILURES + 1):
        response = program.introspects("x", client_secret="wrong")
    assert response.status_code == 429

    clock.advance(60)

    assert program.introspects("x", client_secret="wrong").status_code == 401


def test_without_redis_each_process_has_its_own_limit(make_app: MakeApp) -> None:
    program = Program.registered(make_app())
    another_process = make_app(tables=False)
    for _ in range(MAX_FAILURES + 1):
        response = program.introspects("x", client_secret="wrong")
    assert response.status_code == 429

    program.app = another_process

    assert program.introspects("x", client_secret="wrong").status_code == 401


def test_the_limit_applies_per_client_and_address(app: Flask, program: Program, bob: Person) -> None:
    """All requests from Activepieces' cloud come from one address."""
    other = Program.registered(app)
    tokens = program.connects(bob)
    for _ in range(MAX_FAILURES + 5):
        program.introspects("x", client_secret="wrong")

    other_client = other.introspects("x", client_secret="wrong")
    other_address = program.posts(
        "/oauth/introspect", {"token": "x", "client_secret": "wrong"}, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}
    )

    assert other_client.status_code == 401
    assert other_address.status_code == 401
    assert program.refreshes(tokens["refresh_token"]).status_code == 200


def test_another_spelling_of_the_client_id_has_the_same_limit(app: Flask, program: Program) -> None:
    """A Basic header is form-decoded, so one id has many spellings."""

    def attempt(guess: str) -> TestResponse:
        index = int(guess.partition("-")[2])
        letter = program.client_id[index]
        spelling = program.client_id[:index] + f"%{ord(letter):02x}" + program.client_id[index + 1 :]
        header = base64.b64encode(f"{spelling}:{guess}".encode()).decode()
        return app.test_client().post(
            "/oauth/introspect", data={"token": "x"}, headers={"Authorization": f"Basic {header}"}
        )

    assert_rate_limited(attempt, 401, "invalid_client")


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "192.0.2.{}"},
        {"Forwarded": "for=192.0.2.{}"},
        {"X-Real-IP": "192.0.2.{}"},
        {"Client-IP": "192.0.2.{}"},
    ],
    ids=lambda header: next(iter(header)),
)
def test_a_forged_address_does_not_reset_the_limit(program: Program, header: dict[str, str]) -> None:
    def attempt(guess: str) -> TestResponse:
        ((name, value),) = header.items()
        headers = {name: value.format(guess.partition("-")[2])}
        form: Parameters = {"token": "x", "client_secret": guess}
        return program.posts("/oauth/introspect", form, headers=headers)

    assert_rate_limited(attempt, 401, "invalid_client")


@pytest.mark.redis
def test_with_redis_workers_share_one_limit(make_app: MakeApp) -> None:
    url = require("redis")
    program = Program.registered(make_app(ACTIVEPIECES_REDIS_URL=url))
    another_worker = make_app(ACTIVEPIECES_REDIS_URL=url)
    guess: Parameters = {"token": "x", "client_secret": "wrong"}

    for _ in range(MAX_FAILURES):
        program.posts("/oauth/introspect", guess)
    program.app = another_worker

    assert program.posts("/oauth/introspect", guess).status_code == 429


def count_signing_calls(act: Callable[[], Any]) -> Counter[str]:
    """How often each function of the signing module ran."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename == signing.__file__:
            calls[frame.f_code.co_name] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return calls


def test_an_unknown_client_takes_the_same_work_as_a_known_one(app: Flask, program: Program) -> None:
    """The same statements and the same hashes: neither reveals whether a client exists."""
    program.introspects("x")  # warm up: some work is done only once
    unknown = "0" * 32

    with statements_of(app) as for_known:
        known_work = count_signing_calls(lambda: program.introspects("x", client_secret="fas_wrong"))
    with statements_of(app) as for_unknown:
        unknown_work = count_signing_calls(
            lambda: program.introspects("x", client_id=unknown, client_secret="fas_wrong")
        )

    assert for_unknown == for_known
    assert unknown_work == known_work


def test_the_new_secret_and_the_old_one_take_the_same_work(app: Flask, program: Program) -> None:
    old = program.client_secret
    result = app.test_cli_runner().invoke(args=["activepieces", "client", "rotate", program.client_id])
    new = result.stdout.split("client_secret")[1].split()[0]
    program.introspects("x")

    work = [
        count_signing_calls(lambda: program.introspects("x", client_secret=secret))  # noqa: B023
        for secret in (old, new)
    ]

    assert work[0] == work[1]
    assert work[0]["constant_time_equal"] == 2


def test_secrets_and_signatures_are_compared_in_constant_time() -> None:
    """Only `hmac.compare_digest` decides: see `signing.constant_time_equal` and `KeyRing.verify`."""
    ring = signing.KeyRing(["a key that is long enough"])
    signature = ring.sign("purpose", b"message")
    names: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "c_call":
            names.append(getattr(argument, "__name__", ""))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        ring.verify("purpose", b"message", signature)
        signing.constant_time_equal("a", "b")
    finally:
        sys.setprofile(before)

    assert names.count("compare_digest") == 2
