"""Connections of the kinds BASIC_AUTH and CUSTOM_AUTH: the exchange for a token, and guessing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from marshmallow import EXCLUDE, Schema, fields
from werkzeug.test import TestResponse

from flask_activepieces import Principal
from flask_activepieces.pieces import auth
from flask_activepieces.pieces.declarations import Piece
from flask_activepieces.pieces.fields import Secret
from tests.conftest import MakeApp
from tests.support.actors import Person, answer_of
from tests.support.clock import StoppedClock
from tests.support.pieces import PASSWORD, Effects, Flow, PieceHost, create_token, make_piece_app
from tests.support.problems import problem
from tests.support.storage import database_away, rows_of

BOB = {"type": "BASIC_AUTH", "username": "bob", "password": PASSWORD}
ACME = {"type": "CUSTOM_AUTH", "props": {"workspace": "acme", "key": PASSWORD}}


@pytest.fixture
def piece(make_app: MakeApp) -> tuple[Flask, Effects]:
    return make_piece_app(make_app)


@pytest.fixture
def app(piece: tuple[Flask, Effects]) -> Flask:
    return piece[0]


def signs_in(app: Flask, body: Any, **options: Any) -> TestResponse:
    return Flow(app, None).calls("POST", "/token", json=body, **options)


def asked(app: Flask) -> int:
    """How often the host was asked."""
    host = app.extensions["activepieces"].host
    assert isinstance(host, PieceHost)
    return host.asked


@pytest.mark.parametrize("body", [BOB, ACME])
def test_credentials_are_exchanged_for_a_token_of_an_hour(app: Flask, clock: StoppedClock, body: Any) -> None:
    answer = signs_in(app, body)

    token = answer_of(answer)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert answer.headers["Cache-Control"] == "no-store"
    flow = Flow(app, token["access_token"])
    account = answer_of(flow.calls("GET", "/me"))
    assert (account["id"], account["workspace"]) == ("bob", {"id": "acme", "name": "Acme"})
    assert account["scopes"] == ["tasks:read", "tasks:write"], "the scopes of the piece"
    clock.advance(3600)
    problem(flow.calls("GET", "/me"), 401, "Invalid token")


def test_a_sign_in_is_not_on_the_page_of_the_user(app: Flask, bob: Person) -> None:
    answer_of(signs_in(app, BOB))

    assert "Sign-in" not in bob.sees("/oauth/connected-apps").text


def test_a_sign_in_ends_with_the_user(app: Flask) -> None:
    token = answer_of(signs_in(app, BOB))["access_token"]
    with app.app_context():
        app.extensions["activepieces"].grants.revoke_user("bob", tenant_id=None, reason="a test")

    problem(Flow(app, token).calls("GET", "/me"), 401, "Invalid token")


@pytest.mark.parametrize(
    "body",
    [
        BOB | {"password": "wrong"},
        BOB | {"username": "nobody"},
        BOB | {"username": "alice"},
        ACME | {"props": {"workspace": "globex", "key": "wrong"}},
        ACME | {"props": {"workspace": "nowhere", "key": PASSWORD}},
    ],
)
def test_wrong_credentials_are_refused_alike(app: Flask, body: Any) -> None:
    refused = problem(signs_in(app, body), 401, "Sign-in failed")

    assert refused["detail"] == "The app does not accept these credentials."
    assert rows_of(app, "personal_tokens") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        ({"type": "OAUTH2"}, "type"),
        ({"type": "SECRET_TEXT", "secret_text": "x"}, "type"),
        ({"type": ["BASIC_AUTH"]}, "type"),
        ({"type": "BASIC_AUTH", "username": "bob"}, "password"),
        (BOB | {"username": ""}, "username"),
        (BOB | {"password": 1}, "password"),
        (BOB | {"password": "x" * 1025}, "password"),
        ({"type": "CUSTOM_AUTH"}, "props"),
        ({"type": "CUSTOM_AUTH", "props": []}, "props"),
        ({"type": "CUSTOM_AUTH", "props": {"workspace": "acme"}}, "key"),
        ({"type": "CUSTOM_AUTH", "props": {"workspace": "acme", "key": "x", "admin": True}}, "admin"),
    ],
)
def test_incomplete_credentials_are_rejected_before_the_host_is_asked(app: Flask, body: Any, field: str) -> None:
    assert field in problem(signs_in(app, body), 422, "Invalid input")["fields"]
    assert asked(app) == 0


def test_a_piece_without_that_kind_takes_no_passwords(make_app: MakeApp) -> None:
    app, _ = make_piece_app(make_app, piece=Piece(name="piece-tasks", title="Tasks", auth=[auth.SecretText()]))

    problem(signs_in(app, BOB), 422, "Invalid input")
    assert asked(app) == 0


def test_a_host_that_checks_no_passwords_refuses_all(make_app: MakeApp) -> None:
    from tests.support.hosts import SmallHost

    app, _ = make_piece_app(make_app, host=SmallHost())

    problem(signs_in(app, BOB), 401, "Sign-in failed")
    problem(signs_in(app, ACME), 401, "Sign-in failed")


# --- Guessing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrong", "right"), [(BOB | {"password": "wrong"}, BOB), (None, ACME)])
def test_after_too_many_failures_nothing_is_checked_until_the_next_minute(
    app: Flask, clock: StoppedClock, wrong: Any, right: Any
) -> None:
    for number in range(25):
        guess = wrong or {"type": "CUSTOM_AUTH", "props": {"workspace": "acme", "key": f"guess {number}"}}
        response = signs_in(app, guess)
        assert response.status_code == (401 if number < 20 else 429)

    blocked = signs_in(app, right)
    assert problem(blocked, 429, "Too many attempts")["retry_after"] == 60
    assert blocked.headers["Retry-After"] == "60"
    assert asked(app) <= 40, "the last ones were not checked"

    clock.advance(60)
    assert signs_in(app, right).status_code == 200


class ForgivingHost(PieceHost):
    """Like many apps, it does not mind how a user name is written."""

    def check_password(self, username: str, password: str) -> Principal | None:
        return super().check_password(unicodedata.normalize("NFKC", username).strip().lower(), password)

    def check_credentials(self, fields: Mapping[str, Any]) -> Principal | None:
        return self.check_password({1: "bob"}.get(fields["account"], ""), fields["key"])


class AnyAddressSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    base_url = fields.String()
    account = fields.Integer(required=True)
    key = Secret(required=True)


def spellings() -> Iterator[Any]:
    """One user name, written in many ways."""
    for name in ("bob", "Bob", "BOB", " bob", "bob ", "\uff42ob", "\tbob"):
        yield from [BOB | {"username": name, "password": f"guess {number}"} for number in range(5)]


def same_accounts() -> Iterator[Any]:
    """One account in a form, beside what does not name it, or written in many ways."""
    for number in range(10):
        one: dict[str, Any] = {"account": 1, "key": f"guess {number}"}
        yield {"type": "CUSTOM_AUTH", "props": one | {"base_url": f"https://app.example.com/{number}"}}
        yield {"type": "CUSTOM_AUTH", "props": one | {f"unknown {number}": "x"}}
        yield {"type": "CUSTOM_AUTH", "props": one | {"account": "0" * number + "1"}}


@pytest.mark.parametrize("guesses", [spellings, same_accounts])
def test_another_spelling_of_an_account_is_no_fresh_start(
    make_app: MakeApp, guesses: Callable[[], Iterator[Any]]
) -> None:
    kinds: list[auth.Auth] = [auth.BasicAuth(), auth.CustomAuth(form=AnyAddressSchema)]
    app, _ = make_piece_app(make_app, host=ForgivingHost(), piece=Piece(name="p", title="Tasks", auth=kinds))

    statuses = [signs_in(app, guess).status_code for guess in guesses()]

    assert statuses == [401] * 20 + [429] * (len(statuses) - 20)


def test_guesses_at_one_account_do_not_block_another(app: Flask) -> None:
    for _ in range(25):
        signs_in(app, BOB | {"password": "wrong"})

    assert signs_in(app, BOB | {"username": "carol"}).status_code == 200


def test_guesses_from_one_address_do_not_block_another(app: Flask) -> None:
    for _ in range(25):
        signs_in(app, BOB | {"password": "wrong"})

    elsewhere = signs_in(app, BOB, environ_base={"REMOTE_ADDR": "192.0.2.7"})

    assert elsewhere.status_code == 200


def test_the_many_addresses_of_one_ipv6_network_are_no_fresh_start(app: Flask) -> None:
    statuses = [
        signs_in(app, BOB | {"password": "wrong"}, environ_base={"REMOTE_ADDR": f"2001:db8::{number}"}).status_code
        for number in range(25)
    ]

    assert statuses == [401] * 20 + [429] * 5
    assert signs_in(app, BOB, environ_base={"REMOTE_ADDR": "2001:db8:0:1::"}).status_code == 200


# --- The request ----------------------------------------------------------------------------------


def test_a_form_of_another_site_cannot_sign_in(app: Flask) -> None:
    flow = Flow(app, None)

    problem(flow.calls("POST", "/token", data=BOB), 415, "Unsupported Media Type")
    problem(flow.calls("POST", "/token", data="{}", content_type="text/plain"), 415, "Unsupported Media Type")


def test_a_body_that_is_too_large_is_rejected(app: Flask) -> None:
    problem(signs_in(app, BOB | {"more": "x" * 70_000}), 413, "Request Entity Too Large")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_signs_in(app: Flask, method: str) -> None:
    assert Flow(app, None).calls(method, "/token").status_code == 405


def test_the_app_answers_503_while_the_database_is_away(app: Flask) -> None:
    with database_away(app):
        problem(signs_in(app, BOB), 503, "Not available")


def test_no_password_is_in_the_log_or_in_an_answer(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    secret = "hunter2-hunter2-hunter2"
    bodies = [
        BOB | {"password": secret},
        BOB | {"username": 1, "password": secret},
        BOB | {"type": "unknown", "password": secret},
        {"type": "CUSTOM_AUTH", "props": {"workspace": "acme", "key": secret}},
        {"type": "CUSTOM_AUTH", "props": {"key": secret, "unknown": secret}},
    ]

    answers = [signs_in(app, body).text for body in bodies * 6]

    assert secret not in "".join(answers)
    assert secret not in "".join(repr(vars(record)) for record in caplog.records)


def test_a_failing_host_is_an_error_without_details(make_app: MakeApp) -> None:
    class FailingHost(PieceHost):
        def check_password(self, username: str, password: str) -> Any:
            raise RuntimeError(f"no directory for {username} {password}")

    app, _ = make_piece_app(make_app, host=FailingHost())

    assert PASSWORD not in str(problem(signs_in(app, BOB), 500, "App error"))


def test_a_token_of_a_sign_in_is_like_any_other(app: Flask, bob: Person) -> None:
    """It is hashed, and its text is nowhere."""
    token = answer_of(signs_in(app, BOB))["access_token"]
    personal = create_token(bob)

    assert token not in repr(rows_of(app, "personal_tokens")) and personal not in repr(
        rows_of(app, "personal_tokens")
    )
    assert [row["kind"] for row in rows_of(app, "personal_tokens")].count("sign_in") == 1
