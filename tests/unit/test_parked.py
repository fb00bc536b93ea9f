"""Requests that wait: nothing stored, readable by anyone, changed by no one, good in one browser for half an hour."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from flask_activepieces.crypto.keyring import KeyRing, context_of, sha256_hex
from flask_activepieces.errors import SignatureError, SignatureExpired
from flask_activepieces.oauth.authorization.pending_requests import (
    LIFETIME,
    PURPOSE,
    check_consent_token,
    consent_token,
    park,
    resume,
)
from flask_activepieces.oauth.authorization.request import AuthorizationRequest

NOW = 1_800_000_000
KEYS = KeyRing(["a key that is long enough"])
REQUEST = AuthorizationRequest(
    client_id="client",
    redirect_uri="https://program.test/callback",
    redirect_uri_given=True,
    scope="tasks:read",
    state="é \x00\U0001f600",
    code_challenge="A" * 43,
    prompt=None,
)
BARE = replace(REQUEST, redirect_uri_given=False, state=None, code_challenge=None, prompt="consent")


@pytest.mark.parametrize("request_", [REQUEST, BARE])
def test_a_request_comes_back_as_it_was(request_: AuthorizationRequest) -> None:
    request_id = park(KEYS, request_, browser="browser", now=NOW)

    assert resume(KEYS, request_id, browser="browser", now=NOW + LIFETIME - 1) == request_


def test_after_half_an_hour_it_is_over() -> None:
    request_id = park(KEYS, REQUEST, browser="browser", now=NOW)

    with pytest.raises(SignatureExpired):
        resume(KEYS, request_id, browser="browser", now=NOW + LIFETIME)


@pytest.mark.parametrize("browser", ["another", "BROWSER", "browser ", "", None, "é"])
def test_another_browser_opens_nothing(browser: str | None) -> None:
    request_id = park(KEYS, REQUEST, browser="browser", now=NOW)

    with pytest.raises(SignatureError):
        resume(KEYS, request_id, browser=browser, now=NOW)


def test_a_request_of_a_browser_without_a_name_is_nobodys() -> None:
    """No cookie must not be as good as any other no cookie."""
    request_id = park(KEYS, REQUEST, browser="browser", now=NOW)

    for nobody in ("", None):
        with pytest.raises(SignatureError):
            resume(KEYS, request_id, browser=nobody, now=NOW)


def test_the_browsers_name_is_not_in_the_id() -> None:
    """The id is in addresses and logs; the cookie is not."""
    from flask_activepieces.crypto.keyring import from_base64url

    payload = from_base64url(park(KEYS, REQUEST, browser="the browser", now=NOW).split(".")[1])

    assert b"the browser" not in payload


@pytest.mark.parametrize("purpose", ["authorization code", "consent", "page", "refresh token", ""])
def test_what_is_signed_for_another_purpose_is_no_request(purpose: str) -> None:
    claims = vars(REQUEST) | {"browser": "x", "exp": NOW + 60}

    with pytest.raises(SignatureError):
        resume(KEYS, KEYS.sign_json(purpose, claims), browser="browser", now=NOW)


def test_an_old_key_still_opens_what_waits() -> None:
    request_id = park(KEYS, REQUEST, browser="browser", now=NOW)
    rotated = KeyRing(["a newer key, in front", "a key that is long enough"])

    assert resume(rotated, request_id, browser="browser", now=NOW) == REQUEST


def test_a_consent_token_fits_one_request_and_one_user_in_one_tenant() -> None:
    token = consent_token(KEYS, "request", tenant_id="acme", user_id="bob")

    check_consent_token(KEYS, token, "request", tenant_id="acme", user_id="bob")
    for request_id, tenant_id, user_id in (
        ("another", "acme", "bob"),
        ("request", "acme", "alice"),
        ("request", "acme", ""),
        ("request", "acme", "bob "),
        ("request", "globex", "bob"),
        ("request", "acmeb", "ob"),
        ("request", "acme, bob", ""),
        ("", "acme", "bob"),
        ("requestbob", "acme", ""),
    ):
        with pytest.raises(SignatureError):
            check_consent_token(KEYS, token, request_id, tenant_id=tenant_id, user_id=user_id)


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800", "\x00", "None"])
def test_what_is_no_consent_token_is_refused(token: str) -> None:
    with pytest.raises(SignatureError):
        check_consent_token(KEYS, token, "request", tenant_id="acme", user_id="bob")


def test_a_consent_token_is_no_page_token_of_the_same_text() -> None:
    token = consent_token(KEYS, "request", tenant_id="acme", user_id="bob")

    for purpose in ("page", PURPOSE, "authorization code"):
        with pytest.raises(SignatureError):
            KEYS.verify(purpose, b"request", token, context=context_of("acme", "bob"))


@pytest.mark.parametrize(
    "another", [{"resource": "tasks"}, {"scope": ...}, {"browser": ...}], ids=str
)
def test_a_request_of_another_version_begins_anew(another: dict[str, Any]) -> None:
    """While an upgrade is rolled out, workers of two versions answer in turn."""
    whole = asdict(REQUEST) | {"browser": sha256_hex("browser"), "exp": NOW + 60} | another
    known = {name: value for name, value in whole.items() if value is not ...}

    with pytest.raises(SignatureError):
        resume(KEYS, KEYS.sign_json(PURPOSE, known), browser="browser", now=NOW)
