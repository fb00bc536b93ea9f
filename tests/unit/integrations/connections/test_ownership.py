"""The owner of a connection is in its metadata, and callers cannot choose it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from flask_activepieces.integrations.connections.ownership import external_id, is_owned_by, with_owner_metadata
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import WITHOUT_CREDENTIALS

WITH_CREDENTIALS = replace(WITHOUT_CREDENTIALS, encrypted_credentials="a ciphertext")
OF_AN_ORGANIZATION = replace(WITHOUT_CREDENTIALS, organization_id="labs")


def test_the_metadata_name_the_owner_and_the_version_of_the_app() -> None:
    assert with_owner_metadata({"team": "sales"}, OF_AN_ORGANIZATION, version="2.1") == {
        "team": "sales",
        "tenantId": "acme",
        "organizationId": "labs",
        "integrationId": "an-integration",
        "hostVersion": "2.1",
    }


def test_the_title_of_the_piece_stays_until_another_one_is_known() -> None:
    titled = with_owner_metadata(None, WITHOUT_CREDENTIALS, version=None, piece_title="Old")
    kept = with_owner_metadata({"team": "sales"}, WITHOUT_CREDENTIALS, version=None, existing=titled)
    changed = with_owner_metadata(None, WITHOUT_CREDENTIALS, version=None, piece_title="New", existing=kept)

    assert [each["pieceTitle"] for each in (titled, kept, changed)] == ["Old", "Old", "New"]


@pytest.mark.parametrize(
    "name", ["tenantId", "organizationId", "integrationId", "hostVersion", "userId", "pieceTitle"]
)
def test_a_caller_cannot_choose_the_owner(name: str) -> None:
    written = with_owner_metadata({name: "globex"}, WITHOUT_CREDENTIALS, version=None)

    assert "globex" not in written.values()
    assert written["tenantId"] == "acme"


def owns(
    integration: Integration,
    metadata: dict[str, Any] | None,
    external_id: str,
    scope: str = "PROJECT",
    *,
    has_project_alone: bool = False,
) -> bool:
    """Whether the integration owns the connection, by default in a project that others use too."""
    return is_owned_by(metadata, external_id, scope, integration, has_project_alone=has_project_alone)


@pytest.mark.parametrize(
    ("metadata", "on_the_apps_key", "on_its_own_key"),
    [
        ({"tenantId": "acme"}, True, True),
        ({"tenantId": "acme", "team": "sales"}, True, True),
        ({"tenantId": "globex"}, False, False),
        ({"tenantId": "acme", "organizationId": "labs"}, False, False),
        ({"tenantId": "ACME"}, False, False),
        ({"tenantId": None}, False, False),
        ({"tenantId": ["acme"]}, False, False),
        # Created in Activepieces: visible with the tenant's own key, but not in a project that others use too.
        ({}, False, True),
        (None, False, True),
        ({"team": "sales"}, False, True),
    ],
)
def test_which_integration_owns_a_connection(
    metadata: dict[str, Any] | None, on_the_apps_key: bool, on_its_own_key: bool
) -> None:
    assert owns(WITHOUT_CREDENTIALS, metadata, "by-hand") is on_the_apps_key
    assert owns(WITH_CREDENTIALS, metadata, "by-hand") is on_its_own_key


@pytest.mark.parametrize(
    ("metadata", "scope", "is_owned"),
    [
        ({}, "PROJECT", True),
        ({"team": "sales"}, "PROJECT", True),
        # Other projects may use it, too.
        ({}, "PLATFORM", False),
        ({"tenantId": "globex"}, "PROJECT", False),
        ({"tenantId": "acme", "organizationId": "labs"}, "PROJECT", False),
    ],
)
def test_on_the_apps_key_a_project_of_its_own_makes_untagged_connections_the_tenants(
    metadata: dict[str, Any], scope: str, is_owned: bool
) -> None:
    assert owns(WITHOUT_CREDENTIALS, metadata, "by-hand", scope, has_project_alone=True) is is_owned


def test_attack_anothers_external_id_is_not_untagged() -> None:
    theirs = external_id(replace(WITHOUT_CREDENTIALS, tenant_id="globex"), "slack")

    assert not owns(WITHOUT_CREDENTIALS, {}, theirs, has_project_alone=True)


@pytest.mark.parametrize("metadata", [None, {}, {"team": "sales"}])
@pytest.mark.parametrize("integration", [WITHOUT_CREDENTIALS, WITH_CREDENTIALS], ids=["app's", "own"])
@pytest.mark.parametrize("of_platform", [True, False])
def test_without_metadata_the_external_id_names_the_owner(
    metadata: dict[str, Any] | None, integration: Integration, of_platform: bool
) -> None:
    """Activepieces discards the metadata of platform connections."""
    ours = external_id(integration, "slack", platform=of_platform)
    theirs = external_id(replace(integration, tenant_id="globex"), "slack", platform=of_platform)
    of_labs = external_id(OF_AN_ORGANIZATION, "slack", platform=of_platform)

    assert owns(integration, metadata, ours)
    assert not owns(integration, metadata, theirs)
    assert not owns(integration, metadata, of_labs)
    assert owns(OF_AN_ORGANIZATION, metadata, of_labs)


def test_the_tenant_in_the_metadata_wins_over_the_external_id() -> None:
    theirs = external_id(replace(WITHOUT_CREDENTIALS, tenant_id="globex"), "slack")
    ours = external_id(WITHOUT_CREDENTIALS, "slack")

    assert owns(WITHOUT_CREDENTIALS, {"tenantId": "acme"}, theirs)
    assert not owns(WITHOUT_CREDENTIALS, {"tenantId": "globex"}, ours)


@pytest.mark.parametrize("theirs", [{}, {"accountIdentifier": "mallory@example.com"}])
def test_the_account_identifier_stays_in_the_metadata(theirs: dict[str, Any]) -> None:
    before = {"accountIdentifier": "ada@example.com", "team": "old"}

    written = with_owner_metadata({"team": "new"} | theirs, WITHOUT_CREDENTIALS, version=None, existing=before)

    assert written["accountIdentifier"] == "ada@example.com"
    assert written["team"] == "new"


def test_no_account_identifier_is_invented() -> None:
    assert "accountIdentifier" not in with_owner_metadata({}, WITHOUT_CREDENTIALS, version=None, existing={"a": 1})


def test_an_organization_does_not_own_connections_of_the_whole_tenant() -> None:
    assert owns(OF_AN_ORGANIZATION, {"tenantId": "acme", "organizationId": "labs"}, "x")
    assert not owns(OF_AN_ORGANIZATION, {"tenantId": "acme"}, "x")
    assert not owns(OF_AN_ORGANIZATION, {"tenantId": "acme", "organizationId": "sales"}, "x")


def test_an_external_id_contains_the_name() -> None:
    assert external_id(WITHOUT_CREDENTIALS, "slack-main").endswith("-slack-main")


def test_an_external_id_passed_as_a_name_is_unchanged() -> None:
    made = external_id(WITHOUT_CREDENTIALS, "Slack, main")

    assert external_id(WITHOUT_CREDENTIALS, made) == made


def test_another_tenants_external_id_passed_as_a_name_is_changed() -> None:
    theirs = external_id(replace(WITHOUT_CREDENTIALS, tenant_id="globex"), "slack")

    assert external_id(WITHOUT_CREDENTIALS, theirs) != theirs


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("a", None), ("b", None)),
        (("a", "b"), ("b", "a")),
        (("a-b", None), ("a", "b")),
        (("a", None), ("a", "")),
        (('a", "b', None), ("a", "b")),
    ],
)
def test_different_owners_never_share_an_external_id(
    left: tuple[str, str | None], right: tuple[str, str | None]
) -> None:
    ids = {
        external_id(replace(WITHOUT_CREDENTIALS, tenant_id=tenant, organization_id=organization), "x")
        for tenant, organization in (left, right)
    }

    assert len(ids) == 2


names = some.text(max_size=300)


@given(name=names)
def test_an_external_id_is_safe_in_a_flow_expression(name: str) -> None:
    made = external_id(WITHOUT_CREDENTIALS, name)

    assert re.fullmatch(r"t[0-9a-f]{20}-[A-Za-z0-9_-]+", made)
    assert len(made) <= 120


@given(left=names, right=names)
def test_two_names_never_share_an_external_id(left: str, right: str) -> None:
    same_id = external_id(WITHOUT_CREDENTIALS, left) == external_id(WITHOUT_CREDENTIALS, right)

    assert same_id is (left == right)
