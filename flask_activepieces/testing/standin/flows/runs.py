"""Runs of flows: start, list and retry them."""

from __future__ import annotations

from functools import partial

from ..routing.paging import ExactCursor, page
from ..routing.responses import Json, Row, not_found
from ..routing.route_groups import RouteCall, RouteGroup, in_query
from ..routing.validation import boolean, fields, list_of, number, one_of, optional, text
from ..state import ServerState
from ..store import new_id
from ..versions import QUOTA
from .flow_engine import Outcome, run_version

group = RouteGroup("runs", scoped=True)

#: Newest first, with an exact cursor.
_BY_AGE = ExactCursor(("created", "id"), descending=True)
#: The maximum length of an error message in a run's summary.
_MAX_MESSAGE_LENGTH = 512


def execute(state: ServerState, flow: Row, item: Json) -> Outcome:
    """Run the published version of a flow for an item of its trigger."""
    return _execute(state, _create_run(state, flow, item)["id"])


def is_over_quota(state: ServerState) -> bool:
    """Whether the quota is used up, so that runs end before they begin."""
    return state.over_quota and state.has(QUOTA)


def _create_run(state: ServerState, flow: Row, item: Json) -> Row:
    trigger = {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "input": {}, "output": item}
    return state.store.add(
        "flow_run",
        {
            "projectId": flow["projectId"],
            "flowId": flow["id"],
            "flowVersionId": flow["publishedVersionId"],
            "environment": "PRODUCTION",
            "logsFileId": new_id(),
            "parentRunId": None,
            "failParentOnFailure": False,
            "status": "RUNNING",
            "tags": [],
            "startTime": None,
            "triggeredBy": None,
            "finishTime": None,
            "failedStep": None,
            "archivedAt": None,
            "stepNameToTest": None,
            "stepsCount": 0,
            "pauseMetadata": None,
            # Inputs and outputs of steps may hold the secrets of connections.
            "sealed": state.store.encrypt({"trigger": trigger}),
        },
    )


def _execute(state: ServerState, run_id: str) -> Outcome:
    """Run all steps that have not succeeded yet, and store the outcome."""
    if is_over_quota(state):
        state.store.change("flow_run", run_id, status="QUOTA_EXCEEDED", finishTime=state.store.now())
        return Outcome()
    run = state.store.change("flow_run", run_id, status="RUNNING", startTime=state.store.now())
    version = state.store.get("flow_version", run["flowVersionId"])
    assert version is not None, "a flow that runs has a version"
    done = state.store.decrypt(run["sealed"])
    outcome = run_version(state, run, version, done=done)
    actions = [step for name, step in outcome.steps.items() if name != "trigger"]
    state.store.change(
        "flow_run",
        run_id,
        status="FAILED" if outcome.failed else "SUCCEEDED",
        finishTime=state.store.now(),
        failedStep=_failed_step(outcome),
        stepsCount=sum(step["status"] == "SUCCEEDED" for step in actions),
        sealed=state.store.encrypt(outcome.steps),
    )
    return outcome


def _failed_step(outcome: Outcome) -> Row | None:
    if outcome.failed is None or outcome.error is None:
        return None
    message = outcome.error.report()
    cut = message if len(message) <= _MAX_MESSAGE_LENGTH else message[:_MAX_MESSAGE_LENGTH] + "…"
    step = outcome.failed
    return {"name": step["name"], "message": cut, "displayName": step["displayName"]}


def project_of_run(call: RouteCall) -> str:
    """The project is that of the run in the path."""
    return str(_run(call)["projectId"])


def _run(call: RouteCall) -> Row:
    run = call.state.store.get("flow_run", call.params["id"])
    if run is None:
        raise not_found("flow_run", call.params["id"])
    return run


def _to_json(state: ServerState, run: Row) -> Row:
    """A run as the API returns it: with the version that ran, without the results of its steps."""
    public = {name: value for name, value in run.items() if name != "sealed"}
    return {**public, "flowVersion": state.store.get("flow_version", run["flowVersionId"])}


def _list_item_json(state: ServerState, run: Row) -> Row:
    """A run in a list. It contains the version twice, because the query's own columns leak into the response."""
    shown = _to_json(state, run)
    version = shown["flowVersion"]
    columns = {f"flowVersion_{name}": value for name, value in version.items()}
    return {**shown, **columns, "displayName": version["displayName"]}


_FILTERS = {
    "projectId": text(),
    "flowId": optional(list_of(text())),
    "status": optional(list_of(text())),
    "tags": optional(list_of(text())),
    "flowRunIds": optional(list_of(text())),
    "createdAfter": optional(text()),
    "createdBefore": optional(text()),
    "includeArchived": optional(boolean()),
    "limit": optional(number()),
    "cursor": optional(text()),
}


@group.route("GET", "/flow-runs", query=_FILTERS, project=in_query, permission="READ_RUN")
def list_runs(call: RouteCall) -> tuple[int, Json]:
    """The runs of a project that match all filters."""
    query = call.query
    runs = call.state.store.all("flow_run", lambda run: _matches_filters(run, query), projectId=call.project_id)
    runs.sort(key=lambda run: (run["created"], run["id"]), reverse=True)
    result = page(runs, query, by=_BY_AGE)
    return 200, {**result, "data": [_list_item_json(call.state, run) for run in result["data"]]}


def _matches_filters(run: Row, query: Row) -> bool:
    return (
        run["flowId"] in query.get("flowId", [run["flowId"]])
        and run["status"] in query.get("status", [run["status"]])
        and run["id"] in query.get("flowRunIds", [run["id"]])
        and query.get("createdAfter", "") <= run["created"]
        and run["created"] <= query.get("createdBefore", run["created"])
        and set(query.get("tags", ())) <= set(run["tags"])
    )


@group.route("GET", "/flow-runs/<id>", project=project_of_run, permission="READ_RUN")
def get(call: RouteCall) -> tuple[int, Json]:
    """One run, with input and output of each step."""
    run = _run(call)
    return 200, {**_to_json(call.state, run), "steps": call.state.store.decrypt(run["sealed"])}


_RETRY = fields({"projectId": text(), "strategy": one_of("FROM_FAILED_STEP", "ON_LATEST_VERSION")})


@group.route("POST", "/flow-runs/<id>/retry", body=_RETRY, project=project_of_run, permission="WRITE_RUN")
def retry(call: RouteCall) -> tuple[int, Json]:
    """Queue a run again: from the failed step, or from its trigger with the currently published version."""
    run, store = _run(call), call.state.store
    changes: Row = {"status": "QUEUED", "startTime": store.now(), "finishTime": None}
    if call.body["strategy"] == "ON_LATEST_VERSION":
        flow = store.get("flow", run["flowId"])
        assert flow is not None, "a flow takes its runs with it"
        trigger = store.decrypt(run["sealed"])["trigger"]
        changes |= {"flowVersionId": flow["publishedVersionId"], "sealed": store.encrypt({"trigger": trigger})}
    response = _to_json(call.state, store.change("flow_run", run["id"], **changes))
    if call.state.has_worker:
        call.state.jobs.start(partial(_execute, call.state, run["id"]))
    return 200, response
