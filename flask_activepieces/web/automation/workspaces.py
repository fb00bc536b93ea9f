"""The workspace switcher, for admins of several workspaces."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...host.interface import Workspace
from ...host.workspaces import principal_in
from ...messages import Message
from .area.visit import Visit, automation_page
from .area.workspaces import select_workspace


@automation_page("workspaces", None)
def automation_workspaces(visit: Visit) -> ResponseReturnValue:
    """The workspaces in which the user may see this area, and the selection of one."""
    offered = [each for each in visit.workspaces if _may_view(visit, each)]
    if request.method == "GET":
        return visit.render("workspaces.html", offered=offered)
    for workspace in offered:
        if workspace.form_value == request.form.get("workspace"):
            response = visit.redirect("automation", done="workspace-selected")
            return select_workspace(visit.state, response, workspace)
    return visit.render(
        "workspaces.html",
        offered=offered,
        problem=InvalidInput({"workspace": Message("Choose one of your workspaces.")}),
    )


def workspace_with(visit: Visit, integration_id: str | None) -> Workspace | None:
    """The workspace of the user that has this integration, if it is not the one they work in."""
    current = visit.found_integration
    if not integration_id or (current is not None and current.id == integration_id):
        return None
    for workspace in visit.workspaces:
        member = principal_in(visit.state.host, visit.principal, workspace)
        if member is not None and Visit(visit.state, member, visit.page).has_integration(integration_id):
            return workspace
    return None


def _may_view(visit: Visit, workspace: Workspace) -> bool:
    member = principal_in(visit.state.host, visit.principal, workspace)
    return member is not None and visit.state.host.allows(member, "view")
