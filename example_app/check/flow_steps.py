"""The steps that build a flow on Tasklane's piece, run it, and disconnect it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flask_activepieces.api_client.resources.flow_runs import FlowRun

from ..activepieces import PIECE
from .flow import NewTaskFlow, TaskFlow
from .report import CheckFailed, StepSkipped, describe, expect
from .run import CheckRun

SECONDS_TO_RUN = 60.0
#: Within this time, an event that is delivered twice would start a second run.
SECONDS_TO_REPEAT = 1.5
_UNFINISHED = {"QUEUED", "RUNNING"}


def build_flow(run: CheckRun) -> str:
    """Build and publish a flow with the calls of Activepieces' own builder."""
    flow_id = run.api_client.flows.create(run.project_id, run.flow_name).id
    run.flow_id = flow_id
    run.clean_ups.append((f"flow {flow_id}", lambda: run.api_client.flows.delete(flow_id)))
    flow = TaskFlow(
        webhook_version=run.webhook_version,
        piece_name=PIECE.name,
        piece_version=run.piece_version,
        connection_external_id=run.connection["externalId"],
    )
    for operation, request in flow.operations():
        run.api_client.flows.apply(flow_id, operation, request)
    published = run.api_client.flows.publish(flow_id)
    expect(
        published.status == "ENABLED",
        expected="an enabled flow",
        actual=published.status,
        check=f"flow {flow_id} in Activepieces",
    )
    return f"flow {flow_id} is published"


def run_flow(run: CheckRun) -> str:
    """The flow adds a task with the app's API."""
    return f"Activepieces called the API: {_add_task(run, 'Task')} is in the list"


def enable_trigger(run: CheckRun) -> str:
    """Publish a flow that starts with Tasklane's trigger: Activepieces subscribes to new tasks."""
    flow_id = run.api_client.flows.create(run.project_id, f"{run.flow_name}: new tasks").id
    run.trigger_flow_id = flow_id
    run.clean_ups.append((f"flow {flow_id}", lambda: run.api_client.flows.delete(flow_id)))
    flow = NewTaskFlow(
        piece_name=PIECE.name,
        piece_version=run.piece_version,
        connection_external_id=run.connection["externalId"],
        contains=run.run_id,
    )
    for operation, request in flow.operations():
        run.api_client.flows.apply(flow_id, operation, request)
    run.api_client.flows.publish(flow_id)
    return f"flow {flow_id} waits for new tasks"


def receive_event(run: CheckRun) -> str:
    """A task added on Tasklane's page starts the flow, once."""
    title = f"Task on the page ({run.run_id})"
    run.admin.submit("/", "/tasks", title=title)
    flow_run = _wait_for_new_run(run, set(), run.trigger_flow_id)
    expect(
        flow_run.status == "SUCCEEDED",
        expected="a run that succeeded",
        actual=flow_run.status,
        check=f"run {flow_run.id} in Activepieces",
    )
    time.sleep(SECONDS_TO_REPEAT)
    runs = _flow_runs(run, run.trigger_flow_id)
    expect(len(runs) == 1, expected="one run", actual=len(runs), check=f"flow {run.trigger_flow_id} in Activepieces")
    # While its connection works: Activepieces unsubscribes with it.
    run.api_client.flows.delete(run.trigger_flow_id)
    run.clean_ups = [each for each in run.clean_ups if each[0] != f"flow {run.trigger_flow_id}"]
    return f"'{title}' started the flow once"


def refresh_token(run: CheckRun) -> str:
    """Activepieces refreshes the token before it uses it again."""
    refreshes = len(run.events_named("token.refreshed"))
    run.wait_until_token_is_old()
    title = _add_task(run, "Task after a refresh")
    expect(
        len(run.events_named("token.refreshed")) > refreshes,
        expected="Activepieces to refresh the token before it used it",
        actual="no refresh",
        check="ACTIVEPIECES_ACCESS_TOKEN_TTL, which this check sets to 901",
    )
    return f"Activepieces refreshed the token: {title} is in the list"


def rotate_mcp_token(run: CheckRun) -> str:
    """Rotate the token of the project's MCP server. Before and after, only a masked token is shown."""
    if not run.activepieces.has_user:
        raise StepSkipped("it requires a user; set CHECK_EMAIL and CHECK_PASSWORD")
    check = "that the user of CHECK_EMAIL may change the project"
    before = run.call_api("GET", f"/mcp/{run.integration_id}", check=check)["token"]
    after = run.call_api("POST", f"/mcp/{run.integration_id}/rotate", check=check)["token"]
    expect(
        before[-4:] != after[-4:],
        expected="a new token",
        actual="the same one",
        check="the MCP server of the project in Activepieces",
    )
    return f"the token {before} was replaced"


def disconnect(run: CheckRun) -> str:
    """The admin revokes the grant on the page of connected apps."""
    grant_id = run.events_named("token.issued")[-1].grant_id
    page = run.admin.submit("/oauth/connected-apps", f"/{grant_id}/disconnect")
    expect(
        grant_id in {event.grant_id for event in run.events_named("grant.revoked")},
        expected="the grant to be revoked",
        actual=describe(page),
        check=f"{run.admin.site}/oauth/connected-apps",
    )
    return "the grant was revoked on the page of connected apps"


def run_disconnected_flow(run: CheckRun) -> str:
    """The token that Activepieces still has no longer works."""
    run.wait_until_token_is_old()
    title = f"Task after disconnecting ({run.run_id})"
    earlier_ids = {flow_run.id for flow_run in _flow_runs(run, run.flow_id)}
    # Not sync: Activepieces answers a sync call only after 30 seconds if the run fails.
    run.api_client.flows.run(run.flow_id, {"title": title}, sync=False)
    flow_run = _wait_for_new_run(run, earlier_ids, run.flow_id)
    expect(
        flow_run.status == "FAILED",
        expected="a failed run",
        actual=flow_run.status,
        check=f"run {flow_run.id} in Activepieces",
    )
    expect(
        title not in run.admin.open("/").text,
        expected="no new task",
        actual=f"'{title}' in the list",
        check="the revocations in the app's database",
    )
    reason = flow_run.failed_step.reason if flow_run.failed_step else "no reason given"
    return f"the run failed and added no task: {reason}"


def _add_task(run: CheckRun, name: str) -> str:
    title = f"{name} ({run.run_id})"
    response = run.api_client.flows.run(run.flow_id, {"title": title}, sync=True)
    run.token_was_used()
    expect(
        title in str(response),
        expected="the new task in the response of the flow",
        actual=response,
        check=f"the runs of flow {run.flow_id} in Activepieces",
    )
    expect(
        title in run.admin.open("/").text,
        expected=f"'{title}' in the task list",
        actual="a list without it",
        check="which workspace the connection is for",
    )
    return f"'{title}'"


def _wait_for_new_run(run: CheckRun, earlier_ids: set[str], flow_id: str) -> FlowRun:
    deadline = time.monotonic() + SECONDS_TO_RUN
    while time.monotonic() < deadline:
        for flow_run in _flow_runs(run, flow_id):
            if flow_run.id not in earlier_ids and flow_run.status not in _UNFINISHED:
                return flow_run
        time.sleep(0.1)
    raise CheckFailed(
        expected=f"a finished run within {SECONDS_TO_RUN:.0f} seconds",
        actual="none",
        check="that a worker of Activepieces is running",
    )


def _flow_runs(run: CheckRun, flow_id: str) -> Sequence[FlowRun]:
    return run.api_client.flow_runs.list(run.project_id, flow_ids=[flow_id]).runs
