"""Flows and runs of a tenant's project. The key may access other projects too, so each result is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..api_client.resources.flow_runs import FlowRun, RunPage
from ..api_client.resources.flows import Flow, FlowStatus
from ..errors import NotFound
from .client_factory import ClientFactory
from .store import Integration


@dataclass(frozen=True)
class TenantFlows:
    """Lists and shows flows and runs; those of other projects are `NotFound`."""

    client_factory: ClientFactory

    def list(
        self,
        integration: Integration,
        *,
        name: str | None = None,
        statuses: Sequence[FlowStatus] = (),
        connection_external_ids: Sequence[str] = (),
    ) -> Sequence[Flow]:
        """The flows of the integration's project, newest first."""
        client = self.client_factory.client_for(integration, "flows.list")
        return client.flows.list(
            integration.project_id, name=name, statuses=statuses, connection_external_ids=connection_external_ids
        )

    def get(self, integration: Integration, flow_id: str) -> Flow:
        """A flow of the integration's project."""
        flow = self.client_factory.client_for(integration, "flows.get").flows.get(flow_id)
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
        client = self.client_factory.client_for(integration, "flow_runs.list")
        return client.flow_runs.list(
            integration.project_id, flow_ids=flow_ids, statuses=statuses, limit=limit, cursor=cursor
        )

    def get_run(self, integration: Integration, run_id: str) -> FlowRun:
        """A run in the integration's project with its steps, which may contain anything, tokens included."""
        run = self.client_factory.client_for(integration, "flow_runs.get").flow_runs.get(run_id)
        if run.project_id != integration.project_id:
            raise NotFound("flow run", run_id)
        return run
