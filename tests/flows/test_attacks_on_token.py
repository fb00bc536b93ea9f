"""Attacks on the token endpoint: missing PKCE, wider scopes, repeated parameters."""

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
    """The code that Bob's approval returns."""
    return bob.allows(program.question())


DOWNGRADES: list[tuple[Parameters, str]] = [
    ({"code_verifier": None}, "invalid_request"),
    ({"code_verifier": ""}, "invalid_request"),
    ({"code_verifier": None, "code_challenge_method": "plain"}, "invalid_request"),
    ({"code_verifier": "the challenge"}, "invalid_grant"),
    ({"code_verifier": "the challenge", "code_challenge_method": "plain"}, "invalid_grant"),
    ({"code_verifier": "the challenge", "code_challenge": "the challenge"}, "invalid_grant"),
]


def test_pkce_cannot_be_omitted_or_downgraded_to_plain_at_the_token_endpoint(
    app: Flask, program: Program, code: str
) -> None:
    challenge = s256(program.verifier)

    with assert_nothing_stored(app):
        for changes, error in DOWNGRADES:
            parameters = {name: challenge if value == "the challenge" else value for name, value in changes.items()}
            assert_oauth_error(program.redeems(code, **parameters), 400, error)


@pytest.fixture
def no_pkce(app: Flask) -> Program:
    """A client that need not use PKCE."""
    return Program.registered(app, "--no-pkce")


def test_a_client_that_started_with_pkce_must_send_the_verifier_even_if_pkce_is_optional(
    app: Flask, no_pkce: Program, bob: Person
) -> None:
    """RFC 9700 §2.1.1: the attacker omits the verifier, not the challenge."""
    code = bob.allows(no_pkce.question())

    with assert_nothing_stored(app):
        assert_oauth_error(no_pkce.redeems(code, code_verifier=None), 400, "invalid_request")


def test_a_verifier_without_a_challenge_is_refused(app: Flask, no_pkce: Program, bob: Person) -> None:
    """RFC 9700 §4.8.2: the attacker removed the challenge from the victim's request."""
    code = bob.allows(no_pkce.question(code_challenge=None, code_challenge_method=None))

    with assert_nothing_stored(app):
        assert_oauth_error(no_pkce.redeems(code), 400, "invalid_request")


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
def test_a_weak_challenge_gets_no_code_even_if_pkce_is_optional(
    app: Flask, no_pkce: Program, bob: Person, changes: dict[str, str | None]
) -> None:
    bob.answers(no_pkce.question())

    with assert_nothing_stored(app):
        response = bob.opens(no_pkce.question(**changes))

    assert "error=invalid_request" in response.location
    assert "code=" not in response.location


def test_a_token_request_cannot_change_what_the_user_approved(program: Program, bob: Person) -> None:
    """A scope, user or tenant in the token request is ignored."""
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
    claims = answer_of(program.introspects(tokens["access_token"]))

    assert claims["scope"] == "tasks:read"
    assert (claims["sub"], claims["tenant_id"]) == ("bob", "acme")
    assert claims["aud"] == "http://localhost"
    assert tokens["expires_in"] == 3600
    assert "organization_id" not in claims


def test_a_refresh_cannot_widen_the_approved_scopes(app: Flask, program: Program, bob: Person) -> None:
    code = bob.allows(program.question(), scope=["tasks:read"])
    token = answer_of(program.redeems(code))["refresh_token"]
    wider = [ALL_SCOPES, "tasks:write", "tasks:read tasks:write", "tasks:read admin", "*", "TASKS:READ"]

    with assert_nothing_stored(app):
        for scope in wider:
            assert_oauth_error(program.refreshes(token, scope=scope), 400, "invalid_scope")

    narrower: list[str | None] = [None, "", " ", "tasks:read tasks:read"]
    for narrow in narrower:
        token, granted = refresh(program, token, narrow)
        assert set(granted.split()) <= {"profile:read", "tasks:read"}


def refresh(program: Program, token: str, scope: str | None) -> tuple[str, str]:
    answer = answer_of(program.refreshes(token, scope=scope))
    return answer["refresh_token"], answer["scope"]


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_no_parameter_may_be_repeated(app: Flask, program: Program, code: str, path: str) -> None:
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
                    response = app.test_client().post(f"/oauth/{path}", data=urlencode(pairs), content_type=FORM)
                    assert_oauth_error(response, 400, "invalid_request")
