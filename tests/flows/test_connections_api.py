"""Connections through the JSON API: made of every type, listed, changed, deleted, replaced."""

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
    """Acme's, with a key and a user of its own."""
    own = {"apiKey": server.api_key, "userToken": server.user_token()}
    return alice.links(projectId=server.project_id, **own)


@pytest.fixture
def standin(server: ActivepiecesServer) -> Standin:
    """Somebody at Activepieces itself."""
    return Standin(server, server.api_key)


# Made


def test_the_short_way_makes_a_connection_of_one_secret(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    made = alice.saves("Our Discord")

    assert made["type"] == "SECRET_TEXT"
    assert made["displayName"] == "Our Discord"
    assert made["pieceName"] == PIECE
    assert made["projectIds"] == [server.project_id]
    assert made["metadata"] == {
        "tenantId": "acme",
        "integrationId": integration,
        "hostVersion": "4.2",
    }
    assert "value" not in made


def test_the_same_name_again_gives_the_connection_another_value(
    alice: ApiUser, integration: str
) -> None:
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
    (
        "oauth",
        {"type": "OAUTH2", "client_secret": "s", "grant_type": "AUTHORIZATION_CODE", **OAUTH2},
    ),
]


@pytest.mark.parametrize(("piece", "value"), VALUES)
def test_a_connection_of_every_type_is_made(
    alice: ApiUser, integration: str, piece: str, value: dict[str, Any]
) -> None:
    body = {"value": value, "connectionName": "Mine", "pieceName": ACME + piece}

    made = answer_of(alice.posts("/connection", body), 201)

    assert made["type"] == value.get("type", "SECRET_TEXT")
    assert made["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "names",
    [
        {"displayName": "Our Discord"},
        {"connectionName": "Our Discord"},
        {"displayName": "Our Discord", "connectionName": "Our Discord"},
    ],
)
def test_a_connection_is_named_by_either_field(
    alice: ApiUser, integration: str, names: dict[str, str]
) -> None:
    """`displayName` is what Activepieces' own API and our answers call it."""
    body = {"accessToken": "ok-x", "pieceName": PIECE, **names}

    made = answer_of(alice.posts("/connection", body), 201)

    assert made["displayName"] == "Our Discord"
    assert alice.saves("Our Discord")["id"] == made["id"]


def test_two_names_that_differ_are_refused(alice: ApiUser, integration: str) -> None:
    body = {"accessToken": "ok-x", "pieceName": PIECE, "displayName": "A", "connectionName": "B"}

    refused = problem(alice.posts("/connection", body), 422, "Invalid input")

    assert list(refused["fields"]) == ["displayName"]


@pytest.mark.parametrize("value", [{}, {"value": {"type": "PLACEHOLDER"}}, {"value": {}}])
def test_a_placeholder_is_missing_until_it_is_given_a_value(
    alice: ApiUser, integration: str, value: dict[str, Any]
) -> None:
    body = {"type": "PLACEHOLDER", "connectionName": "Later", "pieceName": PIECE, **value}

    made = answer_of(alice.posts("/connection", body), 201)
    (listed,) = answer_of(alice.gets(f"/connections/{integration}", status="MISSING"))["data"]
    given = alice.saves("Later")

    assert (made["status"], listed["id"]) == ("MISSING", made["id"])
    assert (given["id"], given["status"]) == (made["id"], "ACTIVE")


def test_oidc_is_a_type_like_any_other(alice: ApiUser, integration: str) -> None:
    """This server is a 0.85, which does not know it, and says so itself."""
    value = {"type": "OIDC", "props": {"role": "reader"}}
    body = {"value": value, "connectionName": "Mine", "pieceName": PIECE}

    problem(alice.posts("/connection", body), 422, "Refused by Activepieces")


def test_only_a_list_tells_owner_and_flows(alice: ApiUser, integration: str) -> None:
    """Left out, rather than empty: nothing is known of them."""
    made = alice.saves("Mine")
    there = f"/connections/{integration}/{made['id']}"
    renamed = answer_of(alice.patches(there, {"displayName": "Renamed"}))
    shown = answer_of(alice.gets(there))
    (listed,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]

    for answer in (made, renamed):
        assert not {"flowIds", "owner"} & answer.keys()
    for answer in (shown, listed):
        assert (answer["flowIds"], answer["owner"]["email"]) == ([], "admin@example.com")


def test_the_platforms_own_oauth_app_needs_no_secret_here(
    alice: ApiUser, integration: str, acme: TokenEndpoint, standin: Standin
) -> None:
    app = {"pieceName": f"{ACME}oauth", "clientId": "id", "clientSecret": "the-platforms"}
    standin.by_admin().post("/oauth-apps", app)
    value = {"type": "PLATFORM_OAUTH2", "scope": "read", **OAUTH2}

    made = alice.posts(
        "/connection", {"value": value, "connectionName": "Mine", "pieceName": f"{ACME}oauth"}
    )

    assert answer_of(made, 201)["type"] == "PLATFORM_OAUTH2"
    assert "the-platforms" in acme.received[0].body


def test_activepieces_own_oauth_apps_are_not_in_reach_of_the_standin(
    alice: ApiUser, integration: str
) -> None:
    value = {"type": "CLOUD_OAUTH2", "client_id": "id", "code": "a code", "scope": "read"}
    body = {"value": value, "connectionName": "Mine", "pieceName": f"{ACME}oauth"}

    problem(alice.posts("/connection", body), 422, "Code refused")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
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
        ({"pieceName": None}, "pieceName", "ACTIVEPIECES_PIECE_NAME"),
        ({"projectId": "other"}, "projectId", "another project"),
        ({"connectionName": "n" * 101}, "connectionName", "between 1 and 100"),
        ({"metadata": {"a": ["nul\0"]}}, "metadata", "characters"),
        ({"metadata": {"a": float("inf")}}, "metadata", "number"),
        ({"scope": "GALAXY"}, "scope", "Must be one of"),
        ({"tenantId": "globex"}, "tenantId", "Unknown field."),
    ],
)
def test_what_does_not_fit_is_named_before_activepieces_is_asked(
    alice: ApiUser,
    integration: str,
    server: ActivepiecesServer,
    changes: dict[str, Any],
    field: str,
    words: str,
) -> None:
    calls = len(server.calls)
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE} | changes
    given = {name: value for name, value in body.items() if value is not None}

    told = problem(alice.posts("/connection", given), 422, "Invalid input")

    assert words in told["fields"][field]
    assert len(server.calls) == calls


def test_a_piece_that_is_not_there_is_told_as_activepieces_tells_it(
    alice: ApiUser, integration: str
) -> None:
    body = {"accessToken": "x", "connectionName": "Mine", "pieceName": "@activepieces/piece-none"}

    problem(alice.posts("/connection", body), 404, "Not found in Activepieces")


def test_without_an_integration_there_is_nothing_to_connect(alice: ApiUser) -> None:
    body = {"accessToken": "ok-x", "connectionName": "Mine", "pieceName": PIECE}

    problem(alice.posts("/connection", body), 404, "Not found")


def test_a_call_may_name_one_of_several_integrations(
    alice: ApiUser, integration: str, server: ActivepiecesServer
) -> None:
    labs = alice.links(organizationId="labs", apiKey=server.api_key, projectId=server.project_id)

    made = alice.saves(integrationId=labs)

    assert made["metadata"]["organizationId"] == "labs"
    assert answer_of(alice.gets(f"/connections/{integration}"))["data"] == []


# Listed


@pytest.fixture
def several(alice: ApiUser, integration: str) -> list[str]:
    """Five connections, by name."""
    names = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]
    for name in names[:4]:
        alice.saves(name)
    body = {"value": {"type": "NO_AUTH"}, "connectionName": "Epsilon", "pieceName": f"{ACME}none"}
    answer_of(alice.posts("/connection", body), 201)
    return names


@pytest.mark.parametrize(
    ("query", "found"),
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
def test_filters_choose(
    alice: ApiUser, integration: str, several: list[str], query: dict[str, Any], found: list[str]
) -> None:
    listed = answer_of(alice.gets(f"/connections/{integration}", **query))["data"]

    assert [one["displayName"] for one in listed] == found


def test_pages_show_every_connection_once(
    alice: ApiUser, integration: str, several: list[str]
) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = answer_of(alice.gets(f"/connections/{integration}", limit="2", **cursor))
        seen += [one["displayName"] for one in page["data"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert seen == several
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
def test_a_filter_that_does_not_fit_is_named(
    alice: ApiUser, integration: str, query: dict[str, str], field: str
) -> None:
    answer = alice.gets(f"/connections/{integration}", **query)

    assert list(problem(answer, 422, "Invalid input")["fields"]) == [field]


def test_with_a_key_of_ones_own_connections_made_in_activepieces_are_there(
    alice: ApiUser, integration: str, standin: Standin
) -> None:
    standin.connect("by-hand", PIECE, {"type": "SECRET_TEXT", "secret_text": "ok-x"})

    (listed,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]

    assert (listed["displayName"], listed["metadata"]) == ("by-hand", {})


# Changed and deleted


def flow_with(standin: Standin, connection: dict[str, Any]) -> str:
    """A flow whose one step uses the connection; its id."""
    auth = f"{{{{connections['{connection['externalId']}']}}}}"
    return standin.flow(action("step_1", PIECE, "whoami", auth=auth))


def test_a_change_of_name_keeps_the_metadata_and_the_other_way_round(
    alice: ApiUser, integration: str
) -> None:
    made = alice.saves(metadata={"team": "red"})
    there = f"/connections/{integration}/{made['id']}"

    renamed = answer_of(alice.patches(there, {"displayName": "Renamed"}))
    moved = answer_of(alice.patches(there, {"metadata": {"team": "blue"}}))

    assert (renamed["displayName"], renamed["metadata"]) == ("Renamed", made["metadata"])
    assert moved["displayName"] == "Renamed"
    assert moved["metadata"] == made["metadata"] | {"team": "blue"}


def test_a_change_of_nothing_is_refused(alice: ApiUser, integration: str) -> None:
    there = f"/connections/{integration}/{alice.saves()['id']}"

    problem(alice.patches(there, {}), 422, "Invalid input")


def test_a_deleted_connection_is_gone(alice: ApiUser, integration: str) -> None:
    there = f"/connections/{integration}/{alice.saves()['id']}"

    assert alice.deletes(there).status_code == 204

    problem(alice.gets(there), 404, "Not found")
    problem(alice.deletes(there), 404, "Not found")


def test_one_in_use_is_deleted_only_by_force(
    alice: ApiUser, integration: str, standin: Standin
) -> None:
    made = alice.saves()
    flow = flow_with(standin, made)
    there = f"/connections/{integration}/{made['id']}"

    told = problem(alice.deletes(there), 409, "In use")

    assert told["flowIds"] == [flow]
    assert alice.gets(there).status_code == 200
    assert alice.deletes(there, force="true").status_code == 204


# The integration's own, owners, replacing


def test_the_own_connection_is_that_of_the_apps_piece(
    make_app: MakeApp, server: ActivepiecesServer
) -> None:
    app = make_app(
        ACTIVEPIECES_BASE_URL=server.url,
        ACTIVEPIECES_API_KEY=server.api_key,
        ACTIVEPIECES_PIECE_NAME=PIECE,
    )
    alice = ApiUser.named(app, "alice")
    there = f"/connection/{alice.links()}"
    before = alice.gets(there)

    made = answer_of(alice.posts("/connection", {"accessToken": "ok-x"}), 201)
    shown = answer_of(alice.gets(there))
    gone = alice.deletes(there)

    problem(before, 404, "Not found")
    assert (made["pieceName"], shown["id"]) == (PIECE, made["id"])
    assert gone.status_code == 204
    problem(alice.gets(there), 404, "Not found")
    problem(alice.deletes(there), 404, "Not found")


def test_the_owners_are_listed(alice: ApiUser, integration: str) -> None:
    alice.saves()

    owners = answer_of(alice.gets(f"/connections/{integration}/owners"))

    assert owners == {
        "data": [{"email": "admin@example.com", "firstName": "Ada", "lastName": "Admin"}],
        "next": None,
        "previous": None,
    }


def test_flows_move_from_one_connection_to_another(
    alice: ApiUser, integration: str, standin: Standin
) -> None:
    old, new = alice.saves("Old"), alice.saves("New")
    flow = flow_with(standin, old)
    body = {"sourceAppConnectionId": old["id"], "targetAppConnectionId": new["id"]}

    answer = answer_of(alice.posts(f"/connections/{integration}/replace", body))

    assert answer == {"sourceDeleted": True}
    (left,) = answer_of(alice.gets(f"/connections/{integration}"))["data"]
    assert (left["id"], left["flowIds"]) == (new["id"], [flow])


def test_a_connection_is_not_replaced_by_itself(alice: ApiUser, integration: str) -> None:
    """Activepieces would delete it."""
    own = alice.saves()["id"]
    body = {"sourceAppConnectionId": own, "targetAppConnectionId": own}

    problem(alice.posts(f"/connections/{integration}/replace", body), 422, "Invalid input")

    assert alice.gets(f"/connections/{integration}/{own}").status_code == 200


@pytest.mark.parametrize(
    ("choices", "status", "title", "words"),
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
def test_a_replacement_that_the_server_cannot_make_changes_nothing(
    alice: ApiUser,
    integration: str,
    choices: dict[str, object],
    status: int,
    title: str,
    words: str,
) -> None:
    """This one is a 0.85, which always deletes the source."""
    old, new = alice.saves("Old"), alice.saves("New")
    body = {"sourceAppConnectionId": old["id"], "targetAppConnectionId": new["id"]}

    answer = alice.posts(f"/connections/{integration}/replace", body | choices)

    assert words in problem(answer, status, title)["detail"]
    assert len(answer_of(alice.gets(f"/connections/{integration}"))["data"]) == 2


def test_what_shall_stay_stays_on_a_newer_server(app: Flask, make_app: MakeApp) -> None:
    with ActivepiecesServer(version="0.86", pieces=acme_pieces("https://acme.example")) as newer:
        newer_app = make_app(host=HostWithLabs(), ACTIVEPIECES_BASE_URL=newer.url)
        alice = ApiUser.named(newer_app, "alice")
        integration = alice.links(userToken=newer.user_token(), projectId=newer.project_id)
        old, new = alice.saves("Old"), alice.saves("New")
        body = {"sourceAppConnectionId": old["id"], "targetAppConnectionId": new["id"]}
        there = f"/connections/{integration}"

        kept = answer_of(alice.posts(f"{there}/replace", body | {"deleteSourceConnection": False}))
        left = answer_of(alice.gets(there))["data"]
        deleted = answer_of(alice.posts(f"{there}/replace", body))

    assert (kept, deleted) == ({"sourceDeleted": False}, {"sourceDeleted": True})
    assert len(left) == 2


def test_a_key_alone_may_not_replace(alice: ApiUser, server: ActivepiecesServer) -> None:
    """Activepieces would leave published flows with an empty draft."""
    integration = alice.links(apiKey=server.api_key, projectId=server.project_id)
    body = {"sourceAppConnectionId": "a", "targetAppConnectionId": "b"}

    answer = alice.posts(f"/connections/{integration}/replace", body)

    assert "user token" in problem(answer, 409, "Not possible with this credential")["detail"]
