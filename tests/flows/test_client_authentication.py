"""Client authentication (RFC 6749 §2.3): one method per request, in the form or in the header."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error


@pytest.fixture
def robot(app: Flask) -> Program:
    """A client that needs no user, so that its request tests only authentication."""
    return Program.registered(app, "--client-credentials", "--tenant", "acme")


def basic(client_id: str, secret: str | None) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def request_token(app: Flask, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
    data = {"grant_type": "client_credentials"} | form
    return app.test_client().post("/oauth/token", data=data, headers=headers)


def encode_everything(text: str) -> str:
    return "".join(f"%{ord(character):02x}" for character in text)


def strict(text: str) -> str:
    """Encode even unreserved characters, as RFC 6749 appendix B allows."""
    return quote(text, safe="").replace("-", "%2D").replace("_", "%5F").replace(".", "%2E")


@pytest.mark.parametrize("encode", [str, quote_plus, strict, encode_everything], ids=["raw", "form", "strict", "all"])
def test_the_header_may_be_raw_or_form_encoded(app: Flask, robot: Program, encode: object) -> None:
    assert callable(encode)

    response = request_token(app, basic(encode(robot.client_id), encode(robot.client_secret)))

    assert answer_of(response)["token_type"] == "Bearer"


def test_the_scheme_is_case_insensitive(app: Flask, robot: Program) -> None:
    header = basic(robot.client_id, robot.client_secret)["Authorization"]

    for scheme in ("basic", "BASIC"):
        response = request_token(app, {"Authorization": header.replace("Basic", scheme)})
        assert response.status_code == 200


def test_the_form_may_repeat_the_client_id_of_the_header(app: Flask, robot: Program) -> None:
    header = basic(robot.client_id, robot.client_secret)

    assert request_token(app, header, client_id=robot.client_id).status_code == 200
    assert_oauth_error(request_token(app, header, client_id="another"), 400, "invalid_request")


def test_two_methods_in_one_request_are_refused_even_if_one_is_valid(app: Flask, robot: Program) -> None:
    valid, wrong = robot.client_secret or "", "fas_wrong"

    with assert_nothing_stored(app):
        for in_header, in_form in ((valid, valid), (valid, wrong), (wrong, valid)):
            response = request_token(
                app, basic(robot.client_id, in_header), client_id=robot.client_id, client_secret=in_form
            )
            assert_oauth_error(response, 400, "invalid_request")


def test_only_a_wrong_header_is_challenged(app: Flask, robot: Program) -> None:
    """RFC 6749 §5.2: the challenge matches the method that the client used."""
    by_header = request_token(app, basic(robot.client_id, "wrong"))
    by_form = request_token(app, client_id=robot.client_id, client_secret="wrong")

    assert_oauth_error(by_header, 401, "invalid_client")
    assert_oauth_error(by_form, 401, "invalid_client")
    assert by_header.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert "WWW-Authenticate" not in by_form.headers


MALFORMED_HEADERS = [
    "Basic",
    "Basic ",
    "Basic é",
    "Basic ====",
    "Basic not base64",
    "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b":").decode(),
    "Basic " + base64.b64encode(b"id:").decode(),
    "Basic " + base64.b64encode(b":secret").decode(),
    "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    "Basic " + base64.b64encode(b"%00:%00").decode(),
    "Basic " + base64.b64encode(b"%ff%zz:%ed%a0%80").decode(),
    "Bearer x",
    "Digest username=x",
    "é",
    "",
]


def test_a_malformed_header_fails_authentication(app: Flask) -> None:
    with assert_nothing_stored(app):
        for header in MALFORMED_HEADERS:
            response = request_token(app, {"Authorization": header})
            assert response.status_code == 401, header
            assert_oauth_error(response, 401, "invalid_client")


def test_valid_form_credentials_do_not_excuse_a_malformed_header(app: Flask, robot: Program) -> None:
    form = {"client_id": robot.client_id, "client_secret": robot.client_secret or ""}

    for header in ("Bearer x", "Basic !", "Basic"):
        response = request_token(app, {"Authorization": header}, **form)
        assert response.status_code in (400, 401)


def test_unknown_client_wrong_secret_and_no_secret_get_the_same_answer(app: Flask, program: Program) -> None:
    answers = {
        program.redeems("x", client_secret="fas_wrong").text,
        program.redeems("x", client_secret=None).text,
        program.redeems("x", client_id="unknown").text,
        program.redeems("x", client_id="unknown", client_secret=None).text,
        program.redeems("x", client_secret="é" * 50).text,
    }

    assert len(answers) == 1


def test_a_public_client_needs_only_its_id_and_the_pkce_verifier(app: Flask, bob: Person) -> None:
    public = Program.registered(app, "--public", redirect_uri="com.example.app:/callback")

    tokens = public.connects(bob)

    assert public.client_secret is None
    assert public.refreshes(tokens["refresh_token"]).status_code == 200


def test_a_public_client_that_sends_a_secret_is_refused(app: Flask, bob: Person) -> None:
    public = Program.registered(app, "--public")
    code = bob.allows(public.question())

    with assert_nothing_stored(app):
        assert_oauth_error(public.redeems(code, client_secret="invented"), 401, "invalid_client")
        form: dict[str, str | None] = {"grant_type": "authorization_code", "code": code}
        by_header = public.posts("/oauth/token", form, headers=basic(public.client_id, "invented"))
        assert_oauth_error(by_header, 401, "invalid_client")


def test_a_public_client_without_a_verifier_gets_nothing(app: Flask, bob: Person) -> None:
    public = Program.registered(app, "--public")
    code = bob.allows(public.question())

    with assert_nothing_stored(app):
        assert_oauth_error(public.redeems(code, code_verifier=None), 400, "invalid_request")


def test_public_clients_cannot_use_endpoints_that_need_a_secret(app: Flask) -> None:
    public = Program.registered(app, "--public")

    with assert_nothing_stored(app):
        assert_oauth_error(request_token(app, client_id=public.client_id), 401, "invalid_client")
        assert_oauth_error(public.introspects("x"), 401, "invalid_client")


def test_after_a_rotation_both_secrets_are_valid_until_the_next(app: Flask, robot: Program) -> None:
    first = robot.client_secret or ""
    second, third = (rotate(app, robot) for _ in range(2))

    statuses = [
        request_token(app, client_id=robot.client_id, client_secret=secret).status_code
        for secret in (first, second, third)
    ]

    assert statuses == [401, 200, 200]


def test_an_immediate_rotation_invalidates_the_old_secret(app: Flask, robot: Program) -> None:
    rotate(app, robot, "--now")

    response = request_token(app, client_id=robot.client_id, client_secret=robot.client_secret or "")

    assert_oauth_error(response, 401, "invalid_client")


def rotate(app: Flask, robot: Program, *options: str) -> str:
    result = app.test_cli_runner().invoke(args=["activepieces", "client", "rotate", robot.client_id, *options])
    assert result.exit_code == 0
    return result.stdout.split("client_secret")[1].split()[0]


def test_a_session_cookie_does_not_authenticate_a_client(make_app: MakeApp) -> None:
    """The client endpoints ignore the session of a signed-in admin."""
    app = make_app()
    robot, alice = Program.registered(app), Person(app, "alice")

    for path in ("token", "revoke", "introspect"):
        response = alice.browser.post(f"/oauth/{path}", data={"client_id": robot.client_id, "token": "x"})
        assert response.status_code in (400, 401)
        assert "Set-Cookie" not in response.headers
