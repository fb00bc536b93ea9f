"""The JSON API for a tenant's OAuth clients: every route, and what it does for one who may."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.actors import Person, Program, answer_of
from tests.support.problems import problem
from tests.support.storage import database_away, rows_of

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
        "remember_consent": False,
        "introspects": False,
        "integration_id": None,
        "created_at": "2027-01-15T08:00:00Z",
        "tokens_issued": 0,
        "last_issued_at": None,
        "disabled_at": None,
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


def test_while_the_database_is_away_the_answer_is_503(
    app: Flask, alice: Person, theirs: Program
) -> None:
    with database_away(app):
        response = alice.opens(API)

    assert problem(response, 503, "Not available")["retry_after"] == 5
    assert response.headers["Retry-After"] == "5"


# The mark of an operator


@pytest.fixture
def marked(app: Flask) -> str:
    """The address of a client of Acme's that an operator let skip the consent page."""
    program = Program.registered(app, "--tenant", "acme", "--remember-consent")
    return f"{API}/{program.client_id}"


def test_an_operators_mark_is_shown(alice: Person, marked: str) -> None:
    assert answer_of(alice.opens(marked))["remember_consent"] is True
    assert alice.browser.patch(marked, json={"remember_consent": False}).status_code == 422


@pytest.mark.parametrize("uri", ["https://ap.test/redirect", "https://elsewhere.test/callback"])
def test_no_admin_changes_where_a_client_that_skips_the_consent_page_sends_users(
    alice: Person, marked: str, uri: str
) -> None:
    told = answer_of(alice.browser.patch(marked, json={"redirect_uris": [uri]}), 422)

    assert list(told["fields"]) == ["redirect_uris"]
    assert "only an operator" in told["detail"]


def test_what_else_such_a_client_is_can_be_changed(alice: Person, marked: str) -> None:
    same = answer_of(alice.opens(marked))["redirect_uris"]

    changed = alice.browser.patch(marked, json={"name": "Renamed", "redirect_uris": same})

    assert answer_of(changed)["name"] == "Renamed"
    assert answer_of(changed)["remember_consent"] is True
