"""What a tenant's project has besides connections: flows with their runs, and the MCP server.

The key may access other projects too, so each result is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..api_client.resources.flow_runs import FlowRun, RetryStrategy, RunPage
from ..api_client.resources.flows import Flow, FlowStatus
from ..api_client.resources.mcp import McpServer
from ..api_client.resources.projects import Project
from ..errors import NotFound
from ..host.interface import Principal
from .client_factory import ClientFactory
from .dependencies import Dependencies
from .store import Integration


@dataclass(frozen=True)
class TenantProjects:
    """The projects that a tenant may see."""

    client_factory: ClientFactory

    def list(self, integration: Integration) -> Sequence[Project]:
        """All that the tenant's own credentials can access; for the app's own key, the integration's project."""
        if integration.has_credentials:
            return self.client_factory.client_for(integration, "projects.list").projects.list()
        client = self.client_factory.client_for(integration, "projects.get")
        return (client.projects.get(integration.project_id),)


@dataclass(frozen=True)
class TenantFlows:
    """Lists, shows and changes flows and runs; those of other projects are `NotFound`."""

    deps: Dependencies

    def list(
        self,
        integration: Integration,
        *,
        name: str | None = None,
        statuses: Sequence[FlowStatus] = (),
        connection_external_ids: Sequence[str] = (),
    ) -> Sequence[Flow]:
        """The flows of the integration's project, newest first."""
        client = self.deps.client_factory.client_for(integration, "flows.list")
        return client.flows.list(
            integration.project_id, name=name, statuses=statuses, connection_external_ids=connection_external_ids
        )

    def get(self, integration: Integration, flow_id: str) -> Flow:
        """A flow of the integration's project."""
        flow = self.deps.client_factory.client_for(integration, "flows.get").flows.get(flow_id)
        if flow.project_id != integration.project_id:
            raise NotFound("flow", flow_id)
        return flow

    def list_runs(
        self,
        integration: Integration,
        *,
        flow_ids: Sequence[str] = (),
        statuses: Sequence[str] = (),
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        """The newest runs in the integration's project, up to the limit."""
        client = self.deps.client_factory.client_for(integration, "flow_runs.list")
        return client.flow_runs.list(
            integration.project_id, flow_ids=flow_ids, statuses=statuses, limit=limit, cursor=cursor
        )

    def get_run(self, integration: Integration, run_id: str) -> FlowRun:
        """A run in the integration's project with its steps, which may contain anything, tokens included."""
        run = self.deps.client_factory.client_for(integration, "flow_runs.get").flow_runs.get(run_id)
        if run.project_id != integration.project_id:
            raise NotFound("flow run", run_id)
        return run

    def set_enabled(self, integration: Integration, flow_id: str, enabled: bool, *, user_id: str) -> Flow:
        """Enable or disable a flow of the integration's project."""
        self.get(integration, flow_id)
        operation = "flows.enable" if enabled else "flows.disable"
        flows = self.deps.client_factory.client_for(integration, operation).flows
        flow = flows.enable(flow_id) if enabled else flows.disable(flow_id)
        name = "flow.enabled" if enabled else "flow.disabled"
        self._record(name, integration, user_id, flow_id=flow.id, flow=flow.display_name)
        return flow

    def retry_run(
        self, integration: Integration, run_id: str, *, strategy: RetryStrategy = "FROM_FAILED_STEP", user_id: str
    ) -> FlowRun:
        """Run it again under the same id; returns the queued run."""
        run = self.get_run(integration, run_id)
        runs = self.deps.client_factory.client_for(integration, "flow_runs.retry").flow_runs
        retried = runs.retry(run_id, project_id=integration.project_id, strategy=strategy)
        flow = run.flow_version.display_name if run.flow_version else ""
        self._record("flow_run.retried", integration, user_id, flow_id=run.flow_id, flow=flow, run_id=run_id)
        return retried

    def _record(self, name: str, integration: Integration, user_id: str, **detail: str) -> None:
        self.deps.database.run_in_transaction(
            lambda transaction: self.deps.record(transaction, name, integration, None, user_id=user_id, **detail)
        )


@dataclass(frozen=True, kw_only=True)
class RotatedMcpToken:
    """An MCP server with its new token; None for users who may not see it."""

    server: McpServer
    token: str | None = field(repr=False)


@dataclass(frozen=True)
class TenantMcp:
    """Shows and updates the MCP server of an integration's project, through which language models use its tools.

    Activepieces lets only a user manage it, so an integration needs a user among its credentials. For an integration
    on the app's own key the app can sign in a user, unless tenants share the project.
    """

    deps: Dependencies

    def get(self, integration: Integration) -> McpServer:
        """The server. Show `McpServer.masked_token` instead of its token."""
        return self.deps.client_factory.client_for(integration, "mcp.get").mcp.get(integration.project_id)

    def update(
        self,
        integration: Integration,
        *,
        disabled_tools: Sequence[str] | None = None,
        enabled: bool | None = None,
        user_id: str,
    ) -> McpServer:
        """The server with these tools disabled (newer servers), or enabled or disabled as a whole (older ones)."""
        client = self.deps.client_factory.client_for(integration, "mcp.update")
        server = client.mcp.update(integration.project_id, disabled_tools=disabled_tools, enabled=enabled)
        self._record("mcp.changed", integration, user_id)
        return server

    def rotate_token(self, integration: Integration, principal: Principal) -> RotatedMcpToken:
        """The server with a new token; the old one stops working."""
        may_see_token = self.deps.host.may_see_mcp_token(principal)
        client = self.deps.client_factory.client_for(integration, "mcp.rotate_token")
        server = client.mcp.rotate_token(integration.project_id)
        self._record("mcp.token_rotated", integration, principal.user_id)
        return RotatedMcpToken(server=server, token=server.token if may_see_token else None)

    def _record(self, name: str, integration: Integration, user_id: str) -> None:
        self.deps.database.run_in_transaction(
            lambda transaction: self.deps.record(transaction, name, integration, user_id=user_id)
        )
