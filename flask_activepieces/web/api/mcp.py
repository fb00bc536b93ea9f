"""The JSON API for the MCP server of an integration's project."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length

from ...api_client.resources.mcp import McpServer
from .fields import CamelAnswerSchema, CamelSchema, StrictBoolean, String
from .operations import Operation, OperationContext


class McpSchema(CamelAnswerSchema):
    """The MCP server of a project; fields that its version of Activepieces lacks are null."""

    id = fields.String()
    project_id = fields.String(allow_none=True)
    dialect = fields.String(
        allow_none=True, metadata={"description": "`0.78`: can be disabled · `0.85`: has a list of disabled tools"}
    )
    token = fields.String(metadata={"description": "masked, except after a rotation by someone who may see it"})
    enabled = fields.Boolean(allow_none=True)
    disabled_tools = fields.List(fields.String(), allow_none=True)
    created = fields.String()
    updated = fields.String()


class McpChangeSchema(CamelSchema):
    disabled_tools = fields.List(String(max_length=200), validate=Length(max=500))
    enabled = StrictBoolean()

    @validates_schema
    def require_one_of_both(self, data: dict[str, object], **_: object) -> None:
        """No server has both."""
        if len(data) != 1:
            raise ValidationError("Send either disabledTools or enabled.", "disabledTools")


@Operation("view", answer=McpSchema())
def get_mcp(context: OperationContext, integration_id: str) -> Any:
    """The project's MCP server, with a masked token."""
    return _to_json(context.state.mcp.get(context.integration(integration_id)))


@Operation("admin", body=McpChangeSchema(), answer=McpSchema())
def update_mcp(context: OperationContext, integration_id: str) -> Any:
    """Choose the disabled tools, or enable or disable an older server."""
    server = context.state.mcp.update(
        context.integration(integration_id),
        disabled_tools=context.body.get("disabled_tools"),
        enabled=context.body.get("enabled"),
        user_id=context.principal.user_id,
    )
    return _to_json(server)


@Operation("admin", answer=McpSchema())
def rotate_mcp(context: OperationContext, integration_id: str) -> Any:
    """Replace the token of the MCP server; the new one is shown once, to callers who may see it."""
    rotated = context.state.mcp.rotate_token(context.integration(integration_id), context.principal)
    return _to_json(rotated.server, rotated.token)


def _to_json(server: McpServer, token: str | None = None) -> dict[str, Any]:
    return {
        **asdict(server),
        "dialect": server.dialect,
        "enabled": server.enabled,
        "token": server.masked_token if token is None else token,
    }
