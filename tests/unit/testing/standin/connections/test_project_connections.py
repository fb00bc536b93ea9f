"""Connections of the stand-in, sequentially and concurrently."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flask_activepieces.testing import ActivepiecesServer
from tests.support.acme import acme_pieces
from tests.support.clock import StoppedClock
from tests.support.standin import Standin, standin

SECRET_PIECE = "@activepieces/piece-acme-secret"
CALLERS = 12


@pytest.fixture
def api(clock: StoppedClock) -> Iterator[Standin]:
    server = ActivepiecesServer(pieces=acme_pieces(""), clock=clock)
    yield standin(server)
    server.close()


def draft(api: Standin, **changes: Any) -> dict[str, Any]:
    return {
        "externalId": "crm",
        "displayName": "CRM",
        "pieceName": SECRET_PIECE,
        "projectId": api.server.project_id,
        "type": "SECRET_TEXT",
        "value": {"type": "SECRET_TEXT", "secret_text": "ok-1"},
        **changes,
    }


def listed(api: Standin, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get(f"/app-connections?projectId={api.server.project_id}{query}")["data"]
    return rows


def upserts_at_once(api: Standin, external_id: str) -> int:
    """Let several callers upsert one new external id at the same time; return the number of rows."""
    body = draft(api, externalId=external_id)
    with ThreadPoolExecutor(CALLERS) as callers:
        made = callers.map(lambda _: api.post("/app-connections", body)["id"], range(CALLERS))
    rows = {row["id"] for row in listed(api, "&limit=-1") if row["externalId"] == external_id}
    assert rows == set(made)
    return len(rows)


def test_overlapping_upserts_make_duplicates(api: Standin) -> None:
    # On a busy machine, the calls of one round may not overlap.
    assert any(upserts_at_once(api, f"crm-{n}") > 1 for n in range(20))


def test_without_duplicate_upserts_there_is_one_row(api: Standin) -> None:
    api.server.state.duplicate_upserts = False

    assert upserts_at_once(api, "crm") == 1


def test_a_placeholder_overwrites_nothing(api: Standin) -> None:
    api.post("/app-connections", draft(api))

    again = api.post("/app-connections", draft(api, type="PLACEHOLDER", displayName="later"))

    assert (again["status"], again["displayName"]) == ("ACTIVE", "CRM")
    assert api.server.read_connection_as_piece("crm")["value"]["secret_text"] == "ok-1"


def test_a_real_value_replaces_a_placeholder(api: Standin) -> None:
    api.post("/app-connections", draft(api, type="PLACEHOLDER"))

    made = api.post("/app-connections", draft(api))

    assert (made["status"], made["type"]) == ("ACTIVE", "SECRET_TEXT")
    assert len(listed(api)) == 1


def test_a_failed_code_exchange_keeps_the_old_connection(api: Standin) -> None:
    api.post("/app-connections", draft(api))
    value = {"type": "CLOUD_OAUTH2", "client_id": "cid", "code": "c", "scope": ""}
    body = draft(api, type="CLOUD_OAUTH2", value=value, pieceName="@activepieces/piece-acme-oauth")

    assert api.ask("POST", "/app-connections", body).status_code == 400
    assert [row["type"] for row in listed(api)] == ["SECRET_TEXT"]


@pytest.mark.parametrize(
    ("pattern", "found"), [("c_m", True), ("C%", True), ("%M", True), ("c.m", False), ("x", False)]
)
def test_names_are_searched_with_an_sql_pattern(api: Standin, pattern: str, found: bool) -> None:
    api.post("/app-connections", draft(api))

    assert bool(listed(api, f"&displayName={pattern.replace('%', '%25')}")) is found


def test_a_cursor_skips_rows_of_the_same_second(api: Standin) -> None:
    """Of 12 rows of one second, ten are on the first page, and the second page is empty."""
    for place in range(12):
        api.post("/app-connections", draft(api, externalId=f"c-{place}"))
    first = api.get(f"/app-connections?projectId={api.server.project_id}")

    second = api.get(f"/app-connections?projectId={api.server.project_id}&cursor={first['next']}")

    assert len(first["data"]) == 10
    assert second == {"data": [], "next": None, "previous": None}
    assert len(listed(api, "&limit=-1")) == 12


def test_a_piece_only_checks_values_if_there_is_a_worker(api: Standin) -> None:
    refused = draft(api, value={"type": "SECRET_TEXT", "secret_text": "no"})
    assert api.ask("POST", "/app-connections", refused).status_code == 201

    api.server.state.validates_values = True

    answer = api.ask("POST", "/app-connections", refused)
    assert answer.json == {"code": "INVALID_APP_CONNECTION", "params": {"error": "API key must start with ok-"}}


@pytest.mark.parametrize(("piece", "status"), [("secret", 400), ("custom", 201)])
def test_a_wrong_type_is_rejected_only_by_a_piece_that_validates_connections(
    api: Standin, piece: str, status: int
) -> None:
    """Observed on 0.85.2 and 0.86.0: without the piece's `validate`, not even the type is checked."""
    api.server.state.validates_values = True
    value = {"type": "BASIC_AUTH", "username": "u", "password": "p"}
    name = f"@activepieces/piece-acme-{piece}"

    answer = api.ask("POST", "/app-connections", draft(api, pieceName=name, type="BASIC_AUTH", value=value))

    assert answer.status_code == status


def test_without_a_worker_the_response_takes_five_minutes(api: Standin) -> None:
    waited: list[float] = []
    state = api.server.state
    state.validates_values, state.has_worker, state.sleep = True, False, waited.append

    answer = api.ask("POST", "/app-connections", draft(api))

    assert waited == [300]
    assert answer.status_code == 400
    assert answer.json is not None and answer.json["code"] == "ENGINE_OPERATION_FAILURE"


def test_a_viewer_can_read_but_not_write_connections(api: Standin) -> None:
    viewer = api.by_member("Viewer")

    assert viewer.ask("GET", f"/app-connections?projectId={api.server.project_id}").status_code == 200
    refused = viewer.ask("POST", "/app-connections", draft(api))
    assert refused.status_code == 403
    assert refused.json is not None and refused.json["code"] == "PERMISSION_DENIED"
    assert listed(api) == []
