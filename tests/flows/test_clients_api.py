"""The JSON API for a tenant's OAuth clients: every route, every refusal, every message."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.actors import Person, Program, answer_of
from tests.support.storage import database_away, row_counts, rows_of

API = "/api/integration/activepieces/oauth-clients"
NEW = {
    "name": "Flow maker",
    "description": "Makes flows",
    "redirect_uris": ["https://program.test/callback"],
    "scope": "profile:read tasks:read",
}


@pytest.fixture
def theirs(app: Flask) -> Program:
    """A client of Acme's own."""
    return Program.registered(app, "--tenant", "acme")


def creates(person: Person, **changes: Any) -> TestResponse:
    """None takes a field away."""
    body = {name: value for name, value in (NEW | changes).items() if value is not None}
    return person.browser.post(API, json=body)


def problem(response: TestResponse, status: int, title: str) -> dict[str, Any]:
    """The problem details of an answer (RFC 9457)."""
    body = answer_of(response, status)
    assert response.mimetype == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert (body["type"], body["status"], body["title"]) == ("about:blank", status, title)
    assert body["detail"]
    return body


# Registered


def test_a_new_client_is_described_with_its_secret(app: Flask, alice: Person) -> None:
    response = creates(alice)

    made = answer_of(response, 201)
    assert made.pop("client_secret").startswith("fas_")
    assert made == {
        **NEW,
        "client_id": rows_of(app, "oauth_clients")[0]["client_id"],
        "scope": "profile:read tasks:read",
        "tenant_id": "acme",
        "public": False,
        "grant_types": ["authorization_code", "refresh_token"],
        "require_pkce": True,
        "introspects": False,
        "created_at": "2027-01-15T08:00:00Z",
    }
    assert response.headers["Cache-Control"] == "no-store"


def test_a_new_client_works(app: Flask, alice: Person, bob: Person) -> None:
    made = answer_of(creates(alice), 201)
    program = Program(app, made["client_id"], made["client_secret"])

    code = bob.allows(program.question(scope=made["scope"]))

    assert program.redeems(code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"public": True}, {"public": True}),
        ({"require_pkce": False}, {"require_pkce": False}),
        (
            {"client_credentials": True, "redirect_uris": None},
            {"grant_types": ["client_credentials"], "redirect_uris": []},
        ),
        ({"introspects": True, "redirect_uris": [], "scope": ""}, {"introspects": True}),
        ({"description": None}, {"description": ""}),
        (
            {"redirect_uris": ["https://a.test/", "https://a.test/"]},
            {"redirect_uris": ["https://a.test/"]},
        ),
        ({"scope": " tasks:read  tasks:read "}, {"scope": "tasks:read"}),
        ({"name": "  Padded "}, {"name": "Padded"}),
    ],
)
def test_what_may_be_said_of_a_new_client(
    alice: Person, changes: dict[str, Any], told: dict[str, Any]
) -> None:
    made = answer_of(creates(alice, **changes), 201)

    assert {name: made[name] for name in told} == told
    assert ("client_secret" in made) is not made["public"]


#: What is wrong, the field that is named, and the words about it.
MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"name": None}, "name", "a client needs a name"),
    ({"name": " "}, "name", "a client needs a name"),
    ({"name": "n" * 121}, "name", "at most 120 characters"),
    ({"name": "two\nlines"}, "name", "one line of printable characters"),
    ({"name": "nul\0"}, "name", "one line of printable characters"),
    ({"name": "half \ud800"}, "name", "one line of printable characters"),
    ({"name": 5}, "name", "Not a valid string."),
    ({"description": "d" * 501}, "description", "at most 500 characters"),
    ({"description": "nul\0"}, "description", "one line of printable characters"),
    ({"redirect_uris": None}, "redirect_uris", "at least one redirect URI is needed"),
    ({"redirect_uris": []}, "redirect_uris", "at least one redirect URI is needed"),
    ({"redirect_uris": "https://a.test/"}, "redirect_uris", "Not a valid list."),
    ({"redirect_uris": [5]}, "redirect_uris", "Not a valid string."),
    (
        {"redirect_uris": [f"https://a.test/{n}" for n in range(21)]},
        "redirect_uris",
        "at most 20 redirect URIs",
    ),
    ({"redirect_uris": ["/callback"]}, "redirect_uris", "an absolute URI of plain ASCII"),
    ({"redirect_uris": ["https://a.test/é"]}, "redirect_uris", "plain ASCII characters"),
    ({"redirect_uris": ["https://a.test/" + "a" * 2000]}, "redirect_uris", "plain ASCII"),
    ({"redirect_uris": ["https://a.test:port/"]}, "redirect_uris", "not a valid URI"),
    ({"redirect_uris": ["https://a.test/#x"]}, "redirect_uris", "no fragment"),
    ({"redirect_uris": ["https:///x"]}, "redirect_uris", "it has no host"),
    ({"redirect_uris": ["https://u:p@a.test/"]}, "redirect_uris", "no user name or password"),
    ({"redirect_uris": ["http://a.test/"]}, "redirect_uris", "it must use https"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris", "its scheme must be https"),
    ({"redirect_uris": ["com.a.app:/cb"]}, "redirect_uris", "for public clients only"),
    ({"scope": None}, "scope", "at least one scope is needed"),
    ({"scope": "tasks:read everything"}, "scope", "there is no scope 'everything'"),
    ({"scope": ["tasks:read"]}, "scope", "Not a valid string."),
    ({"public": "perhaps"}, "public", "Not a valid boolean."),
    ({"public": True, "require_pkce": False}, "require_pkce", "cannot do without PKCE"),
    ({"public": True, "client_credentials": True}, "client_credentials", "no credentials"),
    ({"public": True, "introspects": True}, "introspects", "needs a client with a secret"),
    ({"tenant_id": "globex"}, "tenant_id", "Unknown field."),
    ({"client_secret": "mine"}, "client_secret", "Unknown field."),
]


@pytest.mark.parametrize(("changes", "field", "words"), MISTAKES)
def test_a_mistake_is_named_by_its_field_and_nothing_is_stored(
    app: Flask, alice: Person, changes: dict[str, Any], field: str, words: str
) -> None:
    told = problem(creates(alice, **changes), 422, "Invalid input")

    assert list(told["fields"]) == [field]
    assert words in told["fields"][field]
    assert words in told["detail"]
    assert row_counts(app) == {}


def test_several_mistakes_are_told_together(alice: Person) -> None:
    told = problem(creates(alice, name="", redirect_uris=[], scope=""), 422, "Invalid input")

    assert set(told["fields"]) == {"name", "redirect_uris", "scope"}


#: Bodies that are no JSON object, and what is said of each.
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


@pytest.mark.parametrize(
    ("body", "content_type", "status", "title"), BODIES, ids=range(len(BODIES))
)
def test_a_body_that_is_no_json_object_is_refused(
    alice: Person, theirs: Program, body: bytes, content_type: str, status: int, title: str
) -> None:
    for method, url in (("POST", API), ("PATCH", f"{API}/{theirs.client_id}")):
        response = alice.browser.open(url, method=method, data=body, content_type=content_type)

        problem(response, status, title)


# Looked at


def test_the_list_has_the_tenants_own_clients_by_name_and_no_secrets(
    app: Flask, alice: Person
) -> None:
    creates(alice, name="Second")
    creates(alice, name="First")
    Program.registered(app, "--tenant", "globex")
    Program.registered(app)

    listed = answer_of(alice.opens(API))["data"]

    assert [client["name"] for client in listed] == ["First", "Second"]
    assert not [client for client in listed if "client_secret" in client]
    assert "hash" not in alice.opens(API).text


def test_one_client_is_shown_without_its_secret(alice: Person) -> None:
    made = answer_of(creates(alice), 201)
    del made["client_secret"]

    assert answer_of(alice.opens(f"{API}/{made['client_id']}")) == made


# Changed


def test_a_change_touches_only_what_it_names(alice: Person) -> None:
    made = answer_of(creates(alice), 201)
    del made["client_secret"]
    url = f"{API}/{made['client_id']}"

    changed = answer_of(alice.browser.patch(url, json={"name": "Renamed"}))

    assert changed == made | {"name": "Renamed"}
    assert answer_of(alice.opens(url)) == changed


def test_a_change_keeps_the_secret(app: Flask, alice: Person, bob: Person, theirs: Program) -> None:
    alice.browser.patch(f"{API}/{theirs.client_id}", json={"description": "Other words"})

    assert theirs.connects(bob)


def test_an_address_taken_away_is_accepted_no_more(
    alice: Person, bob: Person, theirs: Program
) -> None:
    other = {"redirect_uris": ["https://elsewhere.test/cb"]}
    alice.browser.patch(f"{API}/{theirs.client_id}", json=other)

    assert bob.opens(theirs.question()).status_code == 400


def test_an_empty_change_changes_nothing(alice: Person, theirs: Program) -> None:
    url = f"{API}/{theirs.client_id}"
    before = answer_of(alice.opens(url))

    assert answer_of(alice.browser.patch(url, json={})) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"public": True}, "public"),
        ({"tenant_id": "globex"}, "tenant_id"),
        ({"client_id": "other"}, "client_id"),
        ({"name": ""}, "name"),
        ({"scope": "everything"}, "scope"),
        ({"redirect_uris": []}, "redirect_uris"),
    ],
)
def test_what_cannot_be_changed_is_named(
    app: Flask, alice: Person, theirs: Program, body: dict[str, Any], field: str
) -> None:
    before = rows_of(app, "oauth_clients")

    response = alice.browser.patch(f"{API}/{theirs.client_id}", json=body)

    assert list(problem(response, 422, "Invalid input")["fields"]) == [field]
    assert rows_of(app, "oauth_clients") == before


def test_a_public_client_stays_held_to_its_rules(app: Flask, alice: Person) -> None:
    public = Program.registered(app, "--tenant", "acme", "--public")

    response = alice.browser.patch(f"{API}/{public.client_id}", json={"require_pkce": False})

    assert "PKCE" in problem(response, 422, "Invalid input")["fields"]["require_pkce"]


# A new secret


def works(app: Flask, client_id: str, secret: str) -> bool:
    """Whether the client can prove itself by this secret."""
    program = Program(app, client_id, secret)
    return "active" in program.introspects("any token").get_json()


def test_a_rotated_secret_is_shown_once_and_the_old_one_works_on(
    app: Flask, alice: Person, theirs: Program
) -> None:
    response = alice.browser.post(f"{API}/{theirs.client_id}/rotate")

    secret = answer_of(response)["client_secret"]
    assert secret != theirs.client_secret
    assert response.headers["Cache-Control"] == "no-store"
    assert works(app, theirs.client_id, secret)
    assert works(app, theirs.client_id, str(theirs.client_secret))
    assert "client_secret" not in answer_of(alice.opens(f"{API}/{theirs.client_id}"))


def test_the_old_secret_can_be_ended_at_once(app: Flask, alice: Person, theirs: Program) -> None:
    url = f"{API}/{theirs.client_id}/rotate"

    secret = answer_of(alice.browser.post(url, json={"keep_old": False}))["client_secret"]

    assert works(app, theirs.client_id, secret)
    assert not works(app, theirs.client_id, str(theirs.client_secret))


def test_the_second_rotation_ends_the_first_secret(
    app: Flask, alice: Person, theirs: Program
) -> None:
    url = f"{API}/{theirs.client_id}/rotate"

    second = answer_of(alice.browser.post(url, json={}))["client_secret"]
    third = answer_of(alice.browser.post(url))["client_secret"]

    assert [
        works(app, theirs.client_id, s) for s in (str(theirs.client_secret), second, third)
    ] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("body", [{"keep_old": "perhaps"}, {"keep": True}, []])
def test_a_rotation_with_unknown_wishes_changes_nothing(
    app: Flask, alice: Person, theirs: Program, body: Any
) -> None:
    before = rows_of(app, "oauth_clients")

    response = alice.browser.post(f"{API}/{theirs.client_id}/rotate", json=body)

    problem(response, 422, "Invalid input")
    assert rows_of(app, "oauth_clients") == before


def test_a_public_client_has_no_secret_to_rotate(app: Flask, alice: Person) -> None:
    public = Program.registered(app, "--tenant", "acme", "--public")

    response = alice.browser.post(f"{API}/{public.client_id}/rotate")

    assert "no secret" in problem(response, 422, "Invalid input")["detail"]


# Deleted


def test_a_deleted_client_takes_all_that_it_has_with_it(
    app: Flask, alice: Person, bob: Person, theirs: Program
) -> None:
    pair = theirs.connects(bob)

    response = alice.browser.delete(f"{API}/{theirs.client_id}")

    assert (response.status_code, response.data) == (204, b"")
    assert theirs.calls(pair["access_token"]).status_code == 401
    problem(alice.opens(f"{API}/{theirs.client_id}"), 404, "Not found")
    problem(alice.browser.delete(f"{API}/{theirs.client_id}"), 404, "Not found")


# Who may not

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
def test_a_stranger_is_told_to_sign_in(
    app: Flask, stranger: Person, theirs: Program, method: str, path: str
) -> None:
    before = rows_of(app, "oauth_clients")

    problem(call(stranger, method, path, theirs), 401, "Not signed in")

    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_one_without_the_permission_is_refused(
    app: Flask, bob: Person, theirs: Program, method: str, path: str
) -> None:
    before = rows_of(app, "oauth_clients")

    told = problem(call(bob, method, path, theirs), 403, "Not allowed")

    assert ("'view'" if method == "GET" else "'admin'") in told["detail"]
    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize(("method", "path"), CALLS[2:])
@pytest.mark.parametrize("options", [("--tenant", "acme"), ()], ids=["foreign", "global"])
def test_a_client_that_is_not_the_tenants_own_does_not_exist_here(
    app: Flask, carol: Person, method: str, path: str, options: tuple[str, ...]
) -> None:
    other = Program.registered(app, *options)
    before = rows_of(app, "oauth_clients")

    response = call(carol, method, path, other)

    told = problem(response, 404, "Not found")
    unknown = call(carol, method, path, Program(app, "0" * 32, None))
    assert told["detail"].replace(other.client_id, "x") == unknown.get_json()["detail"].replace(
        "0" * 32, "x"
    )
    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize("client_id", ["%00", "%ff", "x" * 500, "é", "a b"])
def test_what_cannot_be_an_id_is_not_found(alice: Person, client_id: str) -> None:
    problem(alice.opens(f"{API}/{client_id}"), 404, "Not found")


# Calls that another site makes with a person's cookies

OTHER_SITES: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8080"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
]
OWN_PAGES: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
]
UNSAFE = [(method, path) for method, path in CALLS if method != "GET"]


@pytest.mark.parametrize("headers", OTHER_SITES)
def test_a_call_from_another_site_changes_nothing(
    app: Flask, alice: Person, theirs: Program, headers: dict[str, str]
) -> None:
    before = rows_of(app, "oauth_clients")

    for method, path in UNSAFE:
        problem(call(alice, method, path, theirs, **headers), 403, "Cross-site call")

    assert rows_of(app, "oauth_clients") == before


@pytest.mark.parametrize("headers", OWN_PAGES)
def test_a_call_from_a_page_of_the_app_passes(
    alice: Person, theirs: Program, headers: dict[str, str]
) -> None:
    assert call(alice, "PATCH", "/{id}", theirs, **headers).status_code == 200


def test_reading_is_not_held_to_where_a_call_comes_from(alice: Person, theirs: Program) -> None:
    """The browser keeps the answer from the other site: we send no CORS header."""
    response = call(alice, "GET", "", theirs, Origin="https://evil.test")

    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers


def test_while_the_database_is_away_the_answer_is_503(
    app: Flask, alice: Person, theirs: Program
) -> None:
    with database_away(app):
        response = alice.opens(API)

    assert problem(response, 503, "Not available")["retry_after"] == 5
    assert response.headers["Retry-After"] == "5"
