"""Attacks on the token endpoint: PKCE left out, scopes widened, parameters repeated."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.support.actors import CALLBACK, Parameters, Person, Program, answer_of, s256
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.hosts import ALL_SCOPES

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def code(program: Program, bob: Person) -> str:
    """What bob's yes is worth."""
    return bob.allows(program.question())


DOWNGRADES: list[tuple[Parameters, str]] = [
    ({"code_verifier": None}, "invalid_request"),
    ({"code_verifier": ""}, "invalid_request"),
    ({"code_verifier": None, "code_challenge_method": "plain"}, "invalid_request"),
    ({"code_verifier": "the challenge"}, "invalid_grant"),
    ({"code_verifier": "the challenge", "code_challenge_method": "plain"}, "invalid_grant"),
    ({"code_verifier": "the challenge", "code_challenge": "the challenge"}, "invalid_grant"),
]


def test_pkce_cannot_be_left_out_or_made_plain_at_the_token_endpoint(
    app: Flask, program: Program, code: str
) -> None:
    challenge = s256(program.verifier)

    with assert_nothing_stored(app):
        for changes, error in DOWNGRADES:
            sent = {
                name: challenge if value == "the challenge" else value
                for name, value in changes.items()
            }
            assert_oauth_error(program.redeems(code, **sent), 400, error)


@pytest.fixture
def lax(app: Flask) -> Program:
    """A client that may do without PKCE."""
    return Program.registered(app, "--no-pkce")


def test_pkce_once_begun_must_be_ended_also_by_a_client_that_need_not_begin_it(
    app: Flask, lax: Program, bob: Person
) -> None:
    """RFC 9700 §2.1.1: the attacker drops the verifier, not the challenge."""
    code = bob.allows(lax.question())

    with assert_nothing_stored(app):
        assert_oauth_error(lax.redeems(code, code_verifier=None), 400, "invalid_request")


def test_a_verifier_where_there_was_no_challenge_is_refused(
    app: Flask, lax: Program, bob: Person
) -> None:
    """RFC 9700 §4.8.2: the attacker dropped the challenge from the victim's request."""
    code = bob.allows(lax.question(code_challenge=None, code_challenge_method=None))

    with assert_nothing_stored(app):
        assert_oauth_error(lax.redeems(code), 400, "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "none"},
        {"code_challenge": None},
        {"code_challenge": "short"},
        {"code_challenge": "A" * 128},
        {"code_challenge": "é" * 43},
    ],
)
def test_a_weak_challenge_makes_no_code_also_for_a_lax_client(
    app: Flask, lax: Program, bob: Person, changes: dict[str, str | None]
) -> None:
    bob.answers(lax.question())

    with assert_nothing_stored(app):
        response = bob.opens(lax.question(**changes))

    assert "error=invalid_request" in response.location
    assert "code=" not in response.location


def test_an_exchange_decides_nothing_that_the_user_decided(program: Program, bob: Person) -> None:
    """What the token request says of scope, user or tenant is not heard."""
    code = bob.allows(program.question(scope="tasks:read"))

    tokens = answer_of(
        program.redeems(
            code,
            scope=ALL_SCOPES,
            user_id="alice",
            sub="alice",
            tenant_id="globex",
            organization_id="x",
            audience="https://evil.test",
            expires_in="999999",
        )
    )
    told = answer_of(program.introspects(tokens["access_token"]))

    assert told["scope"] == "tasks:read"
    assert (told["sub"], told["tenant_id"]) == ("bob", "acme")
    assert told["aud"] == "http://localhost"
    assert tokens["expires_in"] == 3600
    assert "organization_id" not in told


def test_no_refresh_widens_what_the_user_allowed(app: Flask, program: Program, bob: Person) -> None:
    code = bob.allows(program.question(), scope=["tasks:read"])
    token = answer_of(program.redeems(code))["refresh_token"]
    wider = [
        ALL_SCOPES,
        "tasks:write",
        "tasks:read tasks:write",
        "tasks:read admin",
        "*",
        "TASKS:READ",
    ]

    with assert_nothing_stored(app):
        for scope in wider:
            assert_oauth_error(program.refreshes(token, scope=scope), 400, "invalid_scope")

    narrower: list[str | None] = [None, "", " ", "tasks:read tasks:read"]
    for less in narrower:
        token, granted = refreshed(program, token, less)
        assert set(granted.split()) <= {"profile:read", "tasks:read"}


def refreshed(program: Program, token: str, scope: str | None) -> tuple[str, str]:
    answer = answer_of(program.refreshes(token, scope=scope))
    return answer["refresh_token"], answer["scope"]


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_no_parameter_may_stand_twice(app: Flask, program: Program, code: str, path: str) -> None:
    """RFC 6749 §3.2."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": program.verifier,
        "client_id": program.client_id,
        "client_secret": program.client_secret,
        "token": code,
        "token_type_hint": "access_token",
        "unknown": "x",
    }

    with assert_nothing_stored(app):
        for name, value in form.items():
            for second in (value, "", "another"):
                for pairs in ([*form.items(), (name, second)], [(name, second), *form.items()]):
                    response = app.test_client().post(
                        f"/oauth/{path}", data=urlencode(pairs), content_type=FORM
                    )
                    assert_oauth_error(response, 400, "invalid_request")
