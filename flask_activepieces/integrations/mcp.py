"""The MCP server of a tenant's project, through which language models use its tools.

Activepieces lets only a user manage it, so an integration needs a user among its credentials. For an integration on
the app's own key the app can sign in a user (see `embedded_users`), unless tenants share the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..api_client.resources.mcp import McpServer
from ..clock import Clock
from ..host.interface import Host, Principal
from ..storage.audit import Audit
from ..storage.database import Database
from .client_factory import ClientFactory
from .events import integration_event
from .store import Integration


@dataclass(frozen=True, kw_only=True)
class RotatedMcpToken:
    """An MCP server with its new token; None for users who may not see it."""

    server: McpServer
    token: str | None = field(repr=False)


@dataclass(frozen=True)
class TenantMcp:
    """Shows and updates the MCP server of an integration's project."""

    database: Database
    host: Host
    clock: Clock
    audit: Audit
    client_factory: ClientFactory

    def get(self, integration: Integration) -> McpServer:
        """The server. Show `McpServer.masked_token` instead of its token."""
        return self.client_factory.client_for(integration, "mcp.get").mcp.get(integration.project_id)

    def update(
        self,
        integration: Integration,
        *,
        disabled_tools: Sequence[str] | None = None,
        enabled: bool | None = None,
        user_id: str,
    ) -> McpServer:
        """The server with these tools disabled (newer servers), or enabled or disabled as a whole (older ones)."""
        client = self.client_factory.client_for(integration, "mcp.update")
        server = client.mcp.update(integration.project_id, disabled_tools=disabled_tools, enabled=enabled)
        self._record("mcp.changed", integration, user_id)
        return server

    def rotate_token(self, integration: Integration, principal: Principal) -> RotatedMcpToken:
        """The server with a new token; the old one stops working."""
        may_see_token = self.host.may_see_mcp_token(principal)
        client = self.client_factory.client_for(integration, "mcp.rotate_token")
        server = client.mcp.rotate_token(integration.project_id)
        self._record("mcp.token_rotated", integration, principal.user_id)
        return RotatedMcpToken(server=server, token=server.token if may_see_token else None)

    def _record(self, name: str, integration: Integration, user_id: str) -> None:
        event = integration_event(name, integration, at=int(self.clock()), user_id=user_id)
        self.database.run_in_transaction(lambda transaction: self.audit.record(transaction, event))
