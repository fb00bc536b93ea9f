"""The JSON API for OAuth clients: every validation message, and every caller without permission."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.support.actors import Person, Program
from tests.support.problems import problem
from tests.support.storage import row_counts, rows_of

API = "/api/integration/activepieces/oauth-clients"
NEW = {
    "name": "Flow maker",
    "description": "Makes flows",
    "redirect_uris": ["https://program.test/callback"],
    "scope": "profile:read tasks:read",
}


@pytest.fixture(scope="module")
def empty_app(make_shared_app: MakeApp) -> Flask:
    """An app that stores nothing."""
    return make_shared_app()


@pytest.fixture
def acme_client(app: Flask) -> Program:
    """A client of Acme."""
    return Program.registered(app, "--tenant", "acme")


def create_client(person: Person, **changes: Any) -> TestResponse:
    """Create a client; None removes a field."""
    body = {name: value for name, value in (NEW | changes).items() if value is not None}
    return person.browser.post(API, json=body)


# Validation

#: The invalid change, the field that is named, and the message.
MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"name": None}, "name", "A name is required: the consent page shows it"),
    ({"name": " "}, "name", "A name is required: the consent page shows it"),
    ({"name": "n" * 121}, "name", "At most 120 characters"),
    ({"name": "two\nlines"}, "name", "one line of printable characters"),
    ({"name": "nul\0"}, "name", "one line of printable characters"),
    ({"name": "half \ud800"}, "name", "one line of printable characters"),
    ({"name": 5}, "name", "Not a valid string."),
    ({"description": "d" * 501}, "description", "At most 500 characters"),
    ({"description": "nul\0"}, "description", "one line of printable characters"),
    ({"redirect_uris": None}, "redirect_uris", "At least one redirect URI is required"),
    ({"redirect_uris": []}, "redirect_uris", "At least one redirect URI is required"),
    ({"redirect_uris": "https://a.test/"}, "redirect_uris", "Not a valid list."),
    ({"redirect_uris": [5]}, "redirect_uris", "Not a valid string."),
    ({"redirect_uris": [f"https://a.test/{n}" for n in range(21)]}, "redirect_uris", "At most 20 redirect URIs"),
    ({"redirect_uris": ["/callback"]}, "redirect_uris", "an absolute URI of plain ASCII"),
    ({"redirect_uris": ["https://a.test/é"]}, "redirect_uris", "plain ASCII characters"),
    ({"redirect_uris": ["https://a.test/" + "a" * 2000]}, "redirect_uris", "plain ASCII"),
    ({"redirect_uris": ["https://a.test:port/"]}, "redirect_uris", "not a valid URI"),
    ({"redirect_uris": ["https://a.test/#x"]}, "redirect_uris", "must not have a fragment"),
    ({"redirect_uris": ["https:///x"]}, "redirect_uris", "must have a host name"),
    ({"redirect_uris": ["https://u:p@a.test/"]}, "redirect_uris", "must not have a user name or password"),
    ({"redirect_uris": ["http://a.test/"]}, "redirect_uris", "must use https"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris", "the scheme must be https"),
    ({"redirect_uris": ["com.a.app:/cb"]}, "redirect_uris", "for public clients only"),
    ({"scope": None}, "scope", "At least one scope is required"),
    ({"scope": "tasks:read everything"}, "scope", "Unknown scope 'everything'"),
    ({"scope": ["tasks:read"]}, "scope", "Not a valid string."),
    ({"public": "perhaps"}, "public", "Not a valid boolean."),
    ({"require_pkce": 0}, "require_pkce", "Not a valid boolean."),
    ({"can_introspect": "yes"}, "can_introspect", "Not a valid boolean."),
    ({"public": True, "require_pkce": False}, "require_pkce", "must use PKCE"),
    ({"public": True, "client_credentials": True}, "client_credentials", "no credentials"),
    ({"public": True, "can_introspect": True}, "can_introspect", "requires a client with a secret"),
    ({"tenant_id": "globex"}, "tenant_id", "Unknown field."),
    ({"remember_consent": True}, "remember_consent", "Unknown field."),
    ({"client_secret": "mine"}, "client_secret", "Unknown field."),
]


@pytest.mark.parametrize(("changes", "field", "message"), MISTAKES)
def test_a_mistake_names_its_field_and_stores_nothing(
    empty_app: Flask, changes: dict[str, Any], field: str, message: str
) -> None:
    error = problem(create_client(Person(empty_app, "alice"), **changes), 422, "Invalid input")

    assert list(error["fields"]) == [field]
    assert message in error["fields"][field]
    assert message in error["detail"]
    assert row_counts(empty_app) == {}


def test_several_mistakes_are_reported_together(alice: Person) -> None:
    error = problem(create_client(alice, name="", redirect_uris=[], scope=""), 422, "Invalid input")

    assert set(error["fields"]) == {"name", "redirect_uris", "scope"}


#: Bodies that are not a JSON object, with the expected status and title.
BODIES = [
    (b"", "application/json", 400, "Bad Request"),
    (b"{", "application/json", 400, "Bad Request"),
    (b"\xff", "application/json", 400, "Bad Request"),
    (b"[" * 5000, "application/json", 400, "Bad Request"),
    (b"null", "application/json", 422, "Invalid input"),
    (b"[]", "application/json", 422, "Invalid input"),
    (b'"text"', "application/json", 422, "Invalid input"),
    (b'{"name": "x"}', "text/plain", 415, "Unsupported Media Type"),
    (b"name=x", "application/x-www-form-urlencoded", 415, "Unsupported Media Type"),
]


@pytest.mark.parametrize(("body", "content_type", "status", "title"), BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_not_a_json_object_is_refused(
    alice: Person, acme_client: Program, body: bytes, content_type: str, status: int, title: str
) -> None:
    for method, url in (("POST", API), ("PATCH", f"{API}/{acme_client.client_id}")):
        response = alice.browser.open(url, method=method, data=body, content_type=content_type)

        problem(response, status, title)


# Permission

CALLS = [
    ("GET", ""),
    ("POST", ""),
    ("GET", "/{id}"),
    ("PATCH", "/{id}"),
    ("DELETE", "/{id}"),
    ("POST", "/{id}/rotate"),
]


def call(person: Person, method: str, path: str, program: Program, **headers: str) -> TestResponse:
    body = NEW if path == "" else {}
    return person.browser.open(
        API + path.format(id=program.client_id),
        method=method,
        json=None if method in ("GET", "DELETE") else body,
        headers=headers,
    )


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_an_anonymous_caller_gets_401(
    app: Flask, stranger: Person, acme_client: Program, method: str, path: str
) -> None:
    before = rows_of(app, "oauth_clients")

    problem(call(stranger, method, path, acme_client), 401, "Not signed in")

    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_caller_without_the_permission_gets_403(
    app: Flask, bob: Person, acme_client: Program, method: str, path: str
) -> None:
    before = rows_of(app, "oauth_clients")

    error = problem(call(bob, method, path, acme_client), 403, "Not allowed")

    assert ("'view'" if method == "GET" else "'admin'") in error["detail"]
    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize(("method", "path"), CALLS[2:])
@pytest.mark.parametrize("options", [("--tenant", "acme"), ()], ids=["foreign", "global"])
def test_another_tenants_client_is_not_found(
    app: Flask, carol: Person, method: str, path: str, options: tuple[str, ...]
) -> None:
    other = Program.registered(app, *options)
    before = rows_of(app, "oauth_clients")

    response = call(carol, method, path, other)

    error = problem(response, 404, "Not found")
    unknown = call(carol, method, path, Program(app, "0" * 32, None))
    assert error["detail"].replace(other.client_id, "x") == unknown.get_json()["detail"].replace("0" * 32, "x")
    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize("client_id", ["%00", "%ff", "x" * 500, "é", "a b"])
def test_an_invalid_client_id_is_not_found(alice: Person, client_id: str) -> None:
    problem(alice.opens(f"{API}/{client_id}"), 404, "Not found")


# Cross-site requests that carry a person's cookies

OTHER_SITES: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8080"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]
SAME_SITE: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
]
UNSAFE = [(method, path) for method, path in CALLS if method != "GET"]


@pytest.mark.parametrize("headers", OTHER_SITES)
def test_a_call_from_another_site_changes_nothing(
    app: Flask, alice: Person, acme_client: Program, headers: dict[str, str]
) -> None:
    before = rows_of(app, "oauth_clients")

    for method, path in UNSAFE:
        problem(call(alice, method, path, acme_client, **headers), 403, "Cross-site call")

    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize("headers", SAME_SITE)
def test_a_call_from_a_page_of_the_app_is_accepted(
    alice: Person, acme_client: Program, headers: dict[str, str]
) -> None:
    assert call(alice, "PATCH", "/{id}", acme_client, **headers).status_code == 200


def test_a_read_is_accepted_from_any_origin(alice: Person, acme_client: Program) -> None:
    """We send no CORS header, so the browser hides the answer from the other site."""
    response = call(alice, "GET", "", acme_client, Origin="https://evil.test")

    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    ("public_url", "origin", "status"),
    [
        # Behind a proxy that terminates TLS, http and https requests look the same.
        ("https://localhost", "http://localhost", 403),
        ("https://localhost", "https://localhost", 201),
        # The proxy uses another host name for the app.
        ("https://app.example.com", "https://app.example.com", 201),
        ("https://app.example.com", "http://app.example.com", 403),
        ("https://app.example.com", "http://localhost", 201),
        ("https://app.example.com", "https://localhost", 403),
    ],
)
def test_an_origin_must_match_including_its_scheme(
    make_app: MakeApp, public_url: str, origin: str, status: int
) -> None:
    app = make_app(ACTIVEPIECES_PUBLIC_URL=public_url)

    response = Person(app, "alice").browser.post(API, json=NEW, headers={"Origin": origin})

    assert response.status_code == status
