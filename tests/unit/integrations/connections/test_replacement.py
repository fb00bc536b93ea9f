"""Replacing a connection does exactly what was requested, on old and new servers."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client import ActivepiecesClient
from flask_activepieces.api_client.credentials import Credential
from flask_activepieces.api_client.errors import CallNotSupported, ConnectionFailed, CredentialNotSupported
from flask_activepieces.api_client.resources.connections import Connection
from flask_activepieces.errors import InvalidInput, NotFound
from flask_activepieces.integrations.connections.saver import PlatformSharing
from flask_activepieces.integrations.connections.service import ReplacementResult
from flask_activepieces.integrations.store import Integration
from flask_activepieces.testing.standin.flows.rows import latest_version, published_version
from tests.support.service_harness import ServiceHarness
from tests.support.standin import action, catch_webhook, standin

pytestmark = pytest.mark.parametrize("served", ["0.85", "0.86", "0.92"], indirect=True, scope="module")


@pytest.fixture
def integration(harness: ServiceHarness) -> Integration:
    return harness.set_up(**harness.user_token_setup())


def replace_connection(
    harness: ServiceHarness, integration: Integration, source: Connection, target: Connection, **how: Any
) -> ReplacementResult:
    return harness.services.connections.replace(
        integration, source_id=source.id, target_id=target.id, **how, user_id="alice"
    )


def pair(harness: ServiceHarness, integration: Integration) -> tuple[Connection, Connection]:
    return harness.save(integration, "Old"), harness.save(integration, "New")


def published_flow(harness: ServiceHarness, integration: Integration, connection: Connection) -> str:
    """A published flow that uses the connection."""
    caller = standin(harness.upstream)
    body = {"displayName": "A flow", "projectId": integration.project_id}
    flow_id = str(caller.post("/flows", body)["id"])
    auth = f"{{{{connections['{connection.external_id}']}}}}"
    step = action("step_1", connection.piece_name, "whoami", auth=auth)
    caller.operate(flow_id, "UPDATE_TRIGGER", catch_webhook())
    caller.operate(flow_id, "ADD_ACTION", {"parentStep": "trigger", "action": step})
    caller.operate(flow_id, "LOCK_AND_PUBLISH", {})
    return flow_id


def used_by(harness: ServiceHarness, flow_id: str) -> tuple[list[str], list[str]]:
    """The external ids that the published version uses, and those that the latest version uses."""
    state = harness.upstream.state
    flow = state.store.get("flow", flow_id)
    assert flow is not None
    running = published_version(state, flow)
    assert running is not None
    return running["connectionIds"], latest_version(state, flow)["connectionIds"]


def has_choices(harness: ServiceHarness) -> bool:
    return harness.upstream.state.version != "0.85"


def names(harness: ServiceHarness, integration: Integration) -> list[str]:
    return [row.display_name for row in harness.services.connections.list(integration)]


def test_published_flows_use_the_target_and_the_source_is_deleted(
    harness: ServiceHarness, integration: Integration
) -> None:
    """By default, a 0.86 server would change drafts only and keep the source."""
    old, new = pair(harness, integration)
    flow_id = published_flow(harness, integration, old)

    replaced = replace_connection(harness, integration, old, new)

    assert replaced == ReplacementResult(source_deleted=True)
    assert used_by(harness, flow_id) == ([new.external_id], [new.external_id])
    assert names(harness, integration) == ["New"]
    assert harness.event_names[-2:] == ["connection.replaced", "connection.deleted"]
    assert harness.events[-2].detail == {
        "integration_id": integration.id,
        "connection_id": old.id,
        "display_name": "Old",
        "piece_name": old.piece_name,
        "target_id": new.id,
        "source_deleted": "yes",
    }


def test_keeping_the_source_works_or_changes_nothing(harness: ServiceHarness, integration: Integration) -> None:
    old, new = pair(harness, integration)
    flow_id = published_flow(harness, integration, old)
    if not has_choices(harness):
        with pytest.raises(CallNotSupported):
            replace_connection(harness, integration, old, new, delete_source=False)
        assert used_by(harness, flow_id)[0] == [old.external_id]
        assert "connection.replaced" not in harness.event_names
        return

    replaced = replace_connection(harness, integration, old, new, delete_source=False)

    assert replaced == ReplacementResult(source_deleted=False)
    assert used_by(harness, flow_id)[0] == [new.external_id]
    assert names(harness, integration) == ["Old", "New"]
    assert harness.event_names[-1] == "connection.replaced"
    assert harness.events[-1].detail["source_deleted"] == "no"


def test_changing_drafts_only_works_or_changes_nothing(harness: ServiceHarness, integration: Integration) -> None:
    old, new = pair(harness, integration)
    flow_id = published_flow(harness, integration, old)
    if not has_choices(harness):
        with pytest.raises(CallNotSupported):
            replace_connection(harness, integration, old, new, apply_to_published=False)
        assert used_by(harness, flow_id)[1] == [old.external_id]
        return

    replaced = replace_connection(harness, integration, old, new, apply_to_published=False)

    assert replaced == ReplacementResult(source_deleted=False)
    assert used_by(harness, flow_id) == ([old.external_id], [new.external_id])


def test_a_source_that_published_flows_still_use_is_not_deleted(
    harness: ServiceHarness, integration: Integration
) -> None:
    old, new = pair(harness, integration)
    harness.upstream.calls.clear()

    with pytest.raises(InvalidInput) as refused:
        replace_connection(harness, integration, old, new, apply_to_published=False, delete_source=True)

    assert set(refused.value.fields) == {"deleteSourceConnection"}
    assert "POST" not in {call.method for call in harness.upstream.calls}


def test_a_source_that_other_projects_may_use_is_kept_by_default(
    harness: ServiceHarness, integration: Integration
) -> None:
    wide = harness.save(integration, "Wide", platform_sharing=PlatformSharing())
    new = harness.save(integration, "New")
    if not has_choices(harness):
        with pytest.raises(CallNotSupported):
            replace_connection(harness, integration, wide, new)
        assert "Wide" in names(harness, integration)
        return

    assert replace_connection(harness, integration, wide, new) == ReplacementResult(source_deleted=False)
    assert "Wide" in names(harness, integration)


def test_an_api_key_cannot_replace_a_connection(harness: ServiceHarness) -> None:
    """Every version answers 500, and leaves published flows with an empty draft."""
    integration = harness.set_up()
    old, new = pair(harness, integration)
    harness.upstream.calls.clear()

    with pytest.raises(CredentialNotSupported, match="user token"):
        replace_connection(harness, integration, old, new)

    assert harness.upstream.calls == []


def test_a_connection_cannot_be_replaced_by_itself_or_by_another_owners(
    harness: ServiceHarness, integration: Integration
) -> None:
    mine = harness.save(integration)
    labs = harness.set_up(organization_id="labs", **harness.user_token_setup())
    theirs = harness.save(labs)

    with pytest.raises(InvalidInput):
        replace_connection(harness, integration, mine, mine)
    for source, target in ((mine, theirs), (theirs, mine)):
        with pytest.raises(NotFound):
            replace_connection(harness, integration, source, target)

    assert names(harness, integration) == ["Mine"]


def test_after_a_lost_response_a_missing_source_counts_as_deleted(
    harness: ServiceHarness, integration: Integration
) -> None:
    old, new = pair(harness, integration)
    harness.upstream.faults.drop_response("POST", "/app-connections/replace")

    assert replace_connection(harness, integration, old, new) == ReplacementResult(source_deleted=True)
    assert harness.event_names[-2:] == ["connection.replaced", "connection.deleted"]


def test_a_failed_call_with_an_existing_source_records_nothing(
    harness: ServiceHarness, integration: Integration
) -> None:
    old, new = pair(harness, integration)
    harness.upstream.faults.reset_connection("POST", "/app-connections/replace")

    with pytest.raises(ConnectionFailed):
        replace_connection(harness, integration, old, new)

    assert names(harness, integration) == ["Old", "New"]
    assert harness.event_names[-1] == "connection.saved"


class HarnessWithFailingLookup(ServiceHarness):
    """A harness whose Activepieces rejects lookups from the third client on."""

    clients = 0

    def _client(self, base_url: str, credential: Credential) -> ActivepiecesClient:
        self.clients += 1
        if self.clients == 3:
            self.upstream.faults.reset_connection("GET", "/app-connections", times=None)
        return super()._client(base_url, credential)


def test_a_source_that_cannot_be_checked_does_not_count_as_deleted(
    harness: ServiceHarness, integration: Integration
) -> None:
    old, new = pair(harness, integration)
    failing = HarnessWithFailingLookup(harness.engine, harness.upstream, harness.tenant)

    assert replace_connection(failing, integration, old, new) == ReplacementResult(source_deleted=None)

    assert failing.event_names == ["connection.replaced"]
    assert failing.events[-1].detail["source_deleted"] == "not known"
