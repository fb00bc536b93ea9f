"""What is stored about connections, whatever their external ids are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flask_activepieces.api_client.errors import UnexpectedResponse
from flask_activepieces.storage import tables
from tests.support.service_harness import ADMIN, ServiceHarness


@pytest.mark.parametrize(
    ("external_id", "kept"), [("by-hand", True), ("é" * 3000, False), ("nul\0", False), ("half \ud800", False)]
)
def test_an_external_id_that_no_column_can_store_is_not_stored(
    harness: ServiceHarness, external_id: str, kept: bool
) -> None:
    """A user may have created the connection in Activepieces, which accepts 3000 characters."""
    made = harness.set_up()
    connection = replace(harness.save(made), external_id=external_id)
    recorder = harness.services.connections.recorder

    recorder.record_saved(made, connection, change="created", is_default=True, user_id=ADMIN)

    noted = harness.reload(made)
    assert noted.default_connection_id == connection.id
    assert noted.default_connection_external_id == (external_id if kept else None)


def test_the_longest_stored_external_id_fits(harness: ServiceHarness) -> None:
    column = tables.metadata.tables["activepieces_integrations"].c.default_connection_external_id
    made = harness.set_up()
    recorder = harness.services.connections.recorder
    longest = "x" * column.type.length  # type: ignore[attr-defined]  # String has it

    for external_id, kept in ((longest, longest), (f"{longest}x", None)):
        connection = replace(harness.save(made), external_id=external_id)
        recorder.record_saved(made, connection, change="created", is_default=True, user_id=ADMIN)

        assert harness.reload(made).default_connection_external_id == kept


def test_invalid_ids_are_an_unexpected_response(harness: ServiceHarness) -> None:
    made = harness.set_up()
    row = harness.upstream.state.store.get("app_connection", harness.save(made).id) or {}
    odd = {name: value for name, value in row.items() if name != "sealed"} | {"id": "x" * 65}
    harness.upstream.faults.invalid_json("POST", "/app-connections", body=json.dumps(odd).encode())

    with pytest.raises(UnexpectedResponse, match="not an id"):
        harness.save(made)
