"""Connections through the JSON API: create, list, update, delete and replace, for every type."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_activepieces.testing import ActivepiecesServer
from tests.conftest import MakeApp
from tests.support.acme import acme_pieces
from tests.support.actors import answer_of
from tests.support.api_user import PIECE, ApiUser
from tests.support.hosts import HostWithLabs
from tests.support.problems import problem
from tests.support.standin import Standin, action
from tests.support.token_endpoint import TokenEndpoint

ACME = "@activepieces/piece-acme-"


@pytest.fixture
def app(make_app: MakeApp, server: ActivepiecesServer) -> Flask:
    return make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=server.url, VERSION="4.2")


@pytest.fixture
def alice(app: Flask) -> ApiUser:
    """The admin of Acme."""
    return ApiUser.named(app, "alice")


@pytest.fixture
def integration(alice: ApiUser, server: ActivepiecesServer) -> str:
    """Acme's integration, with its own key and user token."""
    credentials = {"apiKey": server.api_key, "userToken": server.user_token()}
    return alice.links(projectId=server.project_id, **credentials)


@pytest.fixture
def standin(server: ActivepiecesServer) -> Standin:
    """Direct access to Activepieces."""
    return Standin(server, server.api_key)


# Creation


def test_an_access_token_is_enough_to_create_a_secret_text_connection(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    created = alice.saves("Our Discord")

    assert created["type"] == "SECRET_TEXT"
    assert created["displayName"] == "Our Discord"
    assert created["pieceName"] == PIECE
    assert created["projectIds"] == [server.project_id]
    assert created["metadata"] == {"tenantId": "acme", "integrationId": integration, "hostVersion": "4.2"}
    assert "value" not in created


def test_saving_under_the_same_name_replaces_the_value(alice: ApiUser, integration: str) -> None:
    first = alice.saves("Our Discord", metadata={"team": "red"})
    second = alice.saves("Our Discord", "ok-other")

    assert second["id"] == first["id"]
    assert second["metadata"] == first["metadata"]
    assert len(answer_of(alice.gets(f"/connections/{integration}"))["data"]) == 1


OAUTH2 = {"client_id": "id", "code": "a code", "redirect_url": "https://app.test/cb"}
VALUES = [
    ("secret", {"type": "SECRET_TEXT", "secret_text": "ok-x"}),
    ("secret", {"secret_text": "ok-x"}),
    ("basic", {"type": "BASIC_AUTH", "username": "u", "password": "p"}),
    ("custom", {"type": "CUSTOM_AUTH", "props": {"region": "eu", "port": 1}}),
    ("none", {"type": "NO_AUTH"}),
    ("oauth", {"type": "OAUTH2", "client_secret": "s", "scope": "read", **OAUTH2}),
    ("oauth", {"type": "OAUTH2", "client_secret": "s", "grant_type": "AUTHORIZATION_CODE", **OAUTH2}),
]


@pytest.mark.parametrize(("piece", "value"), VALUES)
def test_a_connection_of_every_type_can_be_created(
    alice: ApiUser, integration: str, piece: str, value: dict[str, Any]
) -> None:
    body = {"value": value, "connectionName": "Mine", "pieceName": ACME + piece}

    created = answer_of(alice.posts("/connection", body), 201)

    assert created["type"] == value.get("type", "SECRET_TEXT")
    assert created["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "names",
    [
        {"displayName": "Our Discord"},
        {"connectionName": "Our Discord"},
        {"displayName": "Our Discord", "connectionName": "Our Discord"},
    ],
)
def test_either_name_field_names_the_connection(alice: ApiUser, integration: str, names: dict[str, str]) -> None:
    """`displayName` is the field of Activepieces' API and of our responses."""
    body = {"accessToken": "ok-x", "pieceName": PIECE, **names}

    created = answer_of(alice.posts("/connection", body), 201)

    assert created["displayName"] == "Our Discord"
    assert alice.saves("Our Discord")["id"] == created["id"]


def test_two_different_names_are_refused(alice: ApiUser, integration: str) -> None:
    body = {"accessToken": "ok-x", "pieceName": PIECE, "displayName": "A", "connectionName": "B"}

    refused = problem(alice.posts("/connection", body), 422, "Invalid input")

    assert list(refused["fields"]) == ["displayName"]


@pytest.mark.parametrize("value", [{}, {"value": {"type": "PLACEHOLDER"}}, {"value": {}}])
def test_a_placeholder_is_missing_until_it_has_a_value(
    alice: ApiUser, integration: str, value: dict[str, Any]
) -> None:
    body = {"type": "PLACEHOLDER", "connectionName": "Later", "pieceName": PIECE, **value}

    created = answer_of(alice.posts("/connection", body), 201)
    (listed,) = answer_of(alice.gets(f"/connections/{integration}", status="MISSING"))["data"]
    filled = alice.saves("Later")

    assert (created["status"], listed["id"]) == ("MISSING", created["id"])
    assert (filled["id"], filled["status"]) == (created["id"], "ACTIVE")


def test_an_oidc_connection_is_sent_to_activepieces(alice: ApiUser, integration: str) -> None:
    """This server is version 0.85, which does not know the type and rejects it."""
    value = {"type": "OIDC", "props": {"role": "reader"}}
    body = {"value": value, "connectionName": "Mine", "pieceName": PIECE}

    problem(alice.posts("/connection", body), 422, "Refused by Activepieces")


def test_only_connections_read_from_a_list_include_owner_and_flows(alice: ApiUser, integration: str) -> None:
    """The fields are left out rather than empty where they are unknown."""
    created = alice.saves("Mine")
    path = f"/connections/{integration}/{created['id']}"
    renamed = answer_of(alice.patches(path, {"displayName": "Renamed"}))
    fetched = answer_of(alice.gets(path))
    (listed,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]

    for answer in (created, renamed):
        assert not {"flowIds", "owner"} & answer.keys()
    for answer in (fetched, listed):
        assert (answer["flowIds"], answer["owner"]["email"]) == ([], "admin@example.com")


def test_a_platform_oauth_app_needs_no_client_secret(
    alice: ApiUser, integration: str, acme: TokenEndpoint, standin: Standin
) -> None:
    app = {"pieceName": f"{ACME}oauth", "clientId": "id", "clientSecret": "the-platforms"}
    standin.by_admin().post("/oauth-apps", app)
    value = {"type": "PLATFORM_OAUTH2", "scope": "read", **OAUTH2}

    created = alice.posts("/connection", {"value": value, "connectionName": "Mine", "pieceName": f"{ACME}oauth"})

    assert answer_of(created, 201)["type"] == "PLATFORM_OAUTH2"
    assert "the-platforms" in acme.received[0].body


def test_activepieces_cloud_oauth_apps_do_not_work_on_the_standin(alice: ApiUser, integration: str) -> None:
    value = {"type": "CLOUD_OAUTH2", "client_id": "id", "code": "a code", "scope": "read"}
    body = {"value": value, "connectionName": "Mine", "pieceName": f"{ACME}oauth"}

    problem(alice.posts("/connection", body), 422, "Code refused")


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"accessToken": None}, "value", "either accessToken or value"),
        ({"value": {"secret_text": "ok-x"}}, "value", "either accessToken or value"),
        ({"accessToken": ""}, "accessToken", "between 1 and"),
        ({"accessToken": "nul\0"}, "accessToken", "characters"),
        ({"type": "BASIC_AUTH"}, "value", "needs `value`, not `accessToken`"),
        ({"type": "PLACEHOLDER"}, "accessToken", "has no value"),
        (
            {"accessToken": None, "type": "PLACEHOLDER", "value": {"type": "NO_AUTH"}},
            "type",
            "Does not match the type of the value.",
        ),
        ({"type": "MAGIC"}, "type", "Must be one of"),
        ({"accessToken": None, "value": {"type": "MAGIC"}}, "type", "must be one of"),
        ({"accessToken": None, "value": {"secret_text": ""}}, "secret_text", "is required"),
        ({"accessToken": None, "value": {"key": "x"}}, "key", "unknown field for SECRET_TEXT"),
        (
            {"accessToken": None, "type": "NO_AUTH", "value": {"type": "SECRET_TEXT"}},
            "type",
            "Does not match the type of the value.",
        ),
        ({"pieceName": None}, "pieceName", "no default piece"),
        ({"projectId": "other"}, "projectId", "another project"),
        ({"connectionName": "n" * 101}, "connectionName", "between 1 and 100"),
        ({"metadata": {"a": ["nul\0"]}}, "metadata", "characters"),
        ({"metadata": {"a": float("inf")}}, "metadata", "number"),
        ({"scope": "GALAXY"}, "scope", "Must be one of"),
        ({"tenantId": "globex"}, "tenantId", "Unknown field."),
    ],
)
def test_an_invalid_field_is_named_before_any_call_to_activepieces(
    alice: ApiUser, integration: str, server: ActivepiecesServer, changes: dict[str, Any], field: str, message: str
) -> None:
    calls = len(server.calls)
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE} | changes
    payload = {name: value for name, value in body.items() if value is not None}

    error = problem(alice.posts("/connection", payload), 422, "Invalid input")

    assert message in error["fields"][field]
    assert len(server.calls) == calls


def test_an_unknown_piece_is_reported_as_not_found_in_activepieces(alice: ApiUser, integration: str) -> None:
    body = {"accessToken": "x", "connectionName": "Mine", "pieceName": "@activepieces/piece-none"}

    problem(alice.posts("/connection", body), 404, "Not found in Activepieces")


def test_a_connection_needs_an_integration(alice: ApiUser) -> None:
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE}

    problem(alice.posts("/connection", body), 404, "Not found")


def test_a_call_may_name_one_of_several_integrations(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    labs = alice.links(organizationId="labs", apiKey=server.api_key, projectId=server.project_id)

    created = alice.saves(integrationId=labs)

    assert created["metadata"]["organizationId"] == "labs"
    assert answer_of(alice.gets(f"/connections/{integration}"))["data"] == []


# Lists


@pytest.fixture
def five_names(alice: ApiUser, integration: str) -> list[str]:
    """Create five connections; return their names."""
    names = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]
    for name in names[:4]:
        alice.saves(name)
    body = {"value": {"type": "NO_AUTH"}, "connectionName": "Epsilon", "pieceName": f"{ACME}none"}
    answer_of(alice.posts("/connection", body), 201)
    return names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]),
        ({"pieceName": f"{ACME}none"}, ["Epsilon"]),
        ({"displayName": "ta"}, ["Beta", "Delta"]),
        ({"displayName": "%"}, []),
        ({"status": "ACTIVE"}, ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]),
        ({"status": ["ERROR", "MISSING"]}, []),
        ({"scope": "PROJECT", "displayName": "alpha"}, ["Alpha"]),
        ({"scope": "PLATFORM"}, []),
        ({"limit": "2"}, ["Alpha", "Beta"]),
    ],
)
def test_filters_select_connections(
    alice: ApiUser, integration: str, five_names: list[str], query: dict[str, Any], names: list[str]
) -> None:
    listed = answer_of(alice.gets(f"/connections/{integration}", **query))["data"]

    assert [connection["displayName"] for connection in listed] == names


def test_pages_show_every_connection_once(alice: ApiUser, integration: str, five_names: list[str]) -> None:
    listed: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = answer_of(alice.gets(f"/connections/{integration}", limit="2", **cursor))
        listed += [connection["displayName"] for connection in page["data"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert listed == five_names
    assert page["previous"] is not None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "BROKEN"}, "status"),
        ({"scope": "GALAXY"}, "scope"),
        ({"cursor": "made up"}, "cursor"),
        ({"displayName": "nul\0"}, "displayName"),
        ({"displayname": "x"}, "displayname"),
    ],
)
def test_an_invalid_filter_is_named(alice: ApiUser, integration: str, query: dict[str, str], field: str) -> None:
    answer = alice.gets(f"/connections/{integration}", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == [field]


def test_a_tenant_with_its_own_key_sees_connections_created_in_activepieces(
    alice: ApiUser, integration: str, standin: Standin
) -> None:
    standin.connect("by-hand", PIECE, {"type": "SECRET_TEXT", "secret_text": "ok-x"})

    (listed,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]

    assert (listed["displayName"], listed["metadata"]) == ("by-hand", {})


# Changes and deletion


def flow_with(standin: Standin, connection: dict[str, Any]) -> str:
    """Create a flow whose only step uses the connection; return its id."""
    auth = f"{{{{connections['{connection['externalId']}']}}}}"
    return standin.flow(action("step_1", PIECE, "whoami", auth=auth))


def test_changing_the_name_or_the_metadata_keeps_the_other(alice: ApiUser, integration: str) -> None:
    created = alice.saves(metadata={"team": "red"})
    path = f"/connections/{integration}/{created['id']}"

    renamed = answer_of(alice.patches(path, {"displayName": "Renamed"}))
    moved = answer_of(alice.patches(path, {"metadata": {"team": "blue"}}))

    assert (renamed["displayName"], renamed["metadata"]) == ("Renamed", created["metadata"])
    assert moved["displayName"] == "Renamed"
    assert moved["metadata"] == created["metadata"] | {"team": "blue"}


def test_an_empty_change_is_refused(alice: ApiUser, integration: str) -> None:
    path = f"/connections/{integration}/{alice.saves()['id']}"

    problem(alice.patches(path, {}), 422, "Invalid input")


def test_a_deleted_connection_is_not_found(alice: ApiUser, integration: str) -> None:
    path = f"/connections/{integration}/{alice.saves()['id']}"

    assert alice.deletes(path).status_code == 204

    problem(alice.gets(path), 404, "Not found")
    problem(alice.deletes(path), 404, "Not found")


def test_a_connection_in_use_is_deleted_only_with_force(alice: ApiUser, integration: str, standin: Standin) -> None:
    created = alice.saves()
    flow = flow_with(standin, created)
    path = f"/connections/{integration}/{created['id']}"

    error = problem(alice.deletes(path), 409, "In use")

    assert error["flowIds"] == [flow]
    assert alice.gets(path).status_code == 200
    assert alice.deletes(path, force="true").status_code == 204


# The default connection, owners, replacement


def test_the_default_connection_belongs_to_the_apps_piece(make_app: MakeApp, server: ActivepiecesServer) -> None:
    app = make_app(
        ACTIVEPIECES_BASE_URL=server.url, ACTIVEPIECES_API_KEY=server.api_key, ACTIVEPIECES_PIECE_NAME=PIECE
    )
    alice = ApiUser.named(app, "alice")
    path = f"/connection/{alice.links()}"
    before = alice.gets(path)

    created = answer_of(alice.posts("/connection", {"accessToken": "ok-x"}), 201)
    fetched = answer_of(alice.gets(path))
    gone = alice.deletes(path)

    problem(before, 404, "Not found")
    assert (created["pieceName"], fetched["id"]) == (PIECE, created["id"])
    assert gone.status_code == 204
    problem(alice.gets(path), 404, "Not found")
    problem(alice.deletes(path), 404, "Not found")


def test_the_owners_are_listed(alice: ApiUser, integration: str) -> None:
    alice.saves()

    owners = answer_of(alice.gets(f"/connections/{integration}/owners"))

    assert owners == {
        "data": [{"email": "admin@example.com", "firstName": "Ada", "lastName": "Admin"}],
        "next": None,
        "previous": None,
    }


def test_a_replacement_moves_flows_to_another_connection(alice: ApiUser, integration: str, standin: Standin) -> None:
    old, new = alice.saves("Old"), alice.saves("New")
    flow = flow_with(standin, old)
    body = {"sourceAppConnectionId": old["id"], "targetAppConnectionId": new["id"]}

    answer = answer_of(alice.posts(f"/connections/{integration}/replace", body))

    assert answer == {"sourceDeleted": True}
    (remaining,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert (remaining["id"], remaining["flowIds"]) == (new["id"], [flow])


def test_a_connection_cannot_replace_itself(alice: ApiUser, integration: str) -> None:
    """Activepieces would delete it."""
    connection = alice.saves()["id"]
    body = {"sourceAppConnectionId": connection, "targetAppConnectionId": connection}

    problem(alice.posts(f"/connections/{integration}/replace", body), 422, "Invalid input")

    assert alice.gets(f"/connections/{integration}/{connection}").status_code == 200


@pytest.mark.parametrize(
    ("choices", "status", "title", "message"),
    [
        ({"applyToPublishedVersions": False}, 409, "Not possible", "0.86"),
        ({"deleteSourceConnection": False}, 409, "Not possible", "0.86"),
        (
            {"applyToPublishedVersions": False, "deleteSourceConnection": True},
            422,
            "Invalid input",
            "deleteSourceConnection",
        ),
        ({"deleteSourceConnection": "no"}, 422, "Invalid input", "deleteSourceConnection"),
    ],
)
def test_a_replacement_that_the_server_does_not_support_changes_nothing(
    alice: ApiUser, integration: str, choices: dict[str, object], status: int, title: str, message: str
) -> None:
    """This server is version 0.85, which always deletes the source."""
    old, new = alice.saves("Old"), alice.saves("New")
    body = {"sourceAppConnectionId": old["id"], "targetAppConnectionId": new["id"]}

    answer = alice.posts(f"/connections/{integration}/replace", body | choices)

    assert message in problem(answer, status, title)["detail"]
    assert len(answer_of(alice.gets(f"/connections/{integration}"))["data"]) == 2


def test_a_newer_server_can_keep_the_source_connection(app: Flask, make_app: MakeApp) -> None:
    with ActivepiecesServer(version="0.86", pieces=acme_pieces("https://acme.example")) as newer:
        newer_app = make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=newer.url)
        alice = ApiUser.named(newer_app, "alice")
        integration = alice.links(userToken=newer.user_token(), projectId=newer.project_id)
        old, new = alice.saves("Old"), alice.saves("New")
        body = {"sourceAppConnectionId": old["id"], "targetAppConnectionId": new["id"]}
        path = f"/connections/{integration}"

        kept = answer_of(alice.posts(f"{path}/replace", body | {"deleteSourceConnection": False}))
        remaining = answer_of(alice.gets(path))["data"]
        deleted = answer_of(alice.posts(f"{path}/replace", body))

    assert (kept, deleted) == ({"sourceDeleted": False}, {"sourceDeleted": True})
    assert len(remaining) == 2


def test_a_replacement_needs_a_user_token(alice: ApiUser, server: ActivepiecesServer) -> None:
    """With only an API key, Activepieces would leave published flows with an empty draft."""
    integration = alice.links(apiKey=server.api_key, projectId=server.project_id)
    body = {"sourceAppConnectionId": "a", "targetAppConnectionId": "b"}

    answer = alice.posts(f"/connections/{integration}/replace", body)

    assert "user token" in problem(answer, 409, "Not possible with this credential")["detail"]
