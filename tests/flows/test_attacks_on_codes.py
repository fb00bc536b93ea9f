"""Attacks with stolen or edited codes, or with codes for another session or server."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask

from tests.support.actors import CALLBACK, Parameters, Person, Program
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error


@pytest.fixture
def code(program: Program, bob: Person) -> str:
    """The code that Bob's approval returns."""
    return bob.allows(program.question())


@pytest.mark.parametrize("options", [[], ["--tenant", "acme"], ["--tenant", "globex"], ["--public"]])
def test_another_clients_code_is_refused_and_stays_valid(
    app: Flask, program: Program, code: str, options: list[str]
) -> None:
    thief = Program.registered(app, *options)

    with assert_nothing_stored(app):
        assert_oauth_error(thief.redeems(code, code_verifier=program.verifier), 400, "invalid_grant")

    assert program.redeems(code).status_code == 200


def test_a_code_of_another_tenants_client_is_refused(app: Flask, bob: Person) -> None:
    victim = Program.registered(app, "--tenant", "acme")
    thief = Program.registered(app, "--tenant", "globex")
    code = bob.allows(victim.question())

    with assert_nothing_stored(app):
        assert_oauth_error(thief.redeems(code, code_verifier=victim.verifier), 400, "invalid_grant")
        # With the victim's client id and the thief's secret:
        response = victim.redeems(code, client_secret=thief.client_secret)
        assert_oauth_error(response, 401, "invalid_client")


def test_a_code_injected_into_another_session_is_refused(app: Flask, program: Program, code: str) -> None:
    """RFC 9700 §4.5: the same client, but the verifier of the attacker's session."""
    with assert_nothing_stored(app):
        assert_oauth_error(program.redeems(code, code_verifier="a" * 43), 400, "invalid_grant")


def test_a_wrong_verifier_does_not_spend_the_code(program: Program, code: str) -> None:
    """Otherwise anyone who sees a code could spend it, and revoke its tokens with a replay."""
    for _ in range(3):
        program.redeems(code, code_verifier="a" * 43)

    assert program.redeems(code).status_code == 200


EDITS: list[dict[str, Any]] = [
    {"user_id": "alice"},
    {"tenant_id": "globex"},
    {"scope": "admin"},
    {"exp": 9_999_999_999},
    {"redirect_uri": "https://evil.test/"},
    {"redirect_uri": None},
    {"code_challenge": None},
    {"client_id": "another"},
    {"jti": "A" * 22},
    {"iss": "https://evil.test"},
]


def test_an_edited_code_is_refused(app: Flask, program: Program, code: str) -> None:
    version, payload, signature = code.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    with assert_nothing_stored(app):
        for edit in EDITS:
            content = json.dumps(claims | edit, separators=(",", ":")).encode()
            edited = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
            for forged in (f"{version}.{edited}.{signature}", f"{version}.{edited}."):
                assert_oauth_error(program.redeems(forged), 400, "invalid_grant")


def test_a_code_in_another_spelling_is_refused(app: Flask, program: Program, code: str) -> None:
    version, payload, signature = code.split(".")
    spellings = [
        f" {code}",
        f"{code} ",
        f"{code}\n",
        f"{code}=",
        f"{code}.{signature}",
        f"{version}.{payload}=.{signature}",
        f"{version}.{payload}.{signature.swapcase()}",
        f"V1.{payload}.{signature}",
        f"v2.{payload}.{signature}",
        f"{payload}.{signature}",
        code.replace(".", "\uff0e"),
        code[:-1],
    ]

    with assert_nothing_stored(app):
        for spelling in spellings:
            assert_oauth_error(program.redeems(spelling), 400, "invalid_grant")


def test_a_code_of_another_issuer_with_the_same_keys_is_refused(app: Flask, program: Program, code: str) -> None:
    """RFC 9700 §4.4: two services on one machine may share a SECRET_KEY."""
    form: Parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": program.verifier,
    }

    with assert_nothing_stored(app):
        response = program.posts("/oauth/token", form, base_url="http://localhost:8080")
        assert_oauth_error(response, 400, "invalid_grant")
