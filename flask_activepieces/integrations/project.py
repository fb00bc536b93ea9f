"""What a tenant's project has besides connections: flows with their runs.

The key may access other projects too, so each result is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..api_client.resources.flow_runs import FlowRun, RetryStrategy, RunPage
from ..api_client.resources.flows import Flow, FlowStatus
from ..api_client.resources.projects import Project
from ..errors import NotFound
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
