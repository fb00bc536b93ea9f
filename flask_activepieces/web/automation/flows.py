"""The flows of the workspace and their runs: switch flows on and off, see why runs failed, start them again.

Flows are built in Activepieces, to which the pages link.
"""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from ...api_client.errors import ApiError
from ...api_client.resources.flows import FlowStatus
from ...messages import Message
from ..api.paging import page_of
from .area import words
from .area.place import back_to_list, place_of
from .area.visit import Visit, automation_page
from .rows import builder_url, by_name, flow_row, run_row

_PAGE_SIZE = 25
#: What the filters offer, and which states they mean.
_FLOW_FILTERS: dict[str, tuple[str, FlowStatus]] = {
    "on": (Message("On"), "ENABLED"),
    "off": (Message("Off"), "DISABLED"),
}
_RUN_FILTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "failed": (Message("Failed"), words.FAILED_RUNS),
    "succeeded": (Message("Succeeded"), ("SUCCEEDED",)),
    "unfinished": (Message("Not finished"), ("QUEUED", "RUNNING", "PAUSED")),
}


@automation_page("flows", "view")
def automation_flows(visit: Visit) -> ResponseReturnValue:
    """The flows by name, all or those that use one connection, filtered and paged."""
    status, search = request.args.get("status", ""), request.args.get("search", "").strip()
    statuses = [_FLOW_FILTERS[status][1]] if status in _FLOW_FILTERS else []
    connection_id = request.args.get("uses", "")
    connection = visit.state.tenants.connections.get(visit.integration, connection_id) if connection_id else None
    found = visit.state.tenants.flows.list(
        visit.integration,
        name=search or None,
        statuses=statuses,
        connection_external_ids=[connection.external_id] if connection else [],
    )
    given = (("status", status), ("search", search), ("uses", connection_id))
    filters = {name: value for name, value in given if value}
    page = page_of(found, limit=_PAGE_SIZE, cursor=request.args.get("cursor"), key=by_name)
    return visit.render(
        "flows.html",
        rows=[flow_row(visit, flow) for flow in page.data],
        page=page,
        filters=filters,
        place=place_of(filters),
        status_choices={name: label for name, (label, _) in _FLOW_FILTERS.items()},
        builder_url=builder_url(visit),
        connection_name=connection.display_name if connection else None,
    )


@automation_page("flows", "edit")
def automation_switch_flow(visit: Visit, flow_id: str) -> ResponseReturnValue:
    """Switch a flow on or off."""
    enabled = request.form.get("enabled") == "1"
    visit.state.tenants.flows.set_enabled(visit.integration, flow_id, enabled, user_id=visit.principal.user_id)
    done = "flow-enabled" if enabled else "flow-disabled"
    return back_to_list(visit, "automation_flows", "status", "search", "uses", done=done)


@automation_page("flows", "view")
def automation_runs(visit: Visit) -> ResponseReturnValue:
    """The runs of all flows or of one, newest first."""
    status, flow_id = request.args.get("status", ""), request.args.get("flow", "")
    cursor = request.args.get("cursor")
    runs = visit.state.tenants.flows.list_runs(
        visit.integration,
        flow_ids=[flow_id] if flow_id else [],
        statuses=_RUN_FILTERS[status][1] if status in _RUN_FILTERS else (),
        limit=_PAGE_SIZE,
        cursor=cursor,
    )
    rows = [run_row(visit, run) for run in runs.runs]
    filters = {name: value for name, value in (("status", status), ("flow", flow_id)) if value}
    return visit.render(
        "runs.html",
        rows=rows,
        next_cursor=runs.next_cursor,
        is_first=cursor is None,
        filters=filters,
        place=place_of(filters),
        status_choices={name: label for name, (label, _) in _RUN_FILTERS.items()},
        flow_name=_flow_name(visit, flow_id) if flow_id else None,
    )


@automation_page("flows", "edit")
def automation_retry_run(visit: Visit, run_id: str) -> ResponseReturnValue:
    """Start a failed run again, at the step that failed."""
    visit.state.tenants.flows.retry_run(visit.integration, run_id, user_id=visit.principal.user_id)
    return back_to_list(visit, "automation_runs", "status", "flow", done="run-retried")


def _flow_name(visit: Visit, flow_id: str) -> str | None:
    """The name of the flow whose runs are listed; the list is worth showing without it."""
    try:
        return visit.state.tenants.flows.get(visit.integration, flow_id).display_name
    except ApiError:
        return None
