"""JSON about MCP servers; their tokens are masked but in the one answer that makes one, if the host allows it."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length

from .fields import CamelSchema, Flag, Text


class McpSchema(CamelSchema):
    """The MCP server of a project; what its version of Activepieces does not have is null."""

    id = fields.String(required=True)
    project_id = fields.String(required=True, allow_none=True)
    dialect = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`0.78`: has a switch · `0.85`: has a list of tools that are off"},
    )
    token = fields.String(required=True, metadata={"description": "masked: its last characters"})
    enabled = fields.Boolean(required=True, allow_none=True)
    disabled_tools = fields.List(fields.String(), required=True, allow_none=True)
    created = fields.String(required=True)
    updated = fields.String(required=True)


class McpChangeSchema(CamelSchema):
    """One of two: the tools that shall be off, or on an older server the switch of the whole."""

    disabled_tools = fields.List(Text(most=200), validate=Length(max=500))
    enabled = Flag()

    @validates_schema
    def is_one_of_two(self, data: dict[str, object], **_: object) -> None:
        """No server has both."""
        if len(data) != 1:
            raise ValidationError("give either disabledTools or enabled", "disabledTools")
