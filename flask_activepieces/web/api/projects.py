"""The JSON API for the projects, flows and runs of an integration, without the data in their steps."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf, Range

from ...api_client.resources.flow_runs import FlowRun
from ...api_client.resources.flows import Flow
from .fields import CamelAnswerSchema, CamelSchema, String, list_of
from .operations import Operation, OperationContext


class ProjectSchema(CamelAnswerSchema):
    id = fields.String()
    display_name = fields.String()
    external_id = fields.String(allow_none=True)
    type = fields.String()
    created = fields.String()
    updated = fields.String()


class FlowSchema(CamelAnswerSchema):
    id = fields.String()
    project_id = fields.String()
    external_id = fields.String()
    display_name = fields.String()
    status = fields.String()
    valid = fields.Boolean()
    published = fields.Boolean()
    connection_ids = fields.List(
        fields.String(), metadata={"description": "the external ids of the connections that its steps use"}
    )
    created = fields.String()
    updated = fields.String()


class FlowFilterSchema(CamelSchema):
    name = String(metadata={"description": "a part of the name"})
    status = fields.List(fields.String(validate=OneOf(("ENABLED", "DISABLED"))))


class FailedStepSchema(CamelAnswerSchema):
    name = fields.String()
    display_name = fields.String()


class FlowRunSchema(CamelAnswerSchema):
    """A run, without the data of its steps."""

    id = fields.String()
    flow_id = fields.String()
    flow_name = fields.String(allow_none=True)
    status = fields.String()
    environment = fields.String()
    start_time = fields.String(allow_none=True)
    finish_time = fields.String(allow_none=True)
    failed_step = fields.Nested(FailedStepSchema, allow_none=True)
    created = fields.String()


class FlowRunPageSchema(CamelAnswerSchema):
    """Runs, newest first, and the cursor of the older ones."""

    data = fields.List(fields.Nested(FlowRunSchema))
    next = fields.String(allow_none=True)


class FlowRunFilterSchema(CamelSchema):
    flow_id = String(max_length=64)
    limit = fields.Integer(load_default=50, validate=Range(1, 200))
    cursor = String(metadata={"description": "`next` of an earlier response"})


@Operation("view", answer=list_of(ProjectSchema, "ProjectList"))
def list_projects(context: OperationContext, integration_id: str) -> Any:
    """The projects that the integration's key can access; with the app's default key, the integration's project."""
    return {"data": context.state.projects.list(context.integration(integration_id))}


@Operation("view", query=FlowFilterSchema(), answer=list_of(FlowSchema, "FlowList"))
def list_flows(context: OperationContext, integration_id: str) -> Any:
    """The flows of the project, without their steps."""
    flows = context.state.flows.list(
        context.integration(integration_id), name=context.query.get("name"), statuses=context.query.get("status", ())
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
