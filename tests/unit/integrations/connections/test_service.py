"""A tenant's connections: list, create, change and delete, without duplicates."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from flask_activepieces.api_client.errors import ConnectionFailed, ConnectionValueRejected
from flask_activepieces.api_client.resources.connection_values import BasicAuth, CustomAuth, NoAuth, SecretText, Value
from flask_activepieces.api_client.resources.connections import Connection, ConnectionDraft
from flask_activepieces.errors import ConnectionInUse, InvalidInput, Locked, NotFound
from flask_activepieces.integrations.connections.saver import NewConnection
from flask_activepieces.integrations.connections.service import ConnectionFilter
from flask_activepieces.integrations.store import Integration
from tests.support.service_harness import APP_PIECE, SECRET_PIECE, ServiceHarness
from tests.support.standin import action, standin


@pytest.fixture
def integration(harness: ServiceHarness) -> Integration:
    return harness.set_up()


def by_hand(harness: ServiceHarness, integration: Integration, **changed: Any) -> Connection:
    """A connection that was created in Activepieces."""
    fields: dict[str, Any] = {
        "project_id": integration.project_id,
        "external_id": "by-hand",
        "display_name": "By hand",
        "piece_name": SECRET_PIECE,
        "value": SecretText(secret_text="ok-by-hand"),
    }
    return harness.platform_client().connections.upsert(ConnectionDraft(**fields | changed))


def names(harness: ServiceHarness, integration: Integration, **wanted: Any) -> list[str]:
    found = harness.services.connections.list(integration, ConnectionFilter(**wanted))
    return [connection.display_name for connection in found]


# --- Creating -----------------------------------------------------------------------------------------


def test_a_connection_names_its_owner_and_the_version_of_the_app(
    harness: ServiceHarness, integration: Integration
) -> None:
    made = harness.save(integration, "Slack", metadata={"team": "sales"})

    assert made.metadata == {
        "team": "sales",
        "tenantId": harness.tenant,
        "integrationId": integration.id,
        "hostVersion": "2.1",
    }
    assert made.type == "SECRET_TEXT"
    assert harness.event_names[-1] == "connection.saved"
    assert harness.events[-1].detail == {
        "integration_id": integration.id,
        "connection_id": made.id,
        "display_name": "Slack",
        "piece_name": SECRET_PIECE,
        "change": "created",
    }


def test_saving_under_the_same_name_replaces_the_value(harness: ServiceHarness, integration: Integration) -> None:
    first = harness.save(integration, "Slack", value="ok-1")

    again = harness.save(integration, "Slack", value="ok-2")

    assert again.id == first.id
    assert names(harness, integration) == ["Slack"]


def test_an_external_id_as_a_name_means_the_same_connection(
    harness: ServiceHarness, integration: Integration
) -> None:
    first = harness.save(integration, "Slack")

    again = harness.save(integration, "Slack of sales", external_id=first.external_id)

    assert (again.id, again.display_name) == (first.id, "Slack of sales")


def test_metadata_stay_if_none_are_passed(harness: ServiceHarness, integration: Integration) -> None:
    harness.save(integration, "Slack", metadata={"team": "sales"})

    assert harness.save(integration, "Slack").metadata["team"] == "sales"
    assert "team" not in harness.save(integration, "Slack", metadata={}).metadata


@pytest.mark.parametrize(
    ("value", "piece"),
    [
        (SecretText(secret_text="ok-1"), "secret"),
        (BasicAuth(username="ada", password="p"), "basic"),
        (CustomAuth(props={"key": "p"}), "custom"),
        (NoAuth(), "none"),
    ],
    ids=lambda value: getattr(value, "type", None),
)
def test_every_type_of_value_can_be_saved(
    harness: ServiceHarness, integration: Integration, value: Value, piece: str
) -> None:
    new = NewConnection(value=value, piece_name=f"@activepieces/piece-acme-{piece}")

    made = harness.services.connections.save(integration, new, user_id="alice")

    assert made.type == value.type
    assert "password" not in repr(new)


def test_a_connection_of_the_apps_piece_is_the_default_connection(
    harness: ServiceHarness, integration: Integration
) -> None:
    """Also of a piece that takes a secret."""
    app = harness.with_settings(piece_name=SECRET_PIECE)

    made = app.save(integration, piece_name=None)

    now = app.reload(integration)
    assert (now.default_connection_id, now.default_connection_external_id) == (made.id, made.external_id)
    assert app.services.connections.get_default(now).id == made.id


def test_a_missing_default_connection_is_not_found(harness: ServiceHarness, integration: Integration) -> None:
    harness.save(integration)

    with pytest.raises(NotFound):
        harness.services.connections.get_default(harness.reload(integration))


def test_a_connection_needs_a_piece(harness: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(InvalidInput) as caught:
        harness.with_settings(piece_name=None).save(integration, piece_name=None)

    assert list(caught.value.fields) == ["pieceName"]


def test_another_project_than_the_integrations_is_rejected(harness: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(InvalidInput) as caught:
        harness.save(integration, project_id=harness.upstream.project_id)

    assert list(caught.value.fields) == ["projectId"]


def test_a_rejected_value_creates_nothing(harness: ServiceHarness, integration: Integration) -> None:
    with pytest.raises(ConnectionValueRejected, match="must start with ok-"):
        harness.save(integration, value="wrong")

    assert names(harness, integration) == []
    assert "connection.saved" not in harness.event_names
    assert harness.rows("leases") == []


def test_simultaneous_upserts_of_one_name_make_one_connection(
    harness: ServiceHarness, integration: Integration, connections_in_use: list[int]
) -> None:
    """Activepieces would create several, because external ids are not unique there."""
    patient = replace(harness, sleep=time.sleep)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: patient.save(integration, value=f"ok-{n}"), range(16)))

    connections_in_use.clear()  # ignore the connections of the other threads
    assert len({connection.id for connection in made}) == 1
    assert names(harness, integration) == ["Mine"]
    assert harness.rows("leases") == []


def test_no_other_request_saves_it_while_the_outcome_is_unknown(
    harness: ServiceHarness, integration: Integration
) -> None:
    harness.upstream.faults.drop_response("POST", "/app-connections")
    with pytest.raises(ConnectionFailed):
        harness.save(integration)

    with pytest.raises(Locked) as caught:
        harness.save(integration)

    assert caught.value.retry_after > 270
    assert harness.save(integration, "Another").display_name == "Another"


def test_a_failed_lookup_does_not_block_saving(harness: ServiceHarness, integration: Integration) -> None:
    """Only a lookup was sent, so Activepieces is not working on anything."""
    harness.upstream.faults.reset_connection("GET", "/app-connections", times=None)
    with pytest.raises(ConnectionFailed):
        harness.save(integration)

    harness.upstream.faults.clear()

    assert harness.save(integration).display_name == "Mine"


# --- Listing ----------------------------------------------------------------------------------------


def test_connections_are_filtered(harness: ServiceHarness, integration: Integration) -> None:
    harness.save(integration, "Slack of sales")
    harness.save(integration, "100 % mine")
    new = NewConnection(value=NoAuth(), piece_name="@activepieces/piece-acme-none")
    harness.services.connections.save(integration, new, user_id="alice")

    assert len(names(harness, integration)) == 3
    assert names(harness, integration, display_name="sLACK") == ["Slack of sales"]
    assert names(harness, integration, display_name="%") == ["100 % mine"]
    assert names(harness, integration, piece_name=SECRET_PIECE) == ["Slack of sales", "100 % mine"]
    assert names(harness, integration, statuses=("ERROR",)) == []
    assert names(harness, integration, scope="PLATFORM") == []
    assert len(names(harness, integration, scope="PROJECT", statuses=("ACTIVE", "ERROR"))) == 3


def test_connections_created_within_one_second_are_all_listed(
    harness: ServiceHarness, integration: Integration
) -> None:
    """Activepieces' own cursors would skip most of them."""
    for number in range(25):
        by_hand(harness, integration, external_id=f"c-{number}", display_name=f"{number}")

    assert len(names(harness, integration)) == 25


def test_with_the_tenants_own_key_connections_created_in_activepieces_are_listed(
    harness: ServiceHarness, integration: Integration
) -> None:
    made = by_hand(harness, integration)

    assert names(harness, integration) == ["By hand"]
    renamed = harness.services.connections.update(integration, made.id, display_name="Renamed", user_id="alice")
    assert renamed.display_name == "Renamed"


def test_an_organization_does_not_see_anothers_connections_in_one_project(
    harness: ServiceHarness, integration: Integration
) -> None:
    labs = harness.set_up(organization_id="labs", api_key=harness.upstream.api_key, project_id=integration.project_id)
    harness.save(integration, "Of all")

    theirs = harness.save(labs, "Of the labs")

    assert names(harness, labs) == ["Of the labs"]
    assert names(harness, integration) == ["Of all"]
    with pytest.raises(NotFound):
        harness.services.connections.get(integration, theirs.id)


# --- Changing and deleting --------------------------------------------------------------------------


def test_a_new_name_keeps_the_metadata(harness: ServiceHarness, integration: Integration) -> None:
    made = harness.save(integration, metadata={"team": "sales"})

    renamed = harness.services.connections.update(integration, made.id, display_name="New", user_id="alice")

    assert (renamed.display_name, renamed.metadata) == ("New", made.metadata)


def test_new_metadata_still_name_the_owner(harness: ServiceHarness, integration: Integration) -> None:
    made = harness.save(integration)

    renamed = harness.services.connections.update(
        integration, made.id, metadata={"tenantId": "globex", "team": "it"}, user_id="alice"
    )

    assert renamed.display_name == made.display_name
    assert renamed.metadata == {**made.metadata, "team": "it"}


@pytest.fixture
def noted(harness: ServiceHarness, integration: Integration) -> Connection:
    """A connection for which Activepieces stored the account."""
    made = harness.save(integration, metadata={"team": "sales"})
    metadata = {**made.metadata, "accountIdentifier": "ada@example.com"}
    harness.upstream.state.store.change("app_connection", made.id, metadata=metadata)
    return made


@pytest.mark.parametrize("metadata", [None, {}, {"team": "it"}, {"accountIdentifier": "mallory@example.com"}])
def test_saving_again_keeps_the_account_identifier(
    harness: ServiceHarness, integration: Integration, noted: Connection, metadata: dict[str, str] | None
) -> None:
    again = harness.save(integration, metadata=metadata)

    assert again.id == noted.id
    assert again.metadata["accountIdentifier"] == "ada@example.com"


def test_an_update_of_metadata_keeps_the_account_identifier(
    harness: ServiceHarness, integration: Integration, noted: Connection
) -> None:
    harness.upstream.calls.clear()

    changed = harness.services.connections.update(integration, noted.id, metadata={"team": "it"}, user_id="alice")

    assert changed.metadata["accountIdentifier"] == "ada@example.com"
    assert changed.metadata["team"] == "it"
    # without an additional lookup
    assert [call.method for call in harness.upstream.calls] == ["GET", "POST"]


def deletes(harness: ServiceHarness, integration: Integration, connection_id: str, **how: bool) -> None:
    harness.services.connections.delete(integration, connection_id, **how, user_id="alice")


def test_a_deleted_connection_is_not_found(harness: ServiceHarness, integration: Integration) -> None:
    made = harness.save(integration)

    deletes(harness, integration, made.id)

    assert names(harness, integration) == []
    assert harness.event_names[-1] == "connection.deleted"
    with pytest.raises(NotFound):
        deletes(harness, integration, made.id)


def test_a_connection_in_use_is_deleted_only_with_force(harness: ServiceHarness, integration: Integration) -> None:
    made = harness.save(integration)
    flow = in_use(harness, integration, made)

    with pytest.raises(ConnectionInUse) as caught:
        deletes(harness, integration, made.id)

    assert caught.value.flow_ids == (flow,)
    assert names(harness, integration) == ["Mine"]
    deletes(harness, integration, made.id, force=True)
    assert names(harness, integration) == []


def in_use(harness: ServiceHarness, integration: Integration, connection: Connection) -> str:
    """A flow that uses the connection."""
    caller = standin(harness.upstream)
    body = {"displayName": "A flow", "projectId": integration.project_id}
    flow_id = str(caller.post("/flows", body)["id"])
    step = action("step_1", connection.piece_name, "whoami")
    step["settings"]["input"]["auth"] = f"{{{{connections['{connection.external_id}']}}}}"
    caller.operate(flow_id, "ADD_ACTION", {"parentStep": "trigger", "action": step})
    return flow_id


def test_deleting_the_default_connection_clears_it(harness: ServiceHarness, integration: Integration) -> None:
    app = harness.with_settings(piece_name=SECRET_PIECE)
    made = app.save(integration)

    deletes(app, integration, made.id)

    assert app.reload(integration).default_connection_id is None


def test_a_default_connection_deleted_in_activepieces_is_cleared(
    harness: ServiceHarness, integration: Integration
) -> None:
    app = harness.with_settings(piece_name=SECRET_PIECE)
    made = app.save(integration)
    app.platform_client().connections.delete(made.id)

    with pytest.raises(NotFound):
        app.services.connections.get_default(app.reload(integration))

    assert app.reload(integration).default_connection_id is None


def test_a_deleted_connection_is_not_the_default_connection(
    harness: ServiceHarness, integration: Integration
) -> None:
    app = harness.with_settings(piece_name=SECRET_PIECE)
    made = app.save(integration)
    app.platform_client().connections.delete(made.id)

    with pytest.raises(NotFound):
        deletes(app, app.reload(integration), made.id)

    assert app.reload(integration).default_connection_id is None


def test_a_deletion_with_a_lost_response_is_noticed(harness: ServiceHarness, integration: Integration) -> None:
    made = harness.save(integration)
    harness.upstream.faults.drop_response("DELETE", "/app-connections/*")

    deletes(harness, integration, made.id)

    assert harness.event_names[-1] == "connection.deleted"


def test_a_deletion_without_effect_is_reported(harness: ServiceHarness, integration: Integration) -> None:
    made = harness.save(integration)
    harness.upstream.faults.reset_connection("DELETE", "/app-connections/*")

    with pytest.raises(ConnectionFailed):
        deletes(harness, integration, made.id)

    assert names(harness, integration) == ["Mine"]
    assert "connection.deleted" not in harness.event_names


def a_global_connection(harness: ServiceHarness, integration: Integration) -> str:
    from flask_activepieces.api_client.resources.global_connections import GlobalConnectionDraft

    draft = GlobalConnectionDraft(
        project_ids=(integration.project_id,),
        external_id="for-all",
        display_name="For all",
        piece_name=SECRET_PIECE,
        value=SecretText(secret_text="ok-for-all"),
    )
    return harness.platform_client().global_connections.upsert(draft).id


def test_a_global_connection_is_changed_and_deleted_by_its_own_routes(
    harness: ServiceHarness, integration: Integration
) -> None:
    """On the routes of project connections Activepieces answers 500, or 204 without deleting anything."""
    made = a_global_connection(harness, integration)

    renamed = harness.services.connections.update(integration, made, display_name="For everybody", user_id="alice")
    deletes(harness, integration, made)

    assert renamed.display_name == "For everybody"
    assert names(harness, integration) == []


def test_the_owners_are_listed(harness: ServiceHarness, integration: Integration) -> None:
    harness.save(integration)

    (owner,) = harness.services.connections.list_owners(integration)

    assert owner.email == harness.upstream.email


def test_the_apps_piece_may_be_renamed(harness: ServiceHarness, integration: Integration) -> None:
    """A connection of the former piece is an ordinary connection."""
    app = harness.with_settings(piece_name=APP_PIECE)

    assert app.save(integration).piece_name == SECRET_PIECE
    assert app.reload(integration).default_connection_id is None
