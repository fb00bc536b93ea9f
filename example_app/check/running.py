"""The steps that let a flow work with Tasklane, and that end it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flask_activepieces.api_client.resources.flow_runs import FlowRun

from .flow import TaskFlow
from .loop import Loop
from .report import Skipped, Surprise, expect, told_by

SECONDS_TO_RUN = 60.0
_UNFINISHED = {"QUEUED", "RUNNING"}


def build_flow(loop: Loop) -> str:
    """Webhook, create task, answer: put together and published as by Activepieces' own builder."""
    flow_id = loop.client.flows.create(loop.project_id, loop.flow_name).id
    loop.flow_id = flow_id
    loop.clean_ups.append((f"flow {flow_id}", lambda: loop.client.flows.delete(flow_id)))
    plan = TaskFlow(
        webhook_version=loop.webhook_version,
        piece_name=loop.piece.name,
        piece_version=loop.piece.version,
        connection_external_id=loop.connection["externalId"],
    )
    for operation, request in plan.operations():
        loop.client.flows.apply(flow_id, operation, request)
    published = loop.client.flows.publish(flow_id)
    expect(
        published.status == "ENABLED",
        expected="a flow that is on",
        came=published.status,
        check=f"flow {flow_id} in Activepieces",
    )
    return f"flow {flow_id} is published"


def run_flow(loop: Loop) -> str:
    """The flow adds a task by the app's API."""
    return f"Activepieces called the API: {_new_task(loop, 'Task')} is in the list"


def refresh(loop: Loop) -> str:
    """A moment later Activepieces refreshes the token before it uses it."""
    before = len(loop.heard("token.refreshed"))
    loop.wait_until_token_is_old()
    told = _new_task(loop, "Task after a refresh")
    expect(
        len(loop.heard("token.refreshed")) > before,
        expected="Activepieces to refresh the token before it used it",
        came="no refresh",
        check="ACTIVEPIECES_ACCESS_TOKEN_TTL, which this check sets to 901",
    )
    return f"the token was refreshed first: {told} is in the list"


def _new_task(loop: Loop, words: str) -> str:
    """Run the flow; the title of the task that it made."""
    title = f"{words} ({loop.mark})"
    answer = loop.client.flows.run(loop.flow_id, {"title": title}, sync=True)
    loop.token_was_read()
    expect(
        title in str(answer),
        expected="the new task in the answer of the flow",
        came=answer,
        check=f"the runs of flow {loop.flow_id} in Activepieces",
    )
    expect(
        title in loop.admin.open("/").text,
        expected=f"'{title}' in the list of tasks",
        came="a list without it",
        check="which workspace the connection is for",
    )
    return f"'{title}'"


def rotate_mcp(loop: Loop) -> str:
    """The token of the project's MCP server is shown masked, and becomes another."""
    if not loop.place.has_user:
        raise Skipped("only a user may; set CHECK_EMAIL and CHECK_PASSWORD")
    check = "that the user of CHECK_EMAIL may change the project"
    before = loop.api("GET", f"/mcp/{loop.integration_id}", check=check)["token"]
    after = loop.api("POST", f"/mcp/{loop.integration_id}/rotate", check=check)["token"]
    expect(
        before[-4:] != after[-4:],
        expected="another token",
        came="the same one",
        check="the MCP server of the project in Activepieces",
    )
    return f"the token {before} became another"


def disconnect(loop: Loop) -> str:
    """The admin takes the permission back on the page of connected apps."""
    grant_id = loop.heard("token.issued")[-1].grant_id
    page = loop.admin.send("/oauth/connected-apps", f"/{grant_id}/disconnect")
    expect(
        grant_id in {event.grant_id for event in loop.heard("grant.revoked")},
        expected="the permission to end",
        came=told_by(page),
        check=f"{loop.admin.site}/oauth/connected-apps",
    )
    return "the permission was taken back on the page of connected apps"


def run_in_vain(loop: Loop) -> str:
    """What Activepieces still has opens nothing any more."""
    loop.wait_until_token_is_old()
    title = f"Task after the end ({loop.mark})"
    known = {run.id for run in _runs(loop)}
    # Nobody waits for its answer: that of a run that fails comes after 30 seconds.
    loop.client.flows.run(loop.flow_id, {"title": title}, sync=False)
    run = _finished_run(loop, known)
    expect(
        run.status == "FAILED",
        expected="a run that fails",
        came=run.status,
        check=f"run {run.id} in Activepieces",
    )
    expect(
        title not in loop.admin.open("/").text,
        expected="no new task",
        came=f"'{title}' in the list",
        check="the revocations in the app's database",
    )
    reason = run.failed_step.reason if run.failed_step else "no reason given"
    return f"no task was made, for the run failed: {reason}"


def _finished_run(loop: Loop, known: set[str]) -> FlowRun:
    """The run that is not among the known ones, as soon as it is over."""
    deadline = time.monotonic() + SECONDS_TO_RUN
    while time.monotonic() < deadline:
        for run in _runs(loop):
            if run.id not in known and run.status not in _UNFINISHED:
                return run
        time.sleep(0.1)
    raise Surprise(
        expected=f"a finished run within {SECONDS_TO_RUN:.0f} seconds",
        came="none",
        check="that a worker of Activepieces is running",
    )


def _runs(loop: Loop) -> Sequence[FlowRun]:
    return loop.client.flow_runs.list(loop.project_id, flow_ids=[loop.flow_id]).runs
