"""The JSON API for a tenant's OAuth clients: every route, called by an admin."""

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
def acme_client(app: Flask) -> Program:
    """A client of Acme."""
    return Program.registered(app, "--tenant", "acme")


def create_client(person: Person, **changes: Any) -> TestResponse:
    """Create a client; None removes a field."""
    body = {name: value for name, value in (NEW | changes).items() if value is not None}
    return person.browser.post(API, json=body)


# Registration


def test_a_new_client_is_returned_with_its_secret(app: Flask, alice: Person) -> None:
    response = create_client(alice)

    created = answer_of(response, 201)
    assert created.pop("client_secret").startswith("fas_")
    assert created == {
        **NEW,
        "logo_uri": None,
        "client_id": rows_of(app, "oauth_clients")[0]["client_id"],
        "scope": "profile:read tasks:read",
        "tenant_id": "acme",
        "public": False,
        "grant_types": ["authorization_code", "refresh_token"],
        "require_pkce": True,
        "remember_consent": False,
        "can_introspect": False,
        "integration_id": None,
        "created_at": "2027-01-15T08:00:00Z",
        "tokens_issued": 0,
        "last_issued_at": None,
        "disabled_at": None,
        "source": "operator",
        "document_url": None,
    }
    assert response.headers["Cache-Control"] == "no-store"


def test_a_new_client_works(app: Flask, alice: Person, bob: Person) -> None:
    created = answer_of(create_client(alice), 201)
    program = Program(app, created["client_id"], created["client_secret"])

    code = bob.allows(program.question(scope=created["scope"]))

    assert program.redeems(code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"public": True}, {"public": True}),
        ({"require_pkce": False}, {"require_pkce": False}),
        (
            {"client_credentials": True, "redirect_uris": None},
            {"grant_types": ["client_credentials"], "redirect_uris": []},
        ),
        ({"can_introspect": True, "redirect_uris": [], "scope": ""}, {"can_introspect": True}),
        ({"description": None}, {"description": ""}),
        ({"logo_uri": None}, {"logo_uri": None}),
        ({"redirect_uris": ["https://a.test/", "https://a.test/"]}, {"redirect_uris": ["https://a.test/"]}),
        ({"scope": " tasks:read  tasks:read "}, {"scope": "tasks:read"}),
        ({"name": "  Padded "}, {"name": "Padded"}),
    ],
)
def test_a_new_client_may_be_configured(alice: Person, changes: dict[str, Any], expected: dict[str, Any]) -> None:
    created = answer_of(create_client(alice, **changes), 201)

    assert {name: created[name] for name in expected} == expected
    assert ("client_secret" in created) is not created["public"]


# Reading


def test_the_list_has_the_tenants_own_clients_sorted_by_name_without_secrets(app: Flask, alice: Person) -> None:
    create_client(alice, name="Second")
    create_client(alice, name="First")
    Program.registered(app, "--tenant", "globex")
    Program.registered(app)

    listed = answer_of(alice.opens(API))["data"]

    assert [client["name"] for client in listed] == ["First", "Second"]
    assert not [client for client in listed if "client_secret" in client]
    assert "hash" not in alice.opens(API).text


def test_one_client_is_shown_without_its_secret(alice: Person) -> None:
    created = answer_of(create_client(alice), 201)
    del created["client_secret"]

    assert answer_of(alice.opens(f"{API}/{created['client_id']}")) == created


# Changes


def test_a_change_affects_only_the_given_fields(alice: Person) -> None:
    created = answer_of(create_client(alice), 201)
    del created["client_secret"]
    url = f"{API}/{created['client_id']}"

    changed = answer_of(alice.browser.patch(url, json={"name": "Renamed"}))

    assert changed == created | {"name": "Renamed"}
    assert answer_of(alice.opens(url)) == changed


def test_a_change_keeps_the_secret(app: Flask, alice: Person, bob: Person, acme_client: Program) -> None:
    alice.browser.patch(f"{API}/{acme_client.client_id}", json={"description": "Another description"})

    assert acme_client.connects(bob)


def test_a_removed_redirect_uri_is_no_longer_accepted(alice: Person, bob: Person, acme_client: Program) -> None:
    changes = {"redirect_uris": ["https://elsewhere.test/cb"]}
    alice.browser.patch(f"{API}/{acme_client.client_id}", json=changes)

    assert bob.opens(acme_client.question()).status_code == 400


def test_an_empty_change_changes_nothing(alice: Person, acme_client: Program) -> None:
    url = f"{API}/{acme_client.client_id}"
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
def test_an_invalid_change_names_its_field(
    app: Flask, alice: Person, acme_client: Program, body: dict[str, Any], field: str
) -> None:
    before = rows_of(app, "oauth_clients")

    response = alice.browser.patch(f"{API}/{acme_client.client_id}", json=body)

    assert list(problem(response, 422, "Invalid input")["fields"]) == [field]
    assert rows_of(app, "oauth_clients") == before


def test_a_public_client_cannot_drop_pkce(app: Flask, alice: Person) -> None:
    public = Program.registered(app, "--tenant", "acme", "--public")

    response = alice.browser.patch(f"{API}/{public.client_id}", json={"require_pkce": False})

    assert "PKCE" in problem(response, 422, "Invalid input")["fields"]["require_pkce"]


# Rotation


def secret_is_valid(app: Flask, client_id: str, secret: str) -> bool:
    """Whether the client can authenticate with this secret."""
    program = Program(app, client_id, secret)
    return "active" in program.introspects("any token").get_json()


def test_a_rotated_secret_is_shown_once_and_the_old_one_stays_valid(
    app: Flask, alice: Person, acme_client: Program
) -> None:
    response = alice.browser.post(f"{API}/{acme_client.client_id}/rotate")

    secret = answer_of(response)["client_secret"]
    assert secret != acme_client.client_secret
    assert response.headers["Cache-Control"] == "no-store"
    assert secret_is_valid(app, acme_client.client_id, secret)
    assert secret_is_valid(app, acme_client.client_id, str(acme_client.client_secret))
    assert "client_secret" not in answer_of(alice.opens(f"{API}/{acme_client.client_id}"))


def test_a_rotation_can_invalidate_the_old_secret_immediately(
    app: Flask, alice: Person, acme_client: Program
) -> None:
    url = f"{API}/{acme_client.client_id}/rotate"

    secret = answer_of(alice.browser.post(url, json={"keep_old": False}))["client_secret"]

    assert secret_is_valid(app, acme_client.client_id, secret)
    assert not secret_is_valid(app, acme_client.client_id, str(acme_client.client_secret))


def test_a_second_rotation_invalidates_the_first_secret(app: Flask, alice: Person, acme_client: Program) -> None:
    url = f"{API}/{acme_client.client_id}/rotate"

    second = answer_of(alice.browser.post(url, json={}))["client_secret"]
    third = answer_of(alice.browser.post(url))["client_secret"]

    assert [
        secret_is_valid(app, acme_client.client_id, secret)
        for secret in (str(acme_client.client_secret), second, third)
    ] == [False, True, True]


@pytest.mark.parametrize("body", [{"keep_old": "perhaps"}, {"keep": True}, []])
def test_a_rotation_with_invalid_options_changes_nothing(
    app: Flask, alice: Person, acme_client: Program, body: Any
) -> None:
    before = rows_of(app, "oauth_clients")

    response = alice.browser.post(f"{API}/{acme_client.client_id}/rotate", json=body)

    problem(response, 422, "Invalid input")
    assert rows_of(app, "oauth_clients") == before


def test_a_public_client_has_no_secret_to_rotate(app: Flask, alice: Person) -> None:
    public = Program.registered(app, "--tenant", "acme", "--public")

    response = alice.browser.post(f"{API}/{public.client_id}/rotate")

    assert "no secret" in problem(response, 422, "Invalid input")["detail"]


# Deletion


def test_deleting_a_client_revokes_its_tokens(app: Flask, alice: Person, bob: Person, acme_client: Program) -> None:
    pair = acme_client.connects(bob)

    response = alice.browser.delete(f"{API}/{acme_client.client_id}")

    assert (response.status_code, response.data) == (204, b"")
    assert acme_client.calls(pair["access_token"]).status_code == 401
    problem(alice.opens(f"{API}/{acme_client.client_id}"), 404, "Not found")
    problem(alice.browser.delete(f"{API}/{acme_client.client_id}"), 404, "Not found")


def test_the_api_answers_503_while_the_database_is_down(app: Flask, alice: Person, acme_client: Program) -> None:
    with database_away(app):
        response = alice.opens(API)

    assert problem(response, 503, "Not available")["retry_after"] == 5
    assert response.headers["Retry-After"] == "5"


# Clients that skip the consent page


@pytest.fixture
def trusted_url(app: Flask) -> str:
    """The URL of a client of Acme; an operator has allowed it to skip the consent page."""
    program = Program.registered(app, "--tenant", "acme", "--remember-consent")
    return f"{API}/{program.client_id}"


def test_remember_consent_is_shown_and_cannot_be_changed(alice: Person, trusted_url: str) -> None:
    assert answer_of(alice.opens(trusted_url))["remember_consent"] is True
    assert alice.browser.patch(trusted_url, json={"remember_consent": False}).status_code == 422


@pytest.mark.parametrize("uri", ["https://ap.test/redirect", "https://elsewhere.test/callback"])
def test_an_admin_cannot_change_the_redirect_uris_of_a_client_that_skips_the_consent_page(
    alice: Person, trusted_url: str, uri: str
) -> None:
    expected = answer_of(alice.browser.patch(trusted_url, json={"redirect_uris": [uri]}), 422)

    assert list(expected["fields"]) == ["redirect_uris"]
    assert "only an operator" in expected["detail"]


def test_an_admin_can_change_the_name_of_a_client_that_skips_the_consent_page(
    alice: Person, trusted_url: str
) -> None:
    redirect_uris = answer_of(alice.opens(trusted_url))["redirect_uris"]

    changed = alice.browser.patch(trusted_url, json={"name": "Renamed", "redirect_uris": redirect_uris})

    assert answer_of(changed)["name"] == "Renamed"
    assert answer_of(changed)["remember_consent"] is True
