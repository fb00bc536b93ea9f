"""Integrations through the JSON API: set up, read, disable, change the key, remove."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from flask_activepieces import Principal
from flask_activepieces.testing import ActivepiecesServer
from flask_activepieces.testing.standin.access.accounts import add_api_key
from tests.conftest import MakeApp
from tests.support.actors import answer_of
from tests.support.api_user import ApiUser
from tests.support.hosts import SmallHost
from tests.support.problems import problem
from tests.support.storage import row_counts, rows_of


@pytest.fixture
def app(linked_app: Flask) -> Flask:
    return linked_app


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    """The admin of Acme."""
    return ApiUser.named(app, "alice")


@pytest.fixture
def key(server: ActivepiecesServer) -> dict[str, str]:
    """The setup body of a tenant with its own key."""
    return {"apiKey": server.api_key, "projectId": server.project_id}


def another_key(server: ActivepiecesServer) -> str:
    _, secret = add_api_key(server.state, server.platform_id, "another")
    return secret


# Setup


def test_a_new_integration_is_shown_without_its_key(
    alice: ApiUser, server: ActivepiecesServer, key: dict[str, str]
) -> None:
    integration = alice.links(**key)

    fetched = alice.gets(f"/setup/{integration}")

    assert answer_of(fetched) == {
        "id": integration,
        "tenantId": "acme",
        "organizationId": None,
        "baseUrl": None,
        "projectId": server.project_id,
        "hasCredentials": True,
        "credentialHint": f"sk-…{server.api_key[-4:]}",
        "enabled": True,
        "defaultConnectionId": None,
        "defaultConnectionExternalId": None,
        "oauthClientId": None,
        "failedConnectionIds": [],
        "createdAt": "2027-01-15T08:00:00Z",
        "updatedAt": "2027-01-15T08:00:00Z",
    }
    assert answer_of(alice.gets(f"/integration-tenant/{integration}")) == fetched.get_json()
    assert fetched.headers["Cache-Control"] == "no-store"


def test_setting_up_again_updates_the_integration(
    alice: ApiUser, server: ActivepiecesServer, key: dict[str, str]
) -> None:
    first = alice.links(**key)
    new_key = another_key(server)

    second = alice.links(apiKey=new_key)

    assert second == first
    fetched = answer_of(alice.gets(f"/setup/{first}"))
    assert fetched["credentialHint"] == f"sk-…{new_key[-4:]}"
    assert fetched["projectId"] == server.project_id


def test_a_tenant_may_have_an_integration_for_each_organization(alice: ApiUser, key: dict[str, str]) -> None:
    whole = alice.links(**key)
    labs = alice.links(organizationId="labs", **key)

    listed = answer_of(alice.gets("/setup"))["data"]

    assert [(integration["id"], integration["organizationId"]) for integration in listed] == [
        (whole, None),
        (labs, "labs"),
    ]


class HostWithOrganization(SmallHost):
    """All users are always in an organization."""

    def current_principal(self) -> Principal | None:
        principal = super().current_principal()
        return None if principal is None else replace(principal, organization_id="sales")


def test_the_organization_defaults_to_the_callers_and_null_means_the_whole_tenant(
    make_app: MakeApp, server: ActivepiecesServer, key: dict[str, str]
) -> None:
    app = make_app(host=HostWithOrganization(), ACTIVEPIECES_BASE_URL=server.url)
    alice = ApiUser.named(app, "alice")

    sales = alice.links(**key)
    whole = alice.links(**key, organizationId=None)
    again = alice.links(organizationId="sales")

    listed = answer_of(alice.gets("/setup"))["data"]
    assert [(integration["id"], integration["organizationId"]) for integration in listed] == [
        (whole, None),
        (sales, "sales"),
    ]
    assert again == sales


@pytest.mark.parametrize("organization", ["made-up", "acme", "acme-labs"])
def test_an_organization_that_is_not_the_callers_is_refused(
    alice: ApiUser, server: ActivepiecesServer, organization: str
) -> None:
    """Otherwise anyone could create a project for every invented name."""
    answer = alice.posts("/setup", {"organizationId": organization})

    assert list(problem(answer, 422, "Invalid input")["fields"]) == ["organizationId"]
    assert server.calls == []


def test_a_tenant_without_a_key_gets_its_own_project(alice: ApiUser) -> None:
    integration = alice.links()

    fetched = answer_of(alice.gets(f"/setup/{integration}"))
    (project,) = answer_of(alice.gets(f"/projects/{integration}"))["data"]

    assert (fetched["hasCredentials"], fetched["credentialHint"]) == (False, None)
    assert (project["id"], project["externalId"]) == (fetched["projectId"], "acme")


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"apiKey": "sk-of-another-platform"}, "apiKey", "does not accept"),
        ({"userToken": "not-a-token"}, "userToken", "does not accept"),
        ({"email": "admin@example.com", "password": "wrong"}, "password", "does not accept"),
        ({"email": "admin@example.com"}, "password", "must be set together"),
        ({"apiKey": "white space"}, "apiKey", "printable ASCII"),
        ({"apiKey": ""}, "apiKey", "between 1 and"),
        ({"apiKey": 5}, "apiKey", "Not a valid string."),
        ({"projectId": "none"}, "projectId", "own key"),
        ({"apiKey": "sk-x", "baseUrl": "http://169.254.169.254/"}, "baseUrl", "not allowed"),
        ({"apiKey": "sk-x", "baseUrl": "file:///etc/passwd"}, "baseUrl", ""),
        ({"apiKey": None}, "apiKey", "null"),
        ({"organizationId": "nul\0"}, "organizationId", "characters"),
        ({"organizationId": "half \ud800"}, "organizationId", "characters"),
        ({"tenantId": "globex"}, "tenantId", "Unknown field."),
        ({"enabled": False}, "enabled", "Unknown field."),
    ],
)
def test_an_invalid_field_is_named_and_nothing_is_stored(
    app: Flask, alice: ApiUser, body: dict[str, Any], field: str, message: str
) -> None:
    error = problem(alice.posts("/setup", body), 422, "Invalid input")

    assert list(error["fields"]) == [field]
    assert message in error["fields"][field]
    assert row_counts(app) == {}


def test_a_project_that_the_key_cannot_see_is_refused_with_a_list_of_those_it_can(
    alice: ApiUser, server: ActivepiecesServer
) -> None:
    error = problem(alice.posts("/setup", {"apiKey": server.api_key, "projectId": "none"}), 422, "Invalid input")

    assert server.project_id in error["fields"]["projectId"]


def test_setup_without_any_key_is_refused(make_app: MakeApp, server: ActivepiecesServer) -> None:
    alice = ApiUser.named(make_app(ACTIVEPIECES_BASE_URL=server.url), "alice")

    assert "apiKey" in problem(alice.posts("/setup", {}), 422, "Invalid input")["fields"]
    assert server.calls == []


# Changes


def test_a_disabled_integration_is_blocked_until_it_is_enabled_again(
    alice: ApiUser, server: ActivepiecesServer, key: dict[str, str]
) -> None:
    integration = alice.links(**key)
    before = len(server.calls)

    disabled = answer_of(alice.patches(f"/setup/{integration}", {"enabled": False}))
    status = answer_of(alice.gets(f"/status/{integration}"))
    blocked = alice.gets(f"/connections/{integration}")

    assert (disabled["enabled"], status) == (False, {"enabled": False})
    assert problem(blocked, 409, "Disabled")["code"] == "disabled"
    assert len(server.calls) == before

    alice.patches(f"/setup/{integration}", {"enabled": True})
    assert answer_of(alice.gets(f"/status/{integration}")) == {"enabled": True}
    assert alice.gets(f"/connections/{integration}").status_code == 200


def test_a_new_key_replaces_the_old_one_only_if_activepieces_accepts_it(
    alice: ApiUser, server: ActivepiecesServer, key: dict[str, str]
) -> None:
    integration = alice.links(**key)
    new = another_key(server)

    refused = alice.patches(f"/setup/{integration}", {"apiKey": "sk-wrong"})
    unchanged = answer_of(alice.gets(f"/setup/{integration}"))["credentialHint"]
    changed = answer_of(alice.patches(f"/setup/{integration}", {"apiKey": new}))

    assert list(problem(refused, 422, "Invalid input")["fields"]) == ["apiKey"]
    assert unchanged.endswith(server.api_key[-4:])
    assert changed["credentialHint"].endswith(new[-4:])


def test_null_removes_a_credential(alice: ApiUser, server: ActivepiecesServer, key: dict[str, str]) -> None:
    integration = alice.links(**key, userToken=server.user_token())

    without_token = answer_of(alice.patches(f"/setup/{integration}", {"userToken": None}))
    without_key = answer_of(alice.patches(f"/setup/{integration}", {"apiKey": None}))

    assert without_token["credentialHint"] == f"sk-…{server.api_key[-4:]}"
    assert (without_key["credentialHint"], without_key["hasCredentials"]) == (None, False)


def test_an_empty_change_changes_nothing(alice: ApiUser, key: dict[str, str]) -> None:
    integration = alice.links(**key)
    before = answer_of(alice.gets(f"/setup/{integration}"))

    assert answer_of(alice.patches(f"/setup/{integration}", {})) == before


# Removal


def test_a_removed_integration_is_not_found(app: Flask, alice: ApiUser, key: dict[str, str]) -> None:
    integration = alice.links(**key)

    assert alice.deletes(f"/setup/{integration}").status_code == 204

    problem(alice.gets(f"/setup/{integration}"), 404, "Not found")
    problem(alice.deletes(f"/setup/{integration}"), 404, "Not found")
    assert "integrations" not in row_counts(app)


def test_every_change_is_in_the_audit_trail(
    app: Flask, alice: ApiUser, server: ActivepiecesServer, key: dict[str, str]
) -> None:
    integration = alice.links(**key)
    alice.patches(f"/setup/{integration}", {"enabled": False})
    alice.patches(f"/setup/{integration}", {"apiKey": another_key(server)})
    alice.deletes(f"/setup/{integration}")

    assert [(row["name"], row["user_id"]) for row in rows_of(app, "audit_events")] == [
        ("integration.created", "alice"),
        ("integration.disabled", "alice"),
        ("integration.key_rotated", "alice"),
        ("integration.removed", "alice"),
    ]
