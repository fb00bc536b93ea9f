"""Connections: listed with one request, filtered, upserted and replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flask_activepieces.api_client import Timeout
from flask_activepieces.api_client.errors import CallNotSupported, ResourceNotFound, UnexpectedResponse
from flask_activepieces.api_client.resources.connection_values import OIDC, NoAuth, Placeholder, SecretText
from flask_activepieces.api_client.resources.connections import AuthorizationUrl, ConnectionDraft, Connections, Owner
from flask_activepieces.api_client.resources.resource import NO_LIMIT
from flask_activepieces.api_client.response import ApiResponse
from flask_activepieces.errors import InvalidInput
from tests.support.calls import FakeTransport, answer, says

PROJECT = "H4SMHoAgJs8TNlXiaOIoV"
ITEM: dict[str, Any] = {
    "id": "ByhpO2y3TdbTH67wnl2Zz",
    "externalId": "c-1",
    "displayName": "One",
    "type": "SECRET_TEXT",
    "pieceName": "@activepieces/piece-acme-secret",
    "scope": "PROJECT",
    "status": "ACTIVE",
    "created": "2026-11-20T18:18:18.771Z",
    "updated": "2026-11-20T18:18:18.771Z",
}
DRAFT = ConnectionDraft(
    project_id=PROJECT,
    external_id="c-1",
    display_name="One",
    piece_name="@activepieces/piece-acme-secret",
    value=SecretText("canary"),
)


def named(*names: str) -> FakeTransport:
    """A response that lists connections of these names."""
    connections = [ITEM | {"id": f"id-{name}", "displayName": name} for name in names]
    return says({"data": connections, "next": None, "previous": None})


# --- Lists ----------------------------------------------------------------------------------------


def test_connections_are_listed_with_one_call_without_a_cursor() -> None:
    """A cursor would skip connections created in the same second."""
    transport = says("conn list limit=-1")

    connections = Connections(transport).list(PROJECT)

    assert len(connections) == 41 == len({each.id for each in connections})
    assert transport.lines == ["GET /app-connections"]
    assert transport.last.query == {"projectId": PROJECT, "limit": NO_LIMIT}


def test_a_connection_is_typed() -> None:
    first = Connections(says("conn list default")).list(PROJECT)[0]

    assert (first.external_id, first.display_name, first.type) == ("c-secret", "Updated name 2", "SECRET_TEXT")
    assert first.project_ids == (PROJECT,)
    assert first.owner == Owner(email="admin@example.com", first_name="Ada", last_name="Admin")
    assert first.metadata == {"a": 1}
    assert first.flow_ids == ()


def test_connections_of_an_older_server_have_fewer_fields() -> None:
    first = Connections(says("[0.78.2] burst page 0")).list(PROJECT)[0]

    assert not first.pre_select_for_new_projects
    assert first.piece_version == "0.1.0"


def test_filters_go_to_the_server() -> None:
    transport = named("x")

    Connections(transport).list(
        PROJECT,
        piece_name="@activepieces/piece-slack",
        display_name="x",
        statuses=["MISSING", "ERROR"],
        scope="PLATFORM",
    )

    assert transport.last.query == {
        "projectId": PROJECT,
        "pieceName": "@activepieces/piece-slack",
        "displayName": "x",
        "status": ["MISSING", "ERROR"],
        "scope": "PLATFORM",
        "limit": NO_LIMIT,
    }


@pytest.mark.parametrize(
    ("name_part", "matches"),
    [
        ("50%", ["Save 50% now"]),
        ("A_B", ["a_b", "xA_Bx"]),
        ("%", ["Save 50% now"]),
        ("50", ["Save 50% now", "Save 500 now", "a_b", "axb", "xA_Bx", "a\\b"]),
    ],
)
def test_wildcards_of_the_server_match_literally(name_part: str, matches: list[str]) -> None:
    """The server matches too many names, so the client filters its list."""
    transport = named("Save 50% now", "Save 500 now", "a_b", "axb", "xA_Bx", "a\\b")

    connections = Connections(transport).list(PROJECT, display_name=name_part)

    assert [each.display_name for each in connections] == matches
    assert transport.last.query["displayName"] == name_part


def test_a_name_with_a_backslash_is_filtered_by_the_client() -> None:
    """The server treats it as an escape, and fails on one at the end."""
    transport = named("a\\b", "ab")

    connections = Connections(transport).list(PROJECT, display_name="A\\B")

    assert [each.display_name for each in connections] == ["a\\b"]
    assert "displayName" not in transport.last.query


@pytest.mark.parametrize(
    "broken", [{"id": None}, {"displayName": 5}, {"projectIds": [1]}, {"owner": {"email": 1}}, {"metadata": []}]
)
def test_one_invalid_connection_fails_the_list(broken: dict[str, Any]) -> None:
    transport = says({"data": [ITEM, ITEM | broken]})

    with pytest.raises(UnexpectedResponse):
        Connections(transport).list(PROJECT)


def test_a_connection_is_found_by_id_or_external_id() -> None:
    connections = Connections(says(*["conn list default"] * 4))

    secret = connections.find(PROJECT, "c-secret")

    assert secret is not None
    assert connections.get(PROJECT, secret.id) == secret
    assert connections.find(PROJECT, "C-SECRET") is None
    with pytest.raises(ResourceNotFound):
        connections.get(PROJECT, "aaaaaaaaaaaaaaaaaaaaa")


def test_owners_have_names_and_addresses() -> None:
    assert list(Connections(says("conn owners")).list_owners(PROJECT)) == [
        Owner(email="admin@example.com", first_name="Ada", last_name="Admin")
    ]


# --- Changes --------------------------------------------------------------------------------------


def test_an_upsert_sends_the_value_with_its_type() -> None:
    transport = says("conn upsert SECRET_TEXT")

    made = Connections(transport).upsert(DRAFT, timeout=Timeout(read=310, total=310))

    assert made.external_id == "c-secret"
    assert transport.lines[-1] == "POST /app-connections"
    assert transport.last.timeout == Timeout(read=310, total=310)
    assert transport.last.body == {
        "projectId": PROJECT,
        "externalId": "c-1",
        "displayName": "One",
        "pieceName": "@activepieces/piece-acme-secret",
        "type": "SECRET_TEXT",
        "value": {"type": "SECRET_TEXT", "secret_text": "canary"},
    }


def test_an_upsert_is_not_repeatable() -> None:
    """Two at the same time create two connections with one external id."""
    transport = says("conn upsert SECRET_TEXT")

    Connections(transport).upsert(DRAFT)

    assert not transport.last.is_repeatable


@pytest.mark.parametrize("metadata", [{}, {"tenantId": "t"}])
def test_empty_metadata_are_sent(metadata: dict[str, str]) -> None:
    transport = says("conn upsert NO_AUTH")
    draft = ConnectionDraft(
        project_id=PROJECT,
        external_id="",
        display_name="",
        piece_name="p",
        value=NoAuth(),
        piece_version="0.1.0",
        metadata=metadata,
    )

    Connections(transport).upsert(draft)

    assert transport.last.body["metadata"] == metadata
    assert (transport.last.body["externalId"], transport.last.body["displayName"]) == ("", "")


def test_a_placeholder_is_sent_without_a_value() -> None:
    transport = says("conn upsert PLACEHOLDER")

    made = Connections(transport).upsert(replace(DRAFT, value=Placeholder()))

    assert transport.last.body["type"] == "PLACEHOLDER"
    assert "value" not in transport.last.body
    assert (made.type, made.status) == ("NO_AUTH", "MISSING")


def test_a_value_of_the_type_oidc_is_sent_with_its_props() -> None:
    transport = says({**ITEM, "type": "OIDC"})

    made = Connections(transport).upsert(replace(DRAFT, value=OIDC({"role": "reader"})))

    assert transport.last.body["value"] == {"type": "OIDC", "props": {"role": "reader"}}
    assert made.type == "OIDC"


def test_a_response_without_owner_and_flows_has_none() -> None:
    made = Connections(says("conn upsert SECRET_TEXT")).upsert(DRAFT)

    assert (made.flow_ids, made.owner) == (None, None)


def test_a_draft_does_not_show_its_secret() -> None:
    assert "canary" not in repr(DRAFT)


def test_an_update_renames_and_keeps_the_value() -> None:
    transport = says("conn update displayName", "conn update displayName")

    Connections(transport).update("c1", display_name="New")
    Connections(transport).update("c1", display_name="New", metadata={})

    first, second = transport.calls
    assert transport.lines[0] == "POST /app-connections/c1"
    assert (first.body, second.body) == ({"displayName": "New"}, {"displayName": "New", "metadata": {}})
    assert first.is_repeatable


def test_a_delete_has_no_body() -> None:
    transport = FakeTransport([answer(204)])

    Connections(transport).delete("c1")

    assert (transport.lines[-1], transport.last.body) == ("DELETE /app-connections/c1", None)


@pytest.mark.parametrize("nowhere", ["", ".", ".."])
def test_an_invalid_connection_id_is_rejected(nowhere: str) -> None:
    connections = Connections(says())

    with pytest.raises(InvalidInput, match="invalid id"):
        connections.delete(nowhere)
    with pytest.raises(InvalidInput, match="invalid id"):
        connections.update(nowhere, display_name="x")


def test_a_connection_needs_a_name_to_be_renamed() -> None:
    with pytest.raises(InvalidInput):
        Connections(says()).update("c1", display_name="")


def test_a_connection_replaces_another() -> None:
    transport = FakeTransport([answer(204)])

    Connections(transport).replace(PROJECT, source_id="a", target_id="b")

    assert transport.lines == ["POST /app-connections/replace"]
    assert transport.last.body == {
        "projectId": PROJECT,
        "sourceAppConnectionId": "a",
        "targetAppConnectionId": "b",
        "applyToPublishedVersions": True,
        "deleteSourceConnection": True,
    }
    assert not transport.last.is_repeatable


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("version", ["0.86.0", "0.92.1-rc.1", "1.2.0", "nightly"])
def test_the_source_is_kept_if_the_server_supports_it(published: bool, version: str) -> None:
    transport = FakeTransport([flags(version), answer(204)])

    Connections(transport).replace(
        PROJECT, source_id="a", target_id="b", apply_to_published=published, delete_source=False
    )

    assert transport.lines == ["GET /flags", "POST /app-connections/replace"]
    assert transport.last.body["applyToPublishedVersions"] is published
    assert transport.last.body["deleteSourceConnection"] is False


@pytest.mark.parametrize("version", ["0.78.2", "0.85.2", "0.85.4"])
def test_an_older_server_that_cannot_keep_the_source_is_not_called(version: str) -> None:
    """An older server would still delete it."""
    transport = FakeTransport([flags(version)])

    with pytest.raises(CallNotSupported, match=f"{version}.*always .*deletes the source"):
        Connections(transport).replace(PROJECT, source_id="a", target_id="b", delete_source=False)

    assert transport.lines == ["GET /flags"]


def test_a_source_that_published_flows_use_is_not_deleted() -> None:
    """A 0.86 server answers 409."""
    transport = says()

    with pytest.raises(InvalidInput) as refused:
        Connections(transport).replace(PROJECT, source_id="a", target_id="b", apply_to_published=False)

    assert set(refused.value.fields) == {"delete_source"}
    assert transport.calls == []


def flags(version: str) -> ApiResponse:
    """The server information of this version."""
    return answer(200, {"CURRENT_VERSION": version, "EDITION": "ee"})


def test_a_connection_cannot_replace_itself() -> None:
    """Activepieces would delete it and report success."""
    with pytest.raises(InvalidInput):
        Connections(says()).replace(PROJECT, source_id="a", target_id="a")


# --- Authorization URLs ---------------------------------------------------------------------------


def test_an_authorization_url_has_a_verifier_that_its_repr_does_not_show() -> None:
    transport = says("oauth2 authorization-url (user)")

    made = Connections(transport).authorization_url(
        "@activepieces/piece-acme-oauth",
        client_id="cid",
        redirect_url="https://app.example.com/callback",
        project_id=PROJECT,
        scopes=["read"],
        props={"base_url": "https://x.example"},
    )

    assert made.url.startswith("http://127.0.0.1:9555/oauth/authorize?")
    assert made.code_verifier is not None
    assert made.code_verifier not in repr(made)
    assert transport.last.body == {
        "pieceName": "@activepieces/piece-acme-oauth",
        "clientId": "cid",
        "redirectUrl": "https://app.example.com/callback",
        "projectId": PROJECT,
        "scopes": ["read"],
        "props": {"base_url": "https://x.example"},
    }


def test_a_piece_without_pkce_has_no_verifier() -> None:
    transport = says("oauth2 authorization-url tenant piece props")

    made = Connections(transport).authorization_url("p", client_id="c", redirect_url="r")

    assert made == AuthorizationUrl(url=made.url)
