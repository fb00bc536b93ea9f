"""Sample data of triggers in the builder: the test function of a trigger, and simulations that wait for an event."""

from __future__ import annotations

from functools import partial

from ..flows.rows import latest_version
from ..pieces.piece import StepFailed
from ..routing.authentication import USER
from ..routing.paging import ExactCursor, page
from ..routing.responses import Json, Row, activepieces_error, not_found
from ..routing.route_groups import RouteCall, RouteGroup, in_body, in_query
from ..routing.validation import anything, fields, number, one_of, optional, text
from ..state import ServerState
from ..store import new_id
from .hooks import call_hook, trigger_of
from .sources import disable, enable, source_of

group = RouteGroup("trigger events")

_KIND = "trigger_event"
_USERS = frozenset({USER})
_BY_AGE = ExactCursor(("created", "place"), descending=True)

_TEST = fields(
    {
        "projectId": text(),
        "flowId": text(),
        "flowVersionId": text(),
        "testStrategy": one_of("SIMULATION", "TEST_FUNCTION"),
    }
)


@group.route("POST", "/test-trigger", body=_TEST, project=in_body, who=_USERS, permission="WRITE_FLOW")
def test_trigger(call: RouteCall) -> tuple[int, Json]:
    """Replace the samples by those of the trigger's test function, or begin or end a simulation."""
    flow, version = _flow(call, call.body["flowId"]), _version(call)
    if call.body["testStrategy"] == "TEST_FUNCTION":
        return 200, _samples(call.state, flow, version)
    if source_of(call.state, flow, simulate=True):
        disable(call.state, flow, simulate=True, ignores_errors=True)
    else:
        enable(call.state, flow, version, simulate=True)
    return 200, None


@group.route(
    "DELETE",
    "/test-trigger",
    body=fields({"projectId": text(), "flowId": text()}),
    project=in_body,
    who=_USERS,
    permission="WRITE_FLOW",
)
def cancel(call: RouteCall) -> tuple[int, Json]:
    """End a simulation."""
    disable(call.state, _flow(call, call.body["flowId"]), simulate=True)
    return 200, None


@group.route(
    "GET",
    "/trigger-events",
    query={"projectId": text(), "flowId": text(), "limit": optional(number()), "cursor": optional(text())},
    project=in_query,
    who=_USERS,
    permission="READ_FLOW",
)
def list_events(call: RouteCall) -> tuple[int, Json]:
    """The samples of a flow's trigger, the one that was stored last first."""
    flow = _flow(call, call.query["flowId"])
    return 200, _page(call.state, flow, latest_version(call.state, flow), call.query)


@group.route(
    "POST",
    "/trigger-events",
    body=fields({"projectId": text(), "flowId": text(), "mockData": anything()}),
    project=in_body,
    who=_USERS,
    permission="WRITE_FLOW",
)
def save(call: RouteCall) -> tuple[int, Json]:
    """Store a sample that the author wrote."""
    flow = _flow(call, call.body["flowId"])
    row = _save(call.state, flow, latest_version(call.state, flow), call.body["mockData"])
    return 200, _to_json(call.state, row)


def receive_sample(state: ServerState, flow: Row, payload: Row) -> None:
    """Store what the trigger makes of a request to the webhook of a simulation, in the background."""
    if state.has_worker:
        state.jobs.start(partial(_receive, state, flow, payload))


def _receive(state: ServerState, flow: Row, payload: Row) -> None:
    """The first event ends the simulation."""
    version = latest_version(state, flow)
    found = trigger_of(state, version)
    try:
        for item in call_hook(state, flow, found, found.trigger.run, test=True, payload=payload):
            _save(state, flow, version, item)
    except StepFailed:
        return
    disable(state, flow, simulate=True, ignores_errors=True)


def _samples(state: ServerState, flow: Row, version: Row) -> Row:
    """The new samples. The old ones are gone even if there are none."""
    for row in state.store.all(_KIND, flowId=flow["id"]):
        state.store.drop(_KIND, row["id"])
    found = trigger_of(state, version)
    try:
        if found.trigger.test is None:
            raise StepFailed("TypeError", "pieceTrigger.test is not a function")
        samples = call_hook(state, flow, found, found.trigger.test, test=True)
    except StepFailed as error:
        raise activepieces_error(400, "TEST_TRIGGER_FAILED", {"message": error.report()}) from error
    for sample in samples:
        _save(state, flow, version, sample)
    return _page(state, flow, version, {"limit": len(samples)} if samples else {})


def _save(state: ServerState, flow: Row, version: Row, payload: Json) -> Row:
    fields_of_row = {
        "projectId": flow["projectId"],
        "flowId": flow["id"],
        "sourceName": _source_name(version),
        "fileId": new_id(),
        "place": len(state.store.all(_KIND)),
        # A sample may hold personal data of the app's users.
        "sealed": state.store.encrypt(payload),
    }
    return state.store.add(_KIND, fields_of_row)


def _page(state: ServerState, flow: Row, version: Row, query: Row) -> Row:
    rows = state.store.all(_KIND, flowId=flow["id"], sourceName=_source_name(version))
    found = page(rows[::-1], query, by=_BY_AGE)
    return {**found, "data": [_to_json(state, row) for row in found["data"]]}


def _to_json(state: ServerState, row: Row) -> Row:
    shown = {name: value for name, value in row.items() if name not in ("sealed", "place")}
    return {**shown, "payload": state.store.decrypt(row["sealed"])}


def _source_name(version: Row) -> str:
    """Samples of another trigger, or of another minor version of the piece, are not shown."""
    trigger = version["trigger"]
    settings = trigger["settings"]
    if trigger["type"] != "PIECE_TRIGGER":
        return str(trigger["type"])
    minor = ".".join(str(settings.get("pieceVersion")).split(".")[:2])
    return f"{settings.get('pieceName')}@{minor}:{settings.get('triggerName')}"


def _flow(call: RouteCall, flow_id: str) -> Row:
    flow = call.state.store.get("flow", flow_id)
    if flow is None or flow["projectId"] != call.project_id:
        raise not_found("flow", flow_id)
    return flow


def _version(call: RouteCall) -> Row:
    version = call.state.store.get("flow_version", call.body["flowVersionId"])
    if version is None or version["flowId"] != call.body["flowId"]:
        raise not_found("flow_version", call.body["flowVersionId"])
    return version
