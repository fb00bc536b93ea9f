"""Flows: operations that Activepieces would execute only partly, and responses of webhooks."""

from __future__ import annotations

from typing import Any

import pytest

from flask_activepieces.api_client import Timeout
from flask_activepieces.api_client.errors import (
    CallNotSupported,
    Conflict,
    ConstraintViolated,
    InvalidRequest,
    ResourceNotFound,
    ServerError,
    WorkerUnavailable,
)
from flask_activepieces.api_client.resources.flows import RUN_TIMEOUT, Flows
from flask_activepieces.api_client.resources.resource import NO_LIMIT
from flask_activepieces.api_client.resources.templates import FlowTemplate
from flask_activepieces.api_client.response import ApiResponse
from tests.support.calls import FakeTransport, answer, recorded, says
from tests.support.recordings import recording

PROJECT = "H4SMHoAgJs8TNlXiaOIoV"
FLOW = "cpvPVr5DiCc2VSZ4HaDTa"


# --- Reading --------------------------------------------------------------------------------------


def test_a_new_flow_has_no_trigger() -> None:
    transport = says("flow get")

    flow = Flows(transport).get(FLOW)

    assert (flow.id, flow.project_id, flow.display_name) == (FLOW, PROJECT, "Flow 1")
    assert (flow.status, flow.operation_status, flow.published_version_id) == ("DISABLED", "NONE", None)
    assert flow.metadata == {}
    assert flow.version.state == "DRAFT"
    assert not flow.version.has_trigger
    assert transport.lines == [f"GET /flows/{FLOW}"]


def test_a_flow_is_read_in_another_version() -> None:
    transport = says("flow get")

    Flows(transport).get(FLOW, version_id="v1")

    assert transport.last.query == {"versionId": "v1"}


def test_a_published_flow_has_connection_ids() -> None:
    flow = Flows(says("flow get after publish")).get(FLOW)

    assert flow.status == "ENABLED"
    assert flow.published_version_id == flow.version.id
    assert flow.version.has_trigger
    assert flow.version.connection_ids == ("c-secret",)


def test_a_flow_of_an_older_server_is_decoded() -> None:
    flow = Flows(says("[0.78.2] flows create")).create("h3kUN4bpL90lVEmp9h414", "f")

    assert (flow.display_name, flow.version.schema_version) == ("f", "16")


def test_the_repr_shows_no_inputs_of_steps() -> None:
    flow = Flows(says("flow get after publish")).get(FLOW)

    assert "hi" in str(flow.version.trigger)
    assert "nextAction" not in repr(flow)


def test_flows_are_listed_with_one_call_and_every_filter() -> None:
    transport = says("flow list filters")

    flows = Flows(transport).list(
        PROJECT, name="Flow 1", statuses=["DISABLED"], folder_id="f1", connection_external_ids=["a", "b"]
    )

    assert [flow.display_name for flow in flows] == ["Flow 1"]
    assert transport.lines == ["GET /flows"]
    assert transport.last.query == {
        "projectId": PROJECT,
        "name": "Flow 1",
        "status": ["DISABLED"],
        "folderId": "f1",
        "connectionExternalIds": ["a", "b"],
        "limit": NO_LIMIT,
    }


def test_without_filters_all_flows_are_listed() -> None:
    transport = says("flow list")

    assert len(Flows(transport).list(PROJECT)) == 2
    assert transport.last.query == {"projectId": PROJECT, "limit": NO_LIMIT}


@pytest.mark.parametrize("name", ["flow get unknown", "flow get deleted"])
def test_an_unknown_flow_is_not_found(name: str) -> None:
    with pytest.raises(ResourceNotFound) as missing:
        Flows(says(name)).get("fffffffffffffffffffff")

    assert missing.value.code == "ENTITY_NOT_FOUND"


# --- Creating ---------------------------------------------------------------------------------------


def test_a_flow_is_created() -> None:
    transport = says("flow create with metadata+externalId")

    flow = Flows(transport).create(PROJECT, "Flow ext", folder_id="f1", metadata={"a": 1})

    assert flow.metadata == {"a": 1}
    assert transport.lines == ["POST /flows"]
    assert transport.last.body == {
        "projectId": PROJECT,
        "displayName": "Flow ext",
        "folderId": "f1",
        "metadata": {"a": 1},
    }
    assert not transport.last.is_repeatable


CONSTRAINED = {"embedConstraints": {"requiredPieceNames": ["@acme/piece-crm"]}}
TEMPLATE = FlowTemplate(
    display_name="From a template", trigger={"type": "PIECE_TRIGGER"}, schema_version="22", notes=()
)


def test_a_template_becomes_a_flow() -> None:
    transport = says("flow create (api key)", "flow op UPDATE_TRIGGER")

    flow = Flows(transport).import_template(PROJECT, TEMPLATE)

    assert flow.version.has_trigger
    assert transport.lines == ["POST /flows", f"POST /flows/{FLOW}"]
    assert transport.calls[0].body == {"projectId": PROJECT, "displayName": "From a template"}
    assert transport.last.body == {
        "type": "IMPORT_FLOW",
        "request": {
            "displayName": "From a template",
            "trigger": {"type": "PIECE_TRIGGER"},
            "schemaVersion": "22",
            "notes": (),
        },
    }


def test_an_imported_template_can_be_renamed() -> None:
    transport = says("flow create (api key)", "flow op UPDATE_TRIGGER")

    Flows(transport).import_template(PROJECT, TEMPLATE, display_name="Mine")

    assert transport.calls[0].body["displayName"] == "Mine"
    assert transport.last.body["request"]["displayName"] == "Mine"


def test_metadata_are_set_before_the_template_is_imported() -> None:
    """The constraints apply from the start."""
    transport = says("flow create (api key)", "flow op UPDATE_TRIGGER")

    Flows(transport).import_template(PROJECT, TEMPLATE, metadata=CONSTRAINED)

    assert transport.calls[0].body["metadata"] == CONSTRAINED
    assert "metadata" not in transport.last.body["request"]


VIOLATION = answer(409, {"code": "VALIDATION", "params": {"message": "Not publishable"}})


@pytest.mark.parametrize(
    ("constraints", "description"),
    [
        ({"requiredPieceNames": ["@acme/piece-crm", "@acme/piece-erp"]}, "@acme/piece-crm or @acme/piece-erp"),
        ({"triggerLock": "frozen"}, "its trigger is frozen"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["LOCK_AND_PUBLISH", "UPDATE_TRIGGER", "IMPORT_FLOW"])
def test_a_violated_publish_constraint_is_named(
    constraints: dict[str, Any], description: str, operation: str
) -> None:
    flow = with_metadata({"embedConstraints": constraints})
    transport = FakeTransport([VIOLATION, flow])

    with pytest.raises(ConstraintViolated) as refused:
        Flows(transport).apply(FLOW, operation, {})

    assert description in refused.value.detail
    assert "Not publishable" in refused.value.detail
    assert (refused.value.status, refused.value.code) == (409, "VALIDATION")


def test_publishing_names_the_constraint_too() -> None:
    flow = with_metadata(CONSTRAINED, recorded_as="flow get after publish")
    transport = FakeTransport([flow, VIOLATION, flow])

    with pytest.raises(ConstraintViolated) as refused:
        Flows(transport).publish(FLOW)

    assert refused.value.operation == "flows.publish"


@pytest.mark.parametrize(
    ("operation", "body", "then"),
    [
        ("LOCK_AND_PUBLISH", {"code": "FLOW_OPERATION_IN_PROGRESS"}, []),
        ("ADD_ACTION", {"code": "VALIDATION"}, []),
        ("LOCK_AND_PUBLISH", {"code": "VALIDATION"}, [{}]),
        ("LOCK_AND_PUBLISH", {"code": "VALIDATION"}, [None]),
    ],
    ids=["busy", "another operation", "no constraints", "no look possible"],
)
def test_other_conflicts_are_not_constraint_violations(
    operation: str, body: dict[str, Any], then: list[dict[str, Any] | None]
) -> None:
    looks = [answer(500, {}) if metadata is None else with_metadata(metadata) for metadata in then]

    with pytest.raises(Conflict) as refused:
        Flows(FakeTransport([answer(409, body), *looks])).apply(FLOW, operation, {})

    assert type(refused.value) is Conflict


def with_metadata(metadata: dict[str, Any], *, recorded_as: str = "flow get") -> ApiResponse:
    """A flow of a real server, with these metadata."""
    return answer(200, recording(recorded_as).body | {"metadata": metadata})


def test_a_failed_import_deletes_the_empty_flow() -> None:
    transport = says("flow create (api key)", "flow op ADD_ACTION bad shape", "flow delete")

    with pytest.raises(InvalidRequest) as refused:
        Flows(transport).import_template(PROJECT, TEMPLATE)

    assert refused.value.operation == "flows.import_template"
    assert transport.lines[-1] == f"DELETE /flows/{FLOW}"


def test_a_failed_deletion_does_not_hide_the_error_of_the_import() -> None:
    transport = FakeTransport([recorded("flow create (api key)"), answer(400, {}), answer(500, {"message": "down"})])

    with pytest.raises(InvalidRequest):
        Flows(transport).import_template(PROJECT, TEMPLATE)


def test_a_flow_becomes_a_template() -> None:
    transport = says("flow template")

    template = Flows(transport).get_template(FLOW)

    assert (template.name, template.type, template.id) == ("Renamed flow", "SHARED", None)
    assert [flow.display_name for flow in template.flows] == ["Renamed flow"]
    assert template.flows[0].schema_version == "22"
    assert transport.lines == [f"GET /flows/{FLOW}/template"]


# --- Changing -------------------------------------------------------------------------------------


def test_publishing_enables_the_flow() -> None:
    transport = says("flow op UPDATE_TRIGGER", "flow op LOCK_AND_PUBLISH (user)")

    flow = Flows(transport).publish(FLOW)

    assert flow.status == "ENABLED"
    assert transport.lines == [f"GET /flows/{FLOW}", f"POST /flows/{FLOW}"]
    assert transport.last.body == {"type": "LOCK_AND_PUBLISH", "request": {}}


def test_a_flow_without_a_trigger_is_not_published() -> None:
    """Activepieces would lock and publish the empty draft, and answer 404."""
    transport = says("flow get")

    with pytest.raises(CallNotSupported) as refused:
        Flows(transport).publish(FLOW)

    assert "trigger" in refused.value.detail
    assert refused.value.remedy
    assert refused.value.credential is None
    assert transport.lines == [f"GET /flows/{FLOW}"]


@pytest.mark.parametrize(
    ("method", "status", "name"),
    [
        ("enable", "ENABLED", "flow op CHANGE_STATUS ENABLED"),
        ("disable", "DISABLED", "flow op CHANGE_STATUS DISABLED"),
    ],
)
def test_a_flow_is_enabled_and_disabled(method: str, status: str, name: str) -> None:
    transport = says(name)

    flow = getattr(Flows(transport), method)(FLOW)

    assert flow.status == status
    assert transport.last.operation == f"flows.{method}"
    assert transport.last.body == {"type": "CHANGE_STATUS", "request": {"status": status}}
    assert transport.last.is_repeatable


def test_any_operation_can_be_applied() -> None:
    request = recording("flow op ADD_ACTION using a connection").request_body["request"]
    transport = says("flow op ADD_ACTION using a connection")

    Flows(transport).apply(FLOW, "ADD_ACTION", request)

    assert transport.last.body == {"type": "ADD_ACTION", "request": request}
    assert not transport.last.is_repeatable


def test_an_invalid_operation_is_rejected() -> None:
    with pytest.raises(InvalidRequest):
        Flows(says("flow op unknown")).apply(FLOW, "NOPE", {})


def test_a_flow_is_deleted() -> None:
    transport = says("flow delete", "flow delete again")
    flows = Flows(transport)

    flows.delete(FLOW)
    with pytest.raises(ResourceNotFound):
        flows.delete(FLOW)

    assert transport.lines == [f"DELETE /flows/{FLOW}"] * 2


# --- Running --------------------------------------------------------------------------------------


def test_a_synchronous_run_returns_the_response() -> None:
    transport = says("[worker] webhook sync")

    result = Flows(transport).run(FLOW, {"hello": "world"})

    assert result["echo"] == {"hello": "world"}
    assert transport.lines == [f"POST /webhooks/{FLOW}/sync"]
    assert transport.last.body == {"hello": "world"}
    assert transport.last.timeout == RUN_TIMEOUT
    assert RUN_TIMEOUT.read > 30
    assert not transport.last.is_repeatable


def test_a_webhook_never_gets_the_credential() -> None:
    """The flow receives all headers, which everyone who can read its runs sees."""
    transport = says({}, {})

    Flows(transport).run(FLOW)
    Flows(transport).run(FLOW, sync=False)

    assert [call.authenticate for call in transport.calls] == [False, False]


def test_a_flow_is_run_without_waiting() -> None:
    transport = says("[worker] webhook async")

    assert Flows(transport).run(FLOW, {"hello": "async"}, sync=False) == {}
    assert transport.lines == [f"POST /webhooks/{FLOW}"]
    assert transport.last.timeout is None


def test_a_run_can_have_a_longer_timeout() -> None:
    transport = says({})

    Flows(transport).run(FLOW, timeout=Timeout(read=100, total=100))

    assert transport.last.timeout == Timeout(read=100, total=100)


def test_without_a_payload_the_flow_gets_an_empty_object() -> None:
    transport = says({})

    Flows(transport).run(FLOW)

    assert transport.last.body == {}


def test_a_flow_without_a_response_returns_none() -> None:
    assert Flows(says("[worker] webhook sync, connection deleted")).run(FLOW) is None


@pytest.mark.parametrize("body", [{}, None])
def test_an_empty_408_is_no_response_like_204(body: dict[str, Any] | None) -> None:
    """The response of a 0.86 server."""
    assert Flows(FakeTransport([answer(408, body)])).run(FLOW) is None


@pytest.mark.parametrize(("sync", "body"), [(True, {"message": "the shop is slow"}), (False, {}), (False, None)])
def test_a_408_of_the_flow_itself_or_without_waiting_is_an_error(sync: bool, body: Any) -> None:
    with pytest.raises(InvalidRequest) as failed:
        Flows(FakeTransport([answer(408, body)])).run(FLOW, sync=sync)

    assert failed.value.status == 408


@pytest.mark.parametrize("sync", [True, False])
def test_a_disabled_flow_is_a_conflict(sync: bool) -> None:
    with pytest.raises(Conflict) as disabled:
        Flows(says("webhook to a disabled flow")).run(FLOW, sync=sync)

    assert disabled.value.status == 404
    assert "disabled" in disabled.value.detail


def test_an_unknown_flow_is_not_run() -> None:
    with pytest.raises(ResourceNotFound) as missing:
        Flows(says("webhook unknown flow")).run("fffffffffffffffffffff")

    assert missing.value.status == 410


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"message": "no such order"}, ResourceNotFound),
        (422, {"message": "no"}, InvalidRequest),
        (500, {"message": "broken"}, ServerError),
        (
            400,
            {"code": "ENGINE_OPERATION_FAILURE", "params": {"message": "Worker did not respond"}},
            WorkerUnavailable,
        ),
    ],
)
def test_a_flow_can_respond_with_its_own_error(status: int, body: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind) as failed:
        Flows(FakeTransport([answer(status, body)])).run(FLOW)

    assert getattr(failed.value, "status", None) == status
