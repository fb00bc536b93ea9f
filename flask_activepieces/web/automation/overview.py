"""The first page of the area: whether everything works, what to do next, and the failed runs."""

from __future__ import annotations

from functools import partial

from flask.typing import ResponseReturnValue

from .area import words
from .area.upstream import Calls
from .area.visit import Visit, automation_page
from .rows import connection_row, run_row

#: How many failed runs the page shows, and how many broken connections it names.
_MAX_RUNS = 5
_MAX_NAMED = 3


@automation_page("overview", "view")
def automation(visit: Visit) -> ResponseReturnValue:
    """The overview; before the workspace is linked, an invitation to do so."""
    if visit.found_integration is None:
        return visit.render("welcome.html")
    integration = visit.integration
    calls, tenants = Calls(integration), visit.state.tenants
    connections = calls.try_call(partial(tenants.connections.list, integration))
    # Not for a project that tenants share, where the app may not see flows.
    flows = calls.try_call(partial(tenants.flows.list, integration))
    failed = calls.try_call(
        partial(tenants.flows.list_runs, integration, statuses=words.FAILED_RUNS, limit=_MAX_RUNS)
    )
    listed = [connection_row(visit.state, each) for each in connections.value or ()]
    broken = [each for each in listed if each.is_broken]
    return visit.render(
        "overview.html",
        trouble=connections.error,
        connection_count=None if connections.value is None else len(listed),
        broken=broken[:_MAX_NAMED],
        broken_count=len(broken),
        flow_count=None if flows.value is None else len(flows.value),
        enabled_flow_count=sum(flow.status == "ENABLED" for flow in flows.value or ()),
        failed_runs=[run_row(visit, run) for run in failed.value.runs] if failed.value else None,
    )
