"""The token endpoint: a code can be exchanged once, before it expires (RFC 6749 §4.1.3)."""

from __future__ import annotations

import json

import pytest
from flask import Flask, request

from flask_activepieces.clock import CLOCK_SKEW
from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.hosts import ALL_SCOPES
from tests.support.storage import row_counts, rows_of

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def code(program: Program, bob: Person) -> str:
    """The code that Bob's approval returns."""
    return bob.allows(program.question())


def test_a_code_is_exchanged_for_an_access_and_a_refresh_token(program: Program, code: str) -> None:
    response = program.redeems(code)

    tokens = answer_of(response)
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert tokens["scope"] == ALL_SCOPES
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert "Set-Cookie" not in response.headers


def test_the_access_token_names_the_user_and_their_tenant(program: Program, code: str) -> None:
    tokens = answer_of(program.redeems(code))

    assert program.calls(tokens["access_token"]).get_json() == {
        "user_id": "bob",
        "tenant_id": "acme",
        "client_id": program.client_id,
        "scopes": sorted(ALL_SCOPES.split()),
    }


def test_one_exchange_adds_one_family_and_nothing_else(app: Flask, program: Program, code: str) -> None:
    before = row_counts(app)

    program.redeems(code)

    assert row_counts(app) == before | {"token_families": 1}


#: Invalid parameters, and the expected status and error (RFC 6749 §5.2).
INVALID_REQUESTS: list[tuple[dict[str, str | None], int, str]] = [
    ({"grant_type": "client_credentials"}, 400, "unauthorized_client"),
    ({"code": None}, 400, "invalid_request"),
    ({"code": ""}, 400, "invalid_request"),
    ({"code": "nonsense"}, 400, "invalid_grant"),
    ({"redirect_uri": None}, 400, "invalid_grant"),
    ({"redirect_uri": "https://other.test/"}, 400, "invalid_grant"),
    ({"redirect_uri": CALLBACK + "/"}, 400, "invalid_grant"),
    ({"code_verifier": None}, 400, "invalid_request"),
    ({"code_verifier": "A" * 42}, 400, "invalid_request"),
    ({"code_verifier": "A" * 129}, 400, "invalid_request"),
    ({"code_verifier": "é" * 43}, 400, "invalid_request"),
    ({"code_verifier": "A" * 43}, 400, "invalid_grant"),
    ({"client_id": None}, 401, "invalid_client"),
    ({"client_id": "unknown"}, 401, "invalid_client"),
    ({"client_secret": None}, 401, "invalid_client"),
    ({"client_secret": "fas_wrong"}, 401, "invalid_client"),
]


def test_an_invalid_exchange_is_explained_and_does_not_spend_the_code(
    app: Flask, program: Program, code: str
) -> None:
    valid: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": program.verifier,
    }

    with assert_nothing_stored(app):
        for changes, status, error in INVALID_REQUESTS:
            response = program.posts("/oauth/token", valid | changes)

            assert assert_oauth_error(response, status, error), changes

    assert program.redeems(code).status_code == 200


def test_a_missing_grant_type_is_an_invalid_request(program: Program, code: str) -> None:
    """RFC 6749 §5.2: "missing a required parameter"."""
    for grant_type in (None, ""):
        assert_oauth_error(program.redeems(code, grant_type=grant_type), 400, "invalid_request")


def test_an_unsupported_grant_type_is_reported(app: Flask, program: Program, code: str) -> None:
    with assert_nothing_stored(app):
        for grant_type in ("password", "implicit", "AUTHORIZATION_CODE", 'é"\\\n'):
            response = program.redeems(code, grant_type=grant_type)
            assert_oauth_error(response, 400, "unsupported_grant_type")


def test_an_expired_code_is_refused(app: Flask, program: Program, code: str, clock: StoppedClock) -> None:
    clock.advance(60 + CLOCK_SKEW)

    with assert_nothing_stored(app):
        assert "expired" in assert_oauth_error(program.redeems(code), 400, "invalid_grant")


@pytest.mark.parametrize("seconds", [59, 60 + CLOCK_SKEW - 1])
def test_a_code_lives_for_a_minute_on_machines_whose_clocks_differ(
    program: Program, code: str, clock: StoppedClock, seconds: int
) -> None:
    clock.advance(seconds)

    assert program.redeems(code).status_code == 200


def test_using_a_code_twice_revokes_its_tokens(app: Flask, program: Program, code: str) -> None:
    """RFC 6749 §4.1.2: the code may be stolen."""
    tokens = answer_of(program.redeems(code))
    refreshed = answer_of(program.refreshes(tokens["refresh_token"]))

    assert "used before" in assert_oauth_error(program.redeems(code), 400, "invalid_grant")

    assert program.calls(tokens["access_token"]).status_code == 401
    assert program.calls(refreshed["access_token"]).status_code == 401
    assert_oauth_error(program.refreshes(refreshed["refresh_token"]), 400, "invalid_grant")
    assert rows_of(app, "audit_events")[-1]["name"] == "code.replayed"
    assert row_counts(app)["token_families"] == 1


def test_using_a_code_twice_leaves_tokens_of_other_codes(program: Program, bob: Person) -> None:
    spent, other = (bob.allows(program.question(prompt="consent")) for _ in range(2))
    tokens = answer_of(program.redeems(other))
    program.redeems(spent)

    program.redeems(spent)

    assert program.calls(tokens["access_token"]).status_code == 200
    assert program.refreshes(tokens["refresh_token"]).status_code == 200


def test_a_code_is_refused_after_its_user_disconnected_the_app(
    app: Flask, program: Program, bob: Person, code: str
) -> None:
    bob.sends(bob.sees("/oauth/connected-apps").form_to("/disconnect"))

    with assert_nothing_stored(app):
        assert "revoked this authorization" in assert_oauth_error(program.redeems(code), 400, "invalid_grant")
    bob.answers(program.question())
    with assert_nothing_stored(app):
        assert_oauth_error(program.redeems(code), 400, "invalid_grant")


def test_a_code_is_refused_after_its_client_was_deleted(app: Flask, program: Program, code: str) -> None:
    app.test_cli_runner().invoke(args=["activepieces", "client", "delete", program.client_id, "--yes"])

    with assert_nothing_stored(app):
        assert_oauth_error(program.redeems(code), 401, "invalid_client")


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_only_post_is_allowed(app: Flask, path: str) -> None:
    for method in ("HEAD", "GET", "PUT", "PATCH", "DELETE"):
        response = app.test_client().open(f"/oauth/{path}", method=method)

        assert response.status_code == 405
        assert response.headers["Allow"] == "POST"
        if method != "HEAD":
            assert_oauth_error(response, 405, "invalid_request")


def test_only_a_form_body_is_accepted(app: Flask, program: Program, code: str) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": program.verifier,
        "client_id": program.client_id,
        "client_secret": program.client_secret,
    }
    client = app.test_client()

    with assert_nothing_stored(app):
        for path in ("token", "revoke", "introspect"):
            answers = [
                client.post(f"/oauth/{path}", json=form),
                client.post(f"/oauth/{path}", data=form, content_type="multipart/form-data"),
                client.post(f"/oauth/{path}", data=json.dumps(form), content_type="text/plain"),
                client.post(f"/oauth/{path}", query_string=form),
            ]
            for response in answers:
                assert "form" in assert_oauth_error(response, 400, "invalid_request")
        # RFC 6749 §2.3.1: never the secret in the URL, where it would be logged.
        grant_type = "grant_type=client_credentials"
        secret_in_url = client.post("/oauth/token", query_string=form, content_type=FORM, data=grant_type)
        assert_oauth_error(secret_in_url, 401, "invalid_client")


def test_a_form_may_declare_its_charset(program: Program, code: str) -> None:
    response = program.redeems(code)
    again = program.posts(
        "/oauth/introspect", {"token": answer_of(response)["access_token"]}, content_type=f"{FORM}; charset=utf-8"
    )

    assert answer_of(again)["active"] is True


def test_the_lifetimes_of_codes_and_tokens_are_settings(make_app: MakeApp, clock: StoppedClock) -> None:
    app = make_app(ACTIVEPIECES_CODE_TTL=300, ACTIVEPIECES_ACCESS_TOKEN_TTL=7200)
    program, bob = Program.registered(app), Person(app, "bob")
    code = bob.allows(program.question())
    clock.advance(299)

    tokens = answer_of(program.redeems(code))
    clock.advance(7199)

    assert tokens["expires_in"] == 7200
    assert program.calls(tokens["access_token"]).status_code == 200


def test_a_host_may_read_the_form_before_us(make_app: MakeApp) -> None:
    """For example, in a logging hook."""
    names: set[str] = set()
    app = make_app(first=lambda app: app.before_request(lambda: names.update(request.form)))
    program = Program.registered(app)

    answer_of(program.redeems(Person(app, "bob").allows(program.question())))

    assert "code" in names


@pytest.mark.parametrize("body", [b"grant_type=\xff", b"grant_type=%FF", b"\xff=1", b"%C3%28=1"], ids=str)
def test_a_form_that_is_not_utf_8_is_refused(app: Flask, body: bytes) -> None:
    """RFC 6749 appendix B."""
    response = app.test_client().post("/oauth/token", data=body, content_type=FORM)

    assert_oauth_error(response, 400, "invalid_request")
