"""Global connections, which belong to the whole platform and have their own routes."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client import Timeout
from flask_activepieces.api_client.errors import (
    InvalidRequest,
    PermissionDenied,
    PlanUpgradeRequired,
    ResourceNotFound,
    ServerError,
)
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.global_connections import GlobalConnectionDraft, GlobalConnections
from flask_activepieces.api_client.resources.resource import NO_LIMIT
from flask_activepieces.errors import InvalidInput
from tests.support.calls import says

ID = "YNqKZONsAiTeeZlPVGSHe"
PIECE = "@activepieces/piece-acme-secret"


def draft(**more: Any) -> GlobalConnectionDraft:
    return GlobalConnectionDraft(
        external_id="g-1",
        display_name="Global one",
        piece_name=PIECE,
        value=SecretText("ok-g"),
        **{"project_ids": ["H4SMHoAgJs8TNlXiaOIoV"], **more},
    )


def test_global_connections_are_listed_with_one_call() -> None:
    transport = says("global list filters")

    (connection,) = GlobalConnections(transport).list(piece_name=PIECE, statuses=["ACTIVE"])

    assert (connection.external_id, connection.scope) == ("g-1", "PLATFORM")
    assert len(connection.project_ids) == 2
    assert connection.owner is not None
    assert transport.lines == ["GET /global-connections"]
    assert transport.last.query == {"pieceName": PIECE, "status": ["ACTIVE"], "limit": NO_LIMIT}


@pytest.mark.parametrize(("part", "count"), [("GLOBAL one", 3), ("%", 0), ("", 5)])
def test_names_are_filtered_without_wildcards(part: str, count: int) -> None:
    transport = says("global list")

    found = GlobalConnections(transport).list(display_name=part)

    assert len(found) == count
    assert "displayName" not in transport.last.query


def test_a_global_connection_is_created() -> None:
    transport = says("global upsert preSelectForNewProjects")

    made = GlobalConnections(transport).upsert(
        draft(pre_select_for_new_projects=True, piece_version="0.1.0", metadata={"a": 1}),
        timeout=Timeout(read=310, total=310),
    )

    assert made.pre_select_for_new_projects
    assert transport.lines == ["POST /global-connections"]
    assert transport.last.body == {
        "scope": "PLATFORM",
        "externalId": "g-1",
        "displayName": "Global one",
        "pieceName": PIECE,
        "pieceVersion": "0.1.0",
        "projectIds": ["H4SMHoAgJs8TNlXiaOIoV"],
        "preSelectForNewProjects": True,
        "metadata": {"a": 1},
        "type": "SECRET_TEXT",
        "value": {"type": "SECRET_TEXT", "secret_text": "ok-g"},
    }
    assert transport.last.timeout == Timeout(read=310, total=310)
    assert not transport.last.is_repeatable


def test_it_may_have_no_projects() -> None:
    transport = says("global upsert empty projectIds")

    assert GlobalConnections(transport).upsert(draft(project_ids=[])).project_ids == ()
    assert transport.last.body["projectIds"] == []
    assert "metadata" not in transport.last.body


def test_its_repr_shows_no_secret() -> None:
    assert "ok-g" not in repr(draft())


def test_an_unknown_project_is_not_found() -> None:
    with pytest.raises(ResourceNotFound):
        GlobalConnections(says("global upsert unknown project")).upsert(draft())


def test_a_global_connection_is_updated() -> None:
    transport = says("global update")

    changed = GlobalConnections(transport).update(
        ID,
        display_name="G renamed",
        project_ids=["CVjZA7zWmYdAC9PqL7HXq"],
        pre_select_for_new_projects=False,
        metadata={},
    )

    assert changed.display_name == "G renamed"
    assert transport.lines == [f"POST /global-connections/{ID}"]
    assert transport.last.body == {
        "displayName": "G renamed",
        "projectIds": ["CVjZA7zWmYdAC9PqL7HXq"],
        "preSelectForNewProjects": False,
        "metadata": {},
    }
    assert transport.last.is_repeatable


def test_a_name_is_required() -> None:
    transport = says()

    with pytest.raises(InvalidInput):
        GlobalConnections(transport).update(ID, display_name="")

    assert transport.calls == []


def test_an_unknown_global_connection_is_not_found() -> None:
    """Activepieces answers 500, with a message of its database library."""
    transport = says("global update unknown id", "global list")

    with pytest.raises(ResourceNotFound) as missing:
        GlobalConnections(transport).update("ccccccccccccccccccccc", display_name="x")

    assert missing.value.operation == "global_connections.update"
    assert transport.lines[-1] == "GET /global-connections"


def test_a_server_error_for_an_existing_connection_stays_one() -> None:
    transport = says("global update unknown id", "global list")

    with pytest.raises(ServerError) as fault:
        GlobalConnections(transport).update(ID, display_name="x")

    assert fault.value.operation == "global_connections.update"


def test_a_global_connection_is_deleted_by_its_own_route() -> None:
    """The route of project connections answers 204 without deleting it."""
    transport = says("conn delete", "global delete again")
    connections = GlobalConnections(transport)

    connections.delete(ID)
    with pytest.raises(ResourceNotFound):
        connections.delete(ID)

    assert transport.lines == [f"DELETE /global-connections/{ID}"] * 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("global-connections while plan lacks it", PlanUpgradeRequired),
        ("member: global list", PermissionDenied),
        ("global upsert without scope", InvalidRequest),
    ],
)
def test_a_missing_plan_is_reported(name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        GlobalConnections(says(name)).list()
