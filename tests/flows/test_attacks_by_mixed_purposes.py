"""Every signed value is accepted only for its purpose, whatever parameter it is sent in."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.actors import Parameters, Person, Program, answer_of
from tests.support.error_assertions import assert_error_page, assert_nothing_stored, assert_oauth_error

Signed = dict[str, str]


@pytest.fixture
def signed(program: Program, bob: Person) -> Signed:
    """One genuine value for each purpose, all for Bob."""
    tokens = program.connects(bob)
    consent = bob.sees(program.question(prompt="consent")).form("decision").values
    page = bob.sees("/oauth/connected-apps").form_to("/disconnect").values
    cookie = bob.browser.get_cookie("activepieces_browser", path="/oauth")
    assert cookie is not None
    return {
        "code": bob.allows(program.question(prompt="consent")),
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
        "pending request": consent["request_id"],
        "consent token": consent["consent_token"],
        "page token": page["page_token"],
        "browser": cookie.value,
        "secret": program.client_secret or "",
    }


def all_but(signed: Signed, *names: str) -> list[str]:
    return [value for name, value in signed.items() if name not in names]


def test_only_a_code_is_accepted_as_a_code(app: Flask, program: Program, signed: Signed) -> None:
    with assert_nothing_stored(app):
        for value in all_but(signed, "code"):
            assert_oauth_error(program.redeems(value), 400, "invalid_grant")


def test_only_a_refresh_token_is_accepted_as_a_refresh_token(app: Flask, program: Program, signed: Signed) -> None:
    with assert_nothing_stored(app):
        for value in all_but(signed, "refresh token"):
            assert_oauth_error(program.refreshes(value), 400, "invalid_grant")


def test_only_an_access_token_is_accepted_as_a_bearer_token(program: Program, signed: Signed) -> None:
    for value in all_but(signed, "access token"):
        response = program.calls(value)
        assert response.status_code == 401
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert program.calls(signed["access token"]).status_code == 200


def test_only_tokens_can_be_introspected_or_revoked(app: Flask, program: Program, signed: Signed) -> None:
    with assert_nothing_stored(app):
        for value in all_but(signed, "access token", "refresh token"):
            assert answer_of(program.introspects(value)) == {"active": False}
            assert answer_of(program.revokes(value)) == {}
    assert program.redeems(signed["code"]).status_code == 200


def test_only_a_pending_request_is_accepted_as_a_request(
    app: Flask, program: Program, bob: Person, signed: Signed
) -> None:
    form = bob.sees(program.question(prompt="consent")).form("decision")

    with assert_nothing_stored(app):
        for value in all_but(signed, "pending request"):
            query = {"request_id": value}
            assert_error_page(bob.browser.get("/oauth/authorize", query_string=query))
            assert_error_page(bob.sends(form, decision="approve", request_id=value))


def test_only_a_consent_token_is_accepted_as_a_consent_token(
    app: Flask, program: Program, bob: Person, signed: Signed
) -> None:
    another = program.question(prompt="consent", state="another request")
    form = bob.sees(another).form("decision")

    with assert_nothing_stored(app):
        for value in signed.values():  # including the other request's consent token
            assert_error_page(bob.sends(form, decision="approve", consent_token=value))


def test_only_a_page_token_is_accepted_as_a_page_token(app: Flask, bob: Person, signed: Signed) -> None:
    form = bob.sees("/oauth/connected-apps").form_to("/disconnect")

    with assert_nothing_stored(app):
        for value in all_but(signed, "page token"):
            assert_error_page(bob.sends(form, page_token=value))


def test_only_the_client_secret_is_accepted_as_the_secret(app: Flask, program: Program, signed: Signed) -> None:
    with assert_nothing_stored(app):
        for value in all_but(signed, "secret"):
            form: Parameters = {"token": "x", "client_secret": value}
            assert_oauth_error(program.posts("/oauth/introspect", form), 401, "invalid_client")
