"""The JSON API for what pages show of an integration's project: which there are, its flows and their runs."""

from __future__ import annotations

from typing import Any

from ...api_client.resources.flow_runs import FlowRun
from ...api_client.resources.flows import Flow
from .operations import Call, operation
from .resource_schemas import (
    FlowFilterSchema,
    FlowListSchema,
    FlowRunFilterSchema,
    FlowRunPageSchema,
    ProjectListSchema,
)
from .upstream import UPSTREAM


@operation("view", answer=ProjectListSchema(), problems=UPSTREAM)
def list_projects(call: Call, integration_id: str) -> Any:
    """The projects that the integration's key sees; of the app's own key, the integration's project."""
    return {"data": call.state.projects.list(call.integration(integration_id))}


@operation("view", query=FlowFilterSchema(), answer=FlowListSchema(), problems=UPSTREAM)
def list_flows(call: Call, integration_id: str) -> Any:
    """The flows of the project, without their steps."""
    found = call.state.flows.list(
        call.integration(integration_id),
        name=call.query.get("name"),
        statuses=call.query.get("status", ()),
    )
    return {"data": [_flow(flow) for flow in found]}


@operation("view", query=FlowRunFilterSchema(), answer=FlowRunPageSchema(), problems=UPSTREAM)
def list_flow_runs(call: Call, integration_id: str) -> Any:
    """The runs of the project's flows, newest first, without what went through them."""
    flow_id = call.query.get("flow_id")
    page = call.state.flows.list_runs(
        call.integration(integration_id),
        flow_ids=[] if flow_id is None else [flow_id],
        limit=call.query["limit"],
        cursor=call.query.get("cursor"),
    )
    return {"data": [_run(run) for run in page.runs], "next": page.next_cursor}


def _flow(flow: Flow) -> dict[str, Any]:
    return {
        **vars(flow),
        "display_name": flow.display_name,
        "valid": flow.version.valid,
        "published": flow.published_version_id is not None,
        "connection_ids": flow.version.connection_ids,
    }


def _run(run: FlowRun) -> dict[str, Any]:
    return {**vars(run), "flow_name": run.flow_version and run.flow_version.display_name}
