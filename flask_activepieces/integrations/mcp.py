"""The MCP server of a tenant's project: by which language models reach its tools.

Activepieces lets only a user manage it and no API key, so an integration needs a user among its credentials. Where it
is on the app's own key, the app may vouch for one (see `signed_users`), unless tenants share the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..host.interface import Host, Principal
from ..storage.audit import Audit, Event
from ..storage.database import Database
from .client_factory import ClientFactory
from .store import Integration

if TYPE_CHECKING:
    from ..api_client.resources.mcp import McpServer


@dataclass(frozen=True, kw_only=True)
class RotatedMcpToken:
    """An MCP server with its new token, which is here only for those who may see it."""

    server: McpServer
    token: str | None = field(repr=False)


class TenantMcp:
    """Shows and changes the MCP server of an integration's project."""

    def __init__(
        self, database: Database, host: Host, client_factory: ClientFactory, *, audit: Audit
    ) -> None:
        self._database = database
        self._host = host
        self._client_factory = client_factory
        self._audit = audit

    def get(self, integration: Integration) -> McpServer:
        """The server; `McpServer.masked_token` is what may be shown of its token."""
        return self._client_factory.client_for(integration, "mcp.get").mcp.get(
            integration.project_id
        )

    def update(
        self,
        integration: Integration,
        *,
        disabled_tools: Sequence[str] | None = None,
        enabled: bool | None = None,
        user_id: str,
        now: int,
    ) -> McpServer:
        """The server with these tools off, or switched on or off: the one on newer servers, the other on older."""
        client = self._client_factory.client_for(integration, "mcp.update")
        server = client.mcp.update(
            integration.project_id, disabled_tools=disabled_tools, enabled=enabled
        )
        self._note("mcp.changed", integration, user_id, now)
        return server

    def rotate_token(
        self, integration: Integration, principal: Principal, *, now: int
    ) -> RotatedMcpToken:
        """The server with a new token; the old one is worth nothing from then on."""
        reveals = self._host.may_see_mcp_token(principal)
        server = self._client_factory.client_for(integration, "mcp.rotate_token").mcp.rotate_token(
            integration.project_id
        )
        self._note("mcp.token_rotated", integration, principal.user_id, now)
        return RotatedMcpToken(server=server, token=server.token if reveals else None)

    def _note(self, name: str, integration: Integration, user_id: str, now: int) -> None:
        event = Event(
            name=name,
            at=now,
            tenant_id=integration.tenant_id,
            user_id=user_id,
            detail={"integration_id": integration.id, "project_id": integration.project_id},
        )
        self._database.run_in_transaction(
            lambda transaction: self._audit.record(transaction, event)
        )
