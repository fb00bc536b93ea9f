"""A stand-in with a file keeps its data across starts."""

from __future__ import annotations

from pathlib import Path

from werkzeug.test import Client

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.resources.connection_values import SecretText
from flask_activepieces.api_client.resources.connections import ConnectionDraft
from flask_activepieces.testing import ActivepiecesServer, StandinPiece


def test_each_start_generates_a_new_password(tmp_path: Path) -> None:
    """A fixed password in a released package would be public."""
    file = tmp_path / "activepieces.db"
    with ActivepiecesServer(database=file) as first:
        assert signs_in(first, first.password)

    with ActivepiecesServer(database=file) as second:
        assert second.password != first.password
        assert signs_in(second, second.password)
        assert not signs_in(second, first.password)


def signs_in(server: ActivepiecesServer, password: str) -> bool:
    answer = Client(server.app).post(
        "/api/v1/authentication/sign-in", json={"email": server.email, "password": password}
    )
    return answer.status_code == 200


def test_a_second_start_finds_the_project_its_connections_and_the_old_key(tmp_path: Path) -> None:
    piece = StandinPiece("@acme/piece-acme", auth={"type": "SECRET_TEXT", "required": True})
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
