"""The JSON API for the MCP server of an integration's project."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length

from ...api_client.resources.mcp import McpServer
from .answers import CamelAnswerSchema, fields_of
from .fields import CamelSchema, StrictBoolean, String
from .operations import Operation, OperationContext


class McpSchema(CamelAnswerSchema):
    """The MCP server of a project; fields that its version of Activepieces lacks are null."""

    class Meta:
        include = fields_of(
            McpServer,
            "id project_id enabled disabled_tools created updated",
            dialect="`0.78`: can be disabled · `0.85`: has a list of disabled tools",
            token="masked, except after a rotation by someone who may see it",  # noqa: S106  # a description
        )


class McpChangeSchema(CamelSchema):
    disabled_tools = fields.List(String(max_length=200), validate=Length(max=500))
    enabled = StrictBoolean()

    @validates_schema
    def require_one_of_both(self, data: dict[str, object], **_: object) -> None:
        """No server has both."""
        if len(data) != 1:
            raise ValidationError("Send either disabledTools or enabled.", "disabledTools")


@Operation("view", answer=McpSchema())
def get_mcp(context: OperationContext) -> Any:
    """The project's MCP server, with a masked token."""
    return _to_json(context.state.tenants.mcp.get(context.integration))


@Operation("admin", body=McpChangeSchema(), answer=McpSchema())
def update_mcp(context: OperationContext) -> Any:
    """Choose the disabled tools, or enable or disable an older server."""
    server = context.state.tenants.mcp.update(context.integration, **context.body, user_id=context.principal.user_id)
    return _to_json(server)


@Operation("admin", answer=McpSchema())
def rotate_mcp(context: OperationContext) -> Any:
    """Replace the token of the MCP server; the new one is shown once, to callers who may see it."""
    rotated = context.state.tenants.mcp.rotate_token(context.integration, context.principal)
    return _to_json(rotated.server, rotated.token)


def _to_json(server: McpServer, token: str | None = None) -> dict[str, Any]:
    return {
        **asdict(server),
        "dialect": server.dialect,
        "enabled": server.enabled,
        "token": server.masked_token if token is None else token,
    }
