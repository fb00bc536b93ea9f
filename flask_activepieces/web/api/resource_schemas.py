"""JSON about projects, flows and runs: what pages need of them, and nothing of what people typed into steps."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import OneOf, Range

from .fields import CamelSchema, Text


class ProjectSchema(CamelSchema):
    """A project."""

    id = fields.String(required=True)
    display_name = fields.String(required=True)
    external_id = fields.String(required=True, allow_none=True)
    type = fields.String(required=True)
    created = fields.String(required=True)
    updated = fields.String(required=True)


class ProjectListSchema(CamelSchema):
    """The projects that an integration may be for."""

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
    """The flows of a project."""

    data = fields.List(fields.Nested(FlowSchema), required=True)


class FlowFilterSchema(CamelSchema):
    """Which flows are asked for."""

    name = Text(metadata={"description": "a part of the name"})
    status = fields.List(fields.String(validate=OneOf(("ENABLED", "DISABLED"))))


class FailedStepSchema(CamelSchema):
    """The step that a run failed at."""

    name = fields.String(required=True)
    display_name = fields.String(required=True)


class FlowRunSchema(CamelSchema):
    """A run, without what went through its steps."""

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
    """Some runs, newest first, and the cursor of those that are older."""

    data = fields.List(fields.Nested(FlowRunSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class FlowRunFilterSchema(CamelSchema):
    """Which runs are asked for."""

    flow_id = Text(most=64)
    limit = fields.Integer(load_default=50, validate=Range(1, 200))
    cursor = Text(metadata={"description": "`next` of an earlier answer"})
