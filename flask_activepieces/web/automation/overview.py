"""The first page of the area: what does not work, what to do next, and the failed runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flask.typing import ResponseReturnValue

from ...api_client.resources.flows import Flow
from .area import words
from .area.upstream import Calls
from .area.visit import Visit, automation_page
from .rows import RunRow, connection_row, run_row

#: How many failed runs the page shows, and how many broken connections it names.
_MAX_RUNS = 5
_MAX_NAMED = 3
#: For how many seconds events and runs that failed count as a problem.
_RECENT = 7 * 86_400


@automation_page("overview", "view")
def automation(visit: Visit) -> ResponseReturnValue:
    """The overview; before the workspace is linked, an invitation to do so."""
    if visit.found_integration is None:
        return visit.render("welcome.html")
    integration = visit.integration
    calls, tenants = Calls(integration), visit.state.tenants
    connections = calls.try_call(partial(tenants.connections.list, integration))
    listed = [connection_row(visit.state, each) for each in connections.value or ()]
    broken = [each for each in listed if each.is_broken]
    flows, failed_runs = _flows_and_failed_runs(visit, calls)
    since, tenant_id, delivery = visit.state.now() - _RECENT, visit.principal.tenant_id, visit.state.delivery
    return visit.render(
        "overview.html",
        trouble=connections.error,
        connection_count=None if connections.value is None else len(listed),
        broken=[each for each in broken if visit.allows("admin" if each.is_global else "edit")][:_MAX_NAMED],
        broken_count=len(broken),
        flow_count=None if flows is None else len(flows),
        enabled_flow_count=sum(flow.status == "ENABLED" for flow in flows or ()),
        failed_runs=failed_runs,
        has_failed_run=any(run.started_at is not None and run.started_at >= since for run in failed_runs or ()),
        paused_count=delivery.subscriptions.count_paused(tenant_id, organizations=visit.organizations),
        has_lost_event=delivery.log.has_dead(tenant_id, organizations=visit.organizations, since=since),
    )


def _flows_and_failed_runs(visit: Visit, calls: Calls) -> tuple[Sequence[Flow] | None, Sequence[RunRow] | None]:
    """The flows and the last failed runs; None where Activepieces did not say, or may not."""
    integration, tenants = visit.integration, visit.state.tenants
    if tenants.integrations.shares_project(integration):
        return None, None
    flows = calls.try_call(partial(tenants.flows.list, integration))
    failed = calls.try_call(
        partial(tenants.flows.list_runs, integration, statuses=words.FAILED_RUNS, limit=_MAX_RUNS)
    )
    return flows.value, [run_row(visit, run) for run in failed.value.runs] if failed.value else None
