"""The JSON API for the projects, flows and runs of an integration, without the data in steps; and for its builder."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf, Range

from ...api_client.resources.flow_runs import FailedStep, FlowRun
from ...api_client.resources.flows import Flow
from ...api_client.resources.projects import Project
from ...integrations.embedding.builder import EmbeddedBuilder
from .answers import CamelAnswerSchema, Instant, IsSet, fields_of, list_of
from .fields import CamelSchema, String
from .operations import Operation, OperationContext


class ProjectSchema(CamelAnswerSchema):
    class Meta:
        include = fields_of(Project, "id display_name external_id type created updated")


class FlowSchema(CamelAnswerSchema):
    class Meta:
        include = fields_of(Flow, "id project_id external_id display_name status created updated")

    valid = fields.Boolean(attribute="version.valid")
    published = IsSet(attribute="published_version_id")
    connection_ids = fields.List(
        fields.String(),
        attribute="version.connection_ids",
        metadata={"description": "the external ids of the connections that its steps use"},
    )


class FlowFilterSchema(CamelSchema):
    name = String(metadata={"description": "a part of the name"})
    statuses = fields.List(fields.String(validate=OneOf(("ENABLED", "DISABLED"))), data_key="status")


class FailedStepSchema(CamelAnswerSchema):
    class Meta:
        include = fields_of(FailedStep, "name display_name")


class FlowRunSchema(CamelAnswerSchema):
    class Meta:
        include = fields_of(FlowRun, "id flow_id status environment start_time finish_time created")

    flow_name = fields.String(attribute="flow_version.display_name", allow_none=True, dump_default=None)
    failed_step = fields.Nested(FailedStepSchema, allow_none=True)


class FlowRunFilterSchema(CamelSchema):
    flow_id = String(max_length=64)
    limit = fields.Integer(load_default=50, validate=Range(1, 200))
    cursor = String(metadata={"description": "`next` of an earlier response"})


class BuilderSchema(CamelAnswerSchema):
    """What a page needs to show the builder with Activepieces' embedding SDK."""

    class Meta:
        include = fields_of(
            EmbeddedBuilder,
            "instance_url sdk_url",
            token="signs this user in: the SDK's `jwtToken`",  # noqa: S106  # a description
        )

    expires_at = Instant()


@Operation("view", answer=list_of(ProjectSchema, "ProjectList"))
def list_projects(context: OperationContext) -> Any:
    """The projects that the integration's key can access; with the app's default key, the integration's project."""
    return {"data": context.state.tenants.projects.list(context.integration)}


@Operation("view", query=FlowFilterSchema(), answer=list_of(FlowSchema, "FlowList"))
def list_flows(context: OperationContext) -> Any:
    """The flows of the project, without their steps."""
    return {"data": context.state.tenants.flows.list(context.integration, **context.query)}


@Operation("view", query=FlowRunFilterSchema(), answer=list_of(FlowRunSchema, "FlowRunPage", "next"))
def list_flow_runs(context: OperationContext) -> Any:
    """The runs of the project's flows, newest first, without the data of their steps."""
    filters = dict(context.query)
    flow_ids = [filters.pop("flow_id")] if "flow_id" in filters else []
    page = context.state.tenants.flows.list_runs(context.integration, flow_ids=flow_ids, **filters)
    return {"data": page.runs, "next": page.next_cursor}


@Operation("view", answer=BuilderSchema())
def open_builder(context: OperationContext) -> Any:
    """Sign the caller in to the builder; makes them a member of the project."""
    return context.state.tenants.embedding.builder(context.integration, context.principal)
