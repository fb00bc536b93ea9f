"""The JSON API for the projects, flows and runs of an integration, without the data in their steps."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf, Range

from ...api_client.resources.flow_runs import FlowRun
from ...api_client.resources.flows import Flow
from .fields import CamelSchema, String
from .operations import Operation, OperationContext


class ProjectSchema(CamelSchema):
    """A project."""

    id = fields.String(required=True)
    display_name = fields.String(required=True)
    external_id = fields.String(required=True, allow_none=True)
    type = fields.String(required=True)
    created = fields.String(required=True)
    updated = fields.String(required=True)


class ProjectListSchema(CamelSchema):
    """Projects."""

    data = fields.List(fields.Nested(ProjectSchema), required=True)


class FlowSchema(CamelSchema):
    """A flow, without its steps."""

    id = fields.String(required=True)
    project_id = fields.String(required=True)
    external_id = fields.String(required=True)
    display_name = fields.String(required=True)
    status = fields.String(required=True)
    valid = fields.Boolean(required=True)
    published = fields.Boolean(required=True)
    connection_ids = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "the external ids of the connections that its steps use"},
    )
    created = fields.String(required=True)
    updated = fields.String(required=True)


class FlowListSchema(CamelSchema):
    """Flows."""

    data = fields.List(fields.Nested(FlowSchema), required=True)


class FlowFilterSchema(CamelSchema):
    """Which flows to list."""

    name = String(metadata={"description": "a part of the name"})
    status = fields.List(fields.String(validate=OneOf(("ENABLED", "DISABLED"))))


class FailedStepSchema(CamelSchema):
    """The step at which a run failed."""

    name = fields.String(required=True)
    display_name = fields.String(required=True)


class FlowRunSchema(CamelSchema):
    """A run, without the data of its steps."""

    id = fields.String(required=True)
    flow_id = fields.String(required=True)
    flow_name = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    environment = fields.String(required=True)
    start_time = fields.String(required=True, allow_none=True)
    finish_time = fields.String(required=True, allow_none=True)
    failed_step = fields.Nested(FailedStepSchema, required=True, allow_none=True)
    created = fields.String(required=True)


class FlowRunPageSchema(CamelSchema):
    """Runs, newest first, and the cursor of the older ones."""

    data = fields.List(fields.Nested(FlowRunSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class FlowRunFilterSchema(CamelSchema):
    """Which runs to list."""

    flow_id = String(max_length=64)
    limit = fields.Integer(load_default=50, validate=Range(1, 200))
    cursor = String(metadata={"description": "`next` of an earlier response"})


@Operation("view", answer=ProjectListSchema())
def list_projects(context: OperationContext, integration_id: str) -> Any:
    """The projects that the integration's key can access; with the app's default key, the integration's project."""
    return {"data": context.state.projects.list(context.integration(integration_id))}


@Operation("view", query=FlowFilterSchema(), answer=FlowListSchema())
def list_flows(context: OperationContext, integration_id: str) -> Any:
    """The flows of the project, without their steps."""
    flows = context.state.flows.list(
        context.integration(integration_id),
        name=context.query.get("name"),
        statuses=context.query.get("status", ()),
    )
    return {"data": [_flow_to_json(flow) for flow in flows]}


@Operation("view", query=FlowRunFilterSchema(), answer=FlowRunPageSchema())
def list_flow_runs(context: OperationContext, integration_id: str) -> Any:
    """The runs of the project's flows, newest first, without the data of their steps."""
    flow_id = context.query.get("flow_id")
    page = context.state.flows.list_runs(
        context.integration(integration_id),
        flow_ids=[] if flow_id is None else [flow_id],
        limit=context.query["limit"],
        cursor=context.query.get("cursor"),
    )
    return {"data": [_run_to_json(run) for run in page.runs], "next": page.next_cursor}


def _flow_to_json(flow: Flow) -> dict[str, Any]:
    return {
        **vars(flow),
        "display_name": flow.display_name,
        "valid": flow.version.valid,
        "published": flow.published_version_id is not None,
        "connection_ids": flow.version.connection_ids,
    }


def _run_to_json(run: FlowRun) -> dict[str, Any]:
    return {**vars(run), "flow_name": run.flow_version and run.flow_version.display_name}
