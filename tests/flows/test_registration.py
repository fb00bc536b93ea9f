"""Clients that register themselves (RFC 7591), and what they may do with their registration (RFC 7592)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import CALLBACK, Person, Program, answer_of
from tests.support.clock import START, StoppedClock
from tests.support.error_assertions import assert_error_page, assert_nothing_stored, assert_oauth_error
from tests.support.forgeries import opened
from tests.support.hosts import ALL_SCOPES
from tests.support.storage import row_counts, rows_of

REGISTER = "/oauth/register"
PUBLIC: dict[str, Any] = {
    "client_name": "Robin",
    "redirect_uris": [CALLBACK],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """A small host where clients may register themselves."""
    return make_app(ACTIVEPIECES_DYNAMIC_REGISTRATION=True, ACTIVEPIECES_MCP=True)


def register(app: Flask, metadata: Any = PUBLIC, **options: Any) -> TestResponse:
    return app.test_client(use_cookies=False).post(REGISTER, json=metadata, **options)


def registered(app: Flask, **changes: Any) -> tuple[Program, dict[str, Any]]:
    """A client that has registered itself, and what it learned."""
    metadata = {name: value for name, value in (PUBLIC | changes).items() if value is not ...}
    made = answer_of(register(app, metadata), 201)
    program = Program(app, made["client_id"], made.get("client_secret"), made["redirect_uris"][0])
    return program, made


def at_its_registration(app: Flask, made: dict[str, Any], method: str, token: str | None = None) -> TestResponse:
    """A request at the address that a client learned, with its token or another one."""
    path = made["registration_client_uri"].removeprefix("http://localhost")
    headers = {"Authorization": f"Bearer {made['registration_access_token'] if token is None else token}"}
    return app.test_client(use_cookies=False).open(path, method=method, headers=headers)


# --- Registration ---------------------------------------------------------------------------------


def test_a_public_client_registers_itself(app: Flask) -> None:
    response = register(app)
    made = answer_of(response, 201)

    assert response.headers["Cache-Control"] == "no-store"
    assert made.pop("registration_access_token").startswith("frt_")
    client_id = made.pop("client_id")
    assert made == {
        "client_id_issued_at": START,
        "client_name": "Robin",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": ALL_SCOPES,
        "registration_client_uri": f"http://localhost{REGISTER}/{client_id}",
    }


def test_a_client_with_a_secret_learns_it_once(app: Flask) -> None:
    """RFC 7591 §2: this is the default."""
    program, made = registered(app, token_endpoint_auth_method=...)

    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert made["client_secret"].startswith("fas_")
    assert made["client_secret_expires_at"] == 0
    shown = answer_of(at_its_registration(app, made, "GET"))
    assert "client_secret" not in shown
    stored = json.dumps(rows_of(app, "oauth_clients"))
    assert made["client_secret"] not in stored
    assert made["registration_access_token"] not in stored
    assert answer_of(program.redeems(Person(app, "bob").allows(program.question())))["access_token"]


def test_a_registered_client_gets_tokens_for_the_endpoint(app: Flask) -> None:
    program, _ = registered(app)

    pair = program.connects(Person(app, "bob"))
    again = answer_of(program.refreshes(pair["refresh_token"]))

    _, claims = opened(again["access_token"])
    assert (claims["client_id"], claims["aud"]) == (program.client_id, "http://localhost/mcp")


def test_cursor_registers_with_a_mixed_list(app: Flask) -> None:
    """What the server replaces, it reports (RFC 7591 §3.2.1)."""
    uris = ["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost:8787/callback", "unknown://callback"]

    _, made = registered(app, redirect_uris=uris)

    assert made["redirect_uris"] == uris[:2]


def test_a_client_without_a_name_is_called_by_its_address(app: Flask) -> None:
    assert registered(app, client_name=...)[1]["client_name"] == "https://program.test"


def test_unknown_metadata_is_ignored(app: Flask) -> None:
    _, made = registered(
        app,
        client_id="chosen",
        client_secret="chosen",
        tenant_id="acme",
        remember_consent=True,
        require_pkce=False,
        can_introspect=True,
        software_statement="x.y.z",
        logo_uri="https://evil.test/logo.png",
        scope="tasks:read admin",
    )

    (row,) = rows_of(app, "oauth_clients")
    assert "chosen" not in json.dumps(row)
    assert (row["tenant_id"], row["source"], row["require_pkce"]) == (None, "dynamic", 1)
    assert (row["remember_consent"], row["can_introspect"]) == (0, 0)
    assert made["scope"] == "tasks:read"


INVALID: list[tuple[Any, str, str]] = [
    ({"redirect_uris": ...}, "invalid_redirect_uri", "list of URIs"),
    ({"redirect_uris": []}, "invalid_redirect_uri", "list of URIs"),
    ({"redirect_uris": CALLBACK}, "invalid_redirect_uri", "list of URIs"),
    ({"redirect_uris": [1]}, "invalid_redirect_uri", "list of URIs"),
    ({"redirect_uris": ["http://program.test/"]}, "invalid_redirect_uri", "https"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "scheme"),
    ({"redirect_uris": ["https://program.test/#x"]}, "invalid_redirect_uri", "fragment"),
    ({"redirect_uris": ["https://*.test/"]}, "invalid_redirect_uri", "host"),
    ({"redirect_uris": ['https://é.test/"\\']}, "invalid_redirect_uri", "ASCII"),
    ({"redirect_uris": [f"{CALLBACK}/{number}" for number in range(21)]}, "invalid_redirect_uri", "more than 20"),
    ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "token_endpoint_auth_method"),
    ({"token_endpoint_auth_method": None}, "invalid_client_metadata", "token_endpoint_auth_method"),
    ({"grant_types": ["client_credentials"]}, "invalid_client_metadata", "authorization_code"),
    ({"grant_types": ["password", "implicit"]}, "invalid_client_metadata", "authorization_code"),
    ({"response_types": ["token"]}, "invalid_client_metadata", "code"),
    ({"client_name": "a" * 121}, "invalid_client_metadata", "client_name"),
    ({"client_name": "Claude\u202e"}, "invalid_client_metadata", "printable"),
    ({"client_name": {"en": "Robin"}}, "invalid_client_metadata", "client_name"),
    ({"scope": ["tasks:read"]}, "invalid_client_metadata", "scope"),
    (
        {"redirect_uris": ["com.example.app:/x"], "token_endpoint_auth_method": "client_secret_post"},
        "invalid_redirect_uri",
        "public clients",
    ),
]


@pytest.mark.parametrize(("changes", "error", "word"), INVALID, ids=lambda value: str(value)[:40])
def test_invalid_metadata_is_reported(app: Flask, changes: dict[str, Any], error: str, word: str) -> None:
    """RFC 7591 §3.2.2."""
    metadata = {name: value for name, value in (PUBLIC | changes).items() if value is not ...}

    with assert_nothing_stored(app):
        assert word in assert_oauth_error(register(app, metadata), 400, error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff",
        b"[" * 20_000,
        b'{"a":' * 10_000,
        b'{"redirect_uris": ["https://a.test/"], "redirect_uris": ["https://b.test/"]}',
        b'{"a": NaN}',
        b'{"client_name": "' + b"a" * 70_000 + b'"}',
    ],
    ids=lambda body: str(body[:20]),
)
def test_a_body_that_is_no_plain_json_is_refused(app: Flask, body: bytes) -> None:
    with assert_nothing_stored(app):
        response = app.test_client().post(REGISTER, data=body, content_type="application/json")
        assert_oauth_error(response, 400, "invalid_client_metadata")


def test_a_form_is_refused(app: Flask) -> None:
    with assert_nothing_stored(app):
        response = app.test_client().post(REGISTER, data={"redirect_uris": CALLBACK})
        assert_oauth_error(response, 400, "invalid_client_metadata")


def test_an_address_can_register_few_clients_a_minute(app: Flask, clock: StoppedClock) -> None:
    for _ in range(10):
        assert register(app).status_code == 201

    with assert_nothing_stored(app):
        response = register(app)
        assert_oauth_error(response, 429, "temporarily_unavailable")
        assert response.headers["Retry-After"] == "60"
        assert register(app, {}).status_code == 429
    # From elsewhere, or later.
    assert register(app, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 201
    clock.advance(60)
    assert register(app).status_code == 201


def test_the_many_addresses_of_one_ipv6_network_register_no_more(app: Flask) -> None:
    def registers_from(address: str) -> int:
        return register(app, environ_overrides={"REMOTE_ADDR": address}).status_code

    assert [registers_from(f"2001:db8::{number}") for number in range(11)] == [201] * 10 + [429]
    assert registers_from("2001:db8:0:1::1") == 201
    # IPv4 addresses, as a server that listens on IPv6 sees them, are not one network.
    assert [registers_from(f"::ffff:192.0.2.{number}") for number in range(11)] == [201] * 11


def test_a_registration_needs_no_cookie_and_reads_none(app: Flask) -> None:
    alice = Person(app, "alice")

    response = alice.browser.post(REGISTER, json=PUBLIC, headers={"Origin": "https://agent.test"})

    assert response.status_code == 201
    assert [row["tenant_id"] for row in rows_of(app, "oauth_clients")] == [None]


# --- The users of such clients --------------------------------------------------------------------


def test_the_page_says_that_no_one_knows_the_client(app: Flask) -> None:
    program, _ = registered(app)
    on_device, _ = registered(app, redirect_uris=["http://127.0.0.1:1/callback"])

    page = " ".join(Person(app, "bob").sees(program.question()).text.split())

    assert "This app is not verified." in page
    assert "It calls itself Robin" in page
    assert "No one knows who made it." in page
    assert "any program can pretend to be it" not in page
    assert "any program can pretend to be it" in " ".join(Person(app, "bob").sees(on_device.question()).text.split())


def test_a_stranger_signs_in_before_anything_is_redirected(app: Flask) -> None:
    """RFC 9700 §4.11.2."""
    program, _ = registered(app, redirect_uris=["https://evil.test/"])

    for changes in ({}, {"scope": "admin"}, {"response_type": "token"}):
        assert Person(app).opens(program.question(**changes)).location.startswith("/login?next=")
    page = assert_error_page(Person(app, "bob").opens(program.question(scope="admin")))
    assert page.links["Continue to https://evil.test"].startswith("https://evil.test/?error=invalid_scope&")
    assert_error_page(Person(app).opens(program.question(prompt="none")))


def test_pkce_is_required_with_a_secret_too(app: Flask) -> None:
    program, _ = registered(app, token_endpoint_auth_method="client_secret_post")

    page = assert_error_page(
        Person(app, "bob").opens(program.question(code_challenge=None, code_challenge_method=None))
    )
    assert "PKCE" in page.text


def test_consent_is_never_remembered(app: Flask) -> None:
    bob = Person(app, "bob")
    program, _ = registered(app, token_endpoint_auth_method="client_secret_basic")
    bob.answers(program.question())

    assert bob.sees(program.question()).form("decision")


def test_a_client_cannot_act_for_itself(app: Flask) -> None:
    program, _ = registered(app, token_endpoint_auth_method="client_secret_basic")

    response = program.posts("/oauth/token", {"grant_type": "client_credentials"})

    assert_oauth_error(response, 400, "unauthorized_client")


def test_unused_registrations_are_pruned(app: Flask, clock: StoppedClock) -> None:
    used, _ = registered(app)
    used.connects(Person(app, "bob"))
    registered(app)
    clock.advance(days=1)

    app.test_cli_runner().invoke(args=["activepieces", "prune"])

    assert [row["client_id"] for row in rows_of(app, "oauth_clients")] == [used.client_id]


# --- Reading and deleting (RFC 7592) --------------------------------------------------------------


def test_a_client_reads_its_registration(app: Flask) -> None:
    _, made = registered(app)

    assert answer_of(at_its_registration(app, made, "GET")) == made


def test_a_client_deletes_itself_with_its_grants_and_tokens(app: Flask) -> None:
    program, made = registered(app)
    bob = Person(app, "bob")
    code = bob.allows(program.question(resource="http://localhost"))
    pair = answer_of(program.redeems(code))
    assert program.calls(pair["access_token"]).status_code == 200

    response = at_its_registration(app, made, "DELETE")

    assert (response.status_code, response.data) == (204, b"")
    assert program.calls(pair["access_token"]).status_code == 401
    assert_oauth_error(program.refreshes(pair["refresh_token"]), 401, "invalid_client")
    assert "grants" not in row_counts(app)
    assert_oauth_error(at_its_registration(app, made, "GET"), 401, "invalid_token")
    assert_oauth_error(at_its_registration(app, made, "DELETE"), 401, "invalid_token")


def test_only_the_client_itself_reads_and_deletes_it(app: Flask) -> None:
    _, made = registered(app)
    _, other = registered(app)
    operators = Program.registered(app)
    tokens = [other["registration_access_token"], "", "x", made["client_id"], made["registration_access_token"] + "x"]

    with assert_nothing_stored(app):
        for method in ("GET", "DELETE"):
            for token in tokens:
                response = at_its_registration(app, made, method, token)
                assert_oauth_error(response, 401, "invalid_token")
                assert "Bearer" in response.headers["WWW-Authenticate"]
        for client_id in (operators.client_id, "unknown", "0" * 32, "..", "%00"):
            address = {**made, "registration_client_uri": f"http://localhost{REGISTER}/{client_id}"}
            assert at_its_registration(app, address, "DELETE").status_code in (401, 404, 429)


def test_guessing_registration_tokens_is_limited(app: Flask) -> None:
    _, made = registered(app)

    statuses = [at_its_registration(app, made, "GET", "x").status_code for _ in range(21)]

    assert statuses == [401] * 20 + [429]
    assert at_its_registration(app, made, "GET").status_code == 200


def test_an_access_token_is_no_registration_token(app: Flask) -> None:
    program, made = registered(app)
    token = program.connects(Person(app, "bob"))["access_token"]

    assert_oauth_error(at_its_registration(app, made, "GET", token), 401, "invalid_token")


def test_a_registration_cannot_be_changed(app: Flask) -> None:
    """RFC 7592 §2.2 is optional: a client registers again."""
    _, made = registered(app)

    for method in ("PUT", "PATCH", "POST"):
        assert at_its_registration(app, made, method).status_code == 405


# --- The switch, and the address of the app -------------------------------------------------------


def test_registration_is_off_by_default(make_app: MakeApp) -> None:
    app = make_app(ACTIVEPIECES_MCP=True)
    metadata = answer_of(app.test_client().get("/.well-known/oauth-authorization-server"))

    with assert_nothing_stored(app):
        assert register(app).status_code == 404
        assert app.test_client().get(f"{REGISTER}/x").status_code == 404
        assert app.test_client().delete(f"{REGISTER}/x").status_code == 404
    assert "registration_endpoint" not in metadata


def test_the_metadata_names_the_endpoint(app: Flask) -> None:
    metadata = answer_of(app.test_client().get("/.well-known/oauth-authorization-server"))

    assert metadata["registration_endpoint"] == f"http://localhost{REGISTER}"


def test_the_address_of_a_registration_is_that_of_the_app(make_app: MakeApp) -> None:
    app = make_app(
        ACTIVEPIECES_DYNAMIC_REGISTRATION=True,
        ACTIVEPIECES_PUBLIC_URL="https://app.example.com/tools",
        ACTIVEPIECES_OAUTH_PREFIX="/connect",
    )
    response = app.test_client().post("/connect/register", json=PUBLIC, base_url="http://internal:8000")

    made = answer_of(response, 201)

    assert made["registration_client_uri"] == f"https://app.example.com/tools/connect/register/{made['client_id']}"


@pytest.mark.parametrize("placeholder", ["the token of no registration", "the secret of no client", "-" * 64, "None"])
def test_the_placeholder_for_a_missing_token_opens_no_client(app: Flask, placeholder: str) -> None:
    """A client of an operator has no registration token. What stands for it is in our source, which anyone reads."""
    operators = Program.registered(app)
    address = {"registration_client_uri": f"http://localhost{REGISTER}/{operators.client_id}"}

    with assert_nothing_stored(app):
        for method in ("GET", "DELETE"):
            assert_oauth_error(at_its_registration(app, address, method, placeholder), 401, "invalid_token")
