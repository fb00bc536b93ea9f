"""The MCP servers of Activepieces, through which language models use a tenant's flows and tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..api_client.resources.mcp import McpServer
from ..host.interface import Principal
from .dependencies import Dependencies
from .store import Integration

#: The most projects of a list, because each needs a call.
MAX_PROJECTS = 50


@dataclass(frozen=True, kw_only=True)
class RotatedMcpToken:
    """An MCP server with its new token; None for users who may not see it."""

    server: McpServer
    token: str | None = field(repr=False)


@dataclass(frozen=True)
class ProjectMcpServers:
    """The MCP servers of the projects that an integration's user can access, as far as they were loaded."""

    servers: Sequence[McpServer]
    #: The number of these projects, of which at most `MAX_PROJECTS` are loaded.
    project_count: int


@dataclass(frozen=True)
class TenantMcp:
    """Shows and updates the MCP server of an integration's project, and that of the tenant's platform.

    Activepieces lets only a user manage them, so an integration needs a user among its credentials. For the project
    of an integration on the app's own key the app can sign in a user, unless tenants share the project.
    """

    deps: Dependencies

    def get(self, integration: Integration) -> McpServer:
        """The server of the project. Show `McpServer.masked_token` instead of its token."""
        return self.deps.client_factory.client_for(integration, "mcp.get").mcp.get(integration.project_id)

    def list(self, integration: Integration) -> ProjectMcpServers:
        """The server of each project that the integration's user can access."""
        client = self.deps.client_factory.client_for(integration, "mcp.get")
        if not integration.has_credentials:
            return ProjectMcpServers([client.mcp.get(integration.project_id)], 1)
        projects = client.projects.list()
        return ProjectMcpServers([client.mcp.get(each.id) for each in projects[:MAX_PROJECTS]], len(projects))

    def update(
        self,
        integration: Integration,
        *,
        disabled_tools: Sequence[str] | None = None,
        enabled_tools: Sequence[str] | None = None,
        enabled: bool | None = None,
        user_id: str,
    ) -> McpServer:
        """Disable these tools (0.85), enable these tools (0.80), or enable or disable the server (0.78)."""
        client = self.deps.client_factory.client_for(integration, "mcp.update")
        server = client.mcp.update(
            integration.project_id, disabled_tools=disabled_tools, enabled_tools=enabled_tools, enabled=enabled
        )
        self._record("mcp.changed", integration, user_id)
        return server

    def rotate_token(self, integration: Integration, principal: Principal) -> RotatedMcpToken:
        """Rotate the token of the server; the old token stops working."""
        may_see_token = self.deps.host.may_see_mcp_token(principal)
        client = self.deps.client_factory.client_for(integration, "mcp.rotate_token")
        server = client.mcp.rotate_token(integration.project_id)
        self._record("mcp.token_rotated", integration, principal.user_id)
        return RotatedMcpToken(server=server, token=server.token if may_see_token else None)

    def get_platform(self, integration: Integration) -> McpServer:
        """The server of the tenant's own platform. The integration's user must be an administrator there."""
        return self.deps.client_factory.client_for(integration, "mcp.get_platform").mcp.get_platform()

    def update_platform(
        self,
        integration: Integration,
        *,
        disabled_tools: Sequence[str] | None = None,
        enabled_tools: Sequence[str] | None = None,
        user_id: str,
    ) -> McpServer:
        """Disable these tools of the platform's server (0.85), or enable these tools (0.83)."""
        client = self.deps.client_factory.client_for(integration, "mcp.update_platform")
        server = client.mcp.update_platform(disabled_tools=disabled_tools, enabled_tools=enabled_tools)
        self._record("mcp.changed", integration, user_id, **_OF_PLATFORM)
        return server

    def rotate_platform_token(self, integration: Integration, principal: Principal) -> RotatedMcpToken:
        """Rotate the token of the platform's server; the old token stops working."""
        may_see_token = self.deps.host.may_see_mcp_token(principal)
        client = self.deps.client_factory.client_for(integration, "mcp.rotate_platform_token")
        server = client.mcp.rotate_platform_token()
        self._record("mcp.token_rotated", integration, principal.user_id, **_OF_PLATFORM)
        return RotatedMcpToken(server=server, token=server.token if may_see_token else None)

    def _record(self, name: str, integration: Integration, user_id: str, **detail: str) -> None:
        self.deps.database.run_in_transaction(
            lambda transaction: self.deps.record(transaction, name, integration, None, user_id=user_id, **detail)
        )


_OF_PLATFORM = {"scope": "platform"}
