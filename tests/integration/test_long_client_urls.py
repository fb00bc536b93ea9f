"""Agents whose id is a URL of any allowed length: every table stores an id that its columns can hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import String, Table

from flask_activepieces.oauth.documents.client_urls import MAX_LENGTH
from flask_activepieces.state import get_state
from flask_activepieces.storage import tables
from tests.support import hosts
from tests.support.actors import Person, answer_of
from tests.support.agents import LEGACY, McpAgent, tokens_for_agent
from tests.support.clock import StoppedClock
from tests.support.databases import MARIADB, POSTGRES, Kind, fresh_database
from tests.support.document_clients import ACCEPTING, agent, site
from tests.support.forgeries import opened
from tests.support.pieces import make_piece_app
from tests.support.storage import rows_of


@pytest.fixture(params=["sqlite", POSTGRES, MARIADB])
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: StoppedClock) -> Iterator[Flask]:
    """An app with tools that accepts agents, on each database; the servers refuse what a column cannot hold."""
    kind: Kind = request.param
    with fresh_database(kind, tmp_path) as url:

        def make(**options: Any) -> Flask:
            return hosts.make_app(tmp_path, database=url, clock=clock, **ACCEPTING, **options)

        app, _ = make_piece_app(make)
        try:
            yield app
        finally:
            hosts.dispose(app)


@pytest.mark.parametrize("length", [255, MAX_LENGTH])
def test_an_agent_with_a_long_url_is_stored_everywhere(app: Flask, length: int) -> None:
    bob = Person(app, "bob")
    with site() as publisher:
        robin = agent(app, publisher, f"/{'a' * (length - len(publisher.url) - 1)}")
        assert len(robin.client_id) == length
        tokens = tokens_for_agent(robin, bob)
        claims = opened(tokens["access_token"])[1]
        called = McpAgent(app, tokens["access_token"], LEGACY[-1]).calls("create_task", title="Milk")
        again = answer_of(robin.refreshes(tokens["refresh_token"]))
        get_state(app).tool_calls.store()
        stored = {table: rows_of(app, table) for table in ("grants", "token_families", "tool_calls")}
        robin.revokes(again["refresh_token"])

    assert claims["client_id"] == robin.client_id
    assert called["isError"] is False
    assert McpAgent(app, again["access_token"]).sends("tools/list").status_code == 401
    (client,) = rows_of(app, "oauth_clients")
    assert client["document_url"] == robin.client_id
    assert {row["client_id"] for rows in stored.values() for row in rows} == {client["client_id"]}
    assert not list(_too_long(app))


def _too_long(app: Flask) -> Iterator[str]:
    """The columns whose values are longer than declared: SQLite stores them anyway."""
    for table in tables.metadata.sorted_tables:
        for row in rows_of(app, table.name.removeprefix(tables.TABLE_PREFIX)):
            yield from (
                f"{table.name}.{name}" for name in _lengths(table) if len(row[name] or "") > _lengths(table)[name]
            )


def _lengths(table: Table) -> dict[str, int]:
    return {
        column.name: column.type.length
        for column in table.columns
        if isinstance(column.type, String) and column.type.length
    }
