"""The authorization endpoint (RFC 6749 §4.1.1): what a client may request, and how errors are reported."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Parameters, Person, Program, answer_of, brought_back
from tests.support.error_assertions import assert_error_page, assert_error_redirect, assert_nothing_stored
from tests.support.hosts import ALL_SCOPES

#: Invalid parameters, the error code that the client receives, and a part of its description.
INVALID_REQUESTS: list[tuple[Parameters, str, str]] = [
    ({"response_type": None}, "invalid_request", "response_type"),
    ({"response_type": ""}, "invalid_request", "response_type"),
    ({"response_type": "token"}, "unsupported_response_type", "code"),
    ({"response_type": "code token"}, "unsupported_response_type", "code"),
    ({"response_type": "CODE"}, "unsupported_response_type", "code"),
    ({"response_mode": "fragment"}, "invalid_request", "response_mode"),
    ({"response_mode": "form_post"}, "invalid_request", "response_mode"),
    ({"scope": "tasks:read admin"}, "invalid_scope", "does not know a requested scope"),
    ({"scope": "TASKS:READ"}, "invalid_scope", "does not know a requested scope"),
    ({"scope": "tasks:read,tasks:write"}, "invalid_scope", "does not know a requested scope"),
    ({"scope": 'é"\\'}, "invalid_scope", "does not know a requested scope"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request", "PKCE"),
    ({"code_challenge": None}, "invalid_request", "code_challenge"),
    ({"code_challenge_method": None}, "invalid_request", "S256"),
    ({"code_challenge_method": "plain"}, "invalid_request", "S256"),
    ({"code_challenge_method": "s256"}, "invalid_request", "S256"),
    ({"code_challenge": "A" * 42}, "invalid_request", "code_challenge"),
    ({"code_challenge": "A" * 44}, "invalid_request", "code_challenge"),
    ({"code_challenge": "A" * 42 + "="}, "invalid_request", "code_challenge"),
    ({"code_challenge": "A" * 43 + "\n"}, "invalid_request", "code_challenge"),
    ({"prompt": "none login"}, "invalid_request", "prompt"),
    ({"request": "e30.e30."}, "request_not_supported", "object"),
    ({"request_uri": "urn:x"}, "request_uri_not_supported", "object"),
    ({"resource": "https://other.test/"}, "invalid_target", "resource"),
    ({"resource": "http://localhost.other.test/"}, "invalid_target", "resource"),
]


def test_an_invalid_request_is_reported_to_its_client(app: Flask, program: Program, bob: Person) -> None:
    with assert_nothing_stored(app):
        for changes, error, part in INVALID_REQUESTS:
            response = bob.opens(program.question(**changes))

            assert part in assert_error_redirect(response, error), changes


def test_state_is_optional_and_returned_unchanged(program: Program, bob: Person) -> None:
    state = " a b+c%20&code=x#\"'<>é\u202e\U0001f600 "

    assert "state" not in bob.answers(program.question(state=None))
    assert "state" not in bob.answers(program.question(state="", prompt="consent"))
    assert bob.answers(program.question(state=state, prompt="consent"))["state"] == state
    assert_error_redirect(bob.opens(program.question(state=state, scope="x")), "invalid_scope", state=state)
    assert_error_redirect(bob.opens(program.question(state=None, scope="x")), "invalid_scope", state=None)


def test_an_unknown_client_is_reported_on_a_page(app: Flask, program: Program, bob: Person) -> None:
    client_ids: list[str | None] = [None, "", "unknown", "%", "../clients", "0" * 32, "é", " "]

    with assert_nothing_stored(app):
        for client_id in client_ids:
            page = assert_error_page(bob.opens(program.question(client_id=client_id)))
            assert "not registered" in page.text


def test_an_unregistered_redirect_uri_is_reported_on_a_page(app: Flask, program: Program, bob: Person) -> None:
    with assert_nothing_stored(app):
        page = assert_error_page(bob.opens(program.question(redirect_uri="https://other.test/")))

    assert "Program" in page.text
    assert "other.test" not in str(page.links)


def test_an_unregistered_redirect_uri_is_logged_with_the_registered_ones(
    app: Flask, bob: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """The developer can compare them in the log; the user sees neither."""
    program = Program.registered(app, "--redirect-uri", "https://program.test/2")
    sent = "https://program.test/callback/\nforged line fas_a-secret/?code=a-code" + "x" * 5000

    page = assert_error_page(bob.opens(program.question(redirect_uri=sent)))

    (record,) = [
        record for record in caplog.records if record.name == "flask_activepieces.oauth.authorization.request"
    ]
    message = record.getMessage()
    assert record.levelname == "WARNING"
    for part in (program.client_id, "https://program.test/callback/", CALLBACK, "https://program.test/2"):
        assert part in message
    for secret in ("\n", "a-secret", "a-code"):
        assert secret not in message
    assert len(message) < 1000
    assert "https://program.test" not in page.text


def test_the_redirect_uri_may_be_left_out_when_there_is_only_one(app: Flask, program: Program, bob: Person) -> None:
    answer = bob.sends(bob.sees(program.question(redirect_uri=None)).form("decision"), decision="approve")
    code = brought_back(answer)["code"]

    assert answer.location.startswith(f"{CALLBACK}?")
    assert program.redeems(code, redirect_uri=None).status_code == 200


def test_the_redirect_uri_must_be_named_when_there_are_two(app: Flask, bob: Person) -> None:
    second = "https://program.test/second"
    program = Program.registered(app, "--redirect-uri", second)

    page = assert_error_page(bob.opens(program.question(redirect_uri=None)))
    program.redirect_uri = second

    assert "redirect_uri" in page.text
    assert program.connects(bob)["token_type"] == "Bearer"


def test_a_query_in_a_registered_redirect_uri_is_kept(app: Flask, bob: Person) -> None:
    uri = "https://program.test/callback?tenant=acme"
    program = Program.registered(app, redirect_uri=uri)

    answer = bob.answers(program.question())
    tokens = program.redeems(answer.pop("code"))

    assert answer == {"tenant": "acme", "state": "a state", "iss": "http://localhost"}
    assert tokens.status_code == 200


def test_without_scope_all_registered_scopes_are_requested(app: Flask, bob: Person) -> None:
    program = Program.registered(app, scope="tasks:read profile:read")

    code = bob.allows(program.question(scope=None))

    assert answer_of(program.redeems(code))["scope"] == "tasks:read profile:read"


def test_a_repeated_scope_counts_once(program: Program, bob: Person) -> None:
    code = bob.allows(program.question(scope="tasks:read  tasks:read"))

    assert answer_of(program.redeems(code))["scope"] == "tasks:read"


def test_a_client_cannot_request_an_unregistered_scope(app: Flask, bob: Person) -> None:
    program = Program.registered(app, scope="tasks:read")

    description = assert_error_redirect(bob.opens(program.question(scope=ALL_SCOPES)), "invalid_scope")

    assert "profile:read" in description


def test_a_client_may_be_registered_without_pkce(app: Flask, bob: Person) -> None:
    program = Program.registered(app, "--no-pkce")

    question = program.question(code_challenge=None, code_challenge_method=None)
    tokens = program.redeems(bob.allows(question), code_verifier=None)

    assert tokens.status_code == 200


def test_a_client_without_the_code_grant_cannot_send_users(app: Flask, bob: Person) -> None:
    """It has no redirect URI, so the error is shown on a page."""
    program = Program.registered(app, "--client-credentials", "--tenant", "acme")
    result = app.test_cli_runner().invoke(
        args=["activepieces", "client", "create", "--name", "Robot", "--scope", "tasks:read"]
        + ["--client-credentials", "--tenant", "acme", "--yes", "--json"]
    )
    program.client_id = result.stdout.split('"client_id": "')[1].split('"')[0]

    assert_error_page(bob.opens(program.question()))
    assert_error_page(bob.opens(program.question(redirect_uri=None)))


def test_the_resource_may_be_named_if_it_is_this_app(program: Program, bob: Person) -> None:
    for resource in ("http://localhost", "http://localhost/"):
        assert "code" in bob.answers(program.question(resource=resource, prompt="consent"))


def test_unknown_parameters_and_prompts_are_ignored(program: Program, bob: Person) -> None:
    extra = "&" + urlencode({"nonce": "n", "access_type": "offline", "x": "y"})

    assert "code" in bob.answers(program.question(prompt="create") + extra)


def test_iss_is_in_every_response_and_equals_the_metadata(make_app: MakeApp) -> None:
    """RFC 9207 §2.4: it lets a client detect a response from the wrong server (mix-up attack)."""
    app = make_app(ACTIVEPIECES_PUBLIC_URL="https://app.example.com/tools")
    program, bob = Program.registered(app, "--remember-consent"), Person(app, "bob")
    metadata = answer_of(bob.opens("/.well-known/oauth-authorization-server"))

    answers = [
        bob.answers(program.question(), "deny"),
        bob.answers(program.question()),
        brought_back(bob.opens(program.question())),
        brought_back(bob.opens(program.question(scope="x"))),
        brought_back(bob.opens(program.question(prompt="none", scope=ALL_SCOPES))),
    ]

    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert {answer["iss"] for answer in answers} == {metadata["issuer"]}
    assert ["error" in answer for answer in answers] == [True, False, False, True, False]


def test_other_methods_do_nothing(app: Flask, program: Program, bob: Person) -> None:
    bob.answers(program.question())

    with assert_nothing_stored(app):
        statuses = {
            bob.browser.open(program.question(), method=method).status_code
            for method in ("PUT", "PATCH", "DELETE", "TRACE")
        }

    assert statuses == {405}
