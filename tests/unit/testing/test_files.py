"""A stand-in that keeps its things in a file goes on with them."""

from __future__ import annotations

from pathlib import Path

from flask_activepieces.client import ActivepiecesClient
from flask_activepieces.client.connections import ConnectionDraft
from flask_activepieces.client.values import SecretText
from flask_activepieces.testing import ActivepiecesServer, Piece


def test_a_second_start_finds_the_project_its_connections_and_the_old_key(tmp_path: Path) -> None:
    piece = Piece("@acme/piece-acme", auth={"type": "SECRET_TEXT", "required": True})
    file = tmp_path / "activepieces.db"
    with ActivepiecesServer(database=file, pieces=[piece]) as first:
        client = ActivepiecesClient(first.url, api_key=first.api_key)
        draft = ConnectionDraft(
            project_id=first.project_id,
            external_id="crm",
            display_name="CRM",
            piece_name=piece.name,
            value=SecretText("a key"),
        )
        made = client.connections.upsert(draft)

    with ActivepiecesServer(database=file, pieces=[piece]) as second:
        client = ActivepiecesClient(second.url, api_key=first.api_key)
        found = client.connections.list(second.project_id)

    assert second.project_id == first.project_id
    assert [connection.id for connection in found] == [made.id]
