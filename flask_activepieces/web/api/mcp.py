"""The JSON API for the MCP servers of an integration's projects, and of its platform."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length

from ...api_client.resources.mcp import McpServer
from ...integrations.mcp import MAX_PROJECTS
from .answers import CamelAnswerSchema, fields_of
from .fields import CamelSchema, StrictBoolean, String
from .operations import Operation, OperationContext


class McpSchema(CamelAnswerSchema):
    """An MCP server; fields that its version of Activepieces lacks are null."""

    class Meta:
        include = fields_of(
            McpServer,
            "id enabled disabled_tools created updated",
            project_id="null for the server of the platform",
            dialect="`0.78`: can be disabled · `0.80`: has a list of enabled tools"
            " · `0.85`: has a list of disabled tools",
            enabled_tools="also null while all are enabled",
            token="masked, except after a rotation by someone who may see it",  # noqa: S106  # a description
        )


class McpListSchema(CamelAnswerSchema):
    """The MCP servers of projects."""

    data = fields.List(fields.Nested(McpSchema))
    project_count = fields.Integer(
        metadata={"description": f"all projects of the integration's user; the list has at most {MAX_PROJECTS}"}
    )


class McpToolsSchema(CamelSchema):
    disabled_tools = fields.List(String(max_length=200), validate=Length(max=500))
    enabled_tools = fields.List(String(max_length=200), validate=Length(max=500))

    @validates_schema
    def require_one(self, data: dict[str, object], **_: object) -> None:
        """No server has two of them, or they are changed one after the other."""
        if len(data) != 1:
            raise ValidationError(f"Send one of {', '.join(self._names())}.", "disabledTools")

    def _names(self) -> list[str]:
        return [str(field.data_key) for field in self.fields.values()]


class McpChangeSchema(McpToolsSchema):
    enabled = StrictBoolean()


@Operation("view", answer=McpSchema())
def get_mcp(context: OperationContext) -> Any:
    """The project's MCP server, with a masked token."""
    return _to_json(context.state.tenants.mcp.get(context.integration))


@Operation("admin", body=McpChangeSchema(), answer=McpSchema())
def update_mcp(context: OperationContext) -> Any:
    """Choose the disabled or the enabled tools, or enable or disable an older server."""
    server = context.state.tenants.mcp.update(context.integration, **context.body, user_id=context.principal.user_id)
    return _to_json(server)


@Operation("admin", answer=McpSchema())
def rotate_mcp(context: OperationContext) -> Any:
    """Replace the token of the MCP server; the new one is shown once, to callers who may see it."""
    rotated = context.state.tenants.mcp.rotate_token(context.integration, context.principal)
    return _to_json(rotated.server, rotated.token)


@Operation("view", answer=McpListSchema())
def list_mcp(context: OperationContext) -> Any:
    """The MCP server of each project that the integration's user can access, with masked tokens."""
    listed = context.state.tenants.mcp.list(context.integration)
    return {"data": [_to_json(server) for server in listed.servers], "project_count": listed.project_count}


@Operation("admin", answer=McpSchema())
def get_platform_mcp(context: OperationContext) -> Any:
    """The MCP server of the tenant's own platform, with a masked token."""
    return _to_json(context.state.tenants.mcp.get_platform(context.integration))


@Operation("admin", body=McpToolsSchema(), answer=McpSchema())
def update_platform_mcp(context: OperationContext) -> Any:
    """Choose the disabled or the enabled tools of the platform's MCP server."""
    user_id = context.principal.user_id
    server = context.state.tenants.mcp.update_platform(context.integration, **context.body, user_id=user_id)
    return _to_json(server)


@Operation("admin", answer=McpSchema())
def rotate_platform_mcp(context: OperationContext) -> Any:
    """Replace the token of the platform's MCP server, as for that of a project."""
    rotated = context.state.tenants.mcp.rotate_platform_token(context.integration, context.principal)
    return _to_json(rotated.server, rotated.token)


def _to_json(server: McpServer, token: str | None = None) -> dict[str, Any]:
    shown = server.masked_token if token is None else token
    return {**asdict(server), "enabled": server.enabled, "token": shown}
