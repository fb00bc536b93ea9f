"""The workspace switcher, for admins of several workspaces."""

from __future__ import annotations

from flask import Response, request
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput, NotFound
from ...host.interface import Principal, Workspace
from ...host.workspaces import principal_in
from ...messages import Message
from .area.pages import endpoint_of
from .area.visit import Visit, automation_page
from .area.workspaces import select_workspace


@automation_page("workspaces", None)
def automation_workspaces(visit: Visit) -> ResponseReturnValue:
    """The workspaces in which the user may see this area, and the selection of one."""
    members = {each.form_value: (each, member) for each in visit.workspaces if (member := _member(visit, each))}
    selected = request.form.get("workspace")
    if selected:
        if selected not in members:
            raise NotFound("workspace", selected)
        return _select(visit, *members[selected])
    missing = InvalidInput({"workspace": Message("Choose one of your workspaces.")})
    return visit.render(
        "workspaces.html",
        problem=missing if request.method == "POST" else None,
        options=[(value, workspace.name) for value, (workspace, _) in members.items()],
        page=request.values.get("page", ""),
    )


def workspace_with(visit: Visit, integration_id: str) -> Workspace | None:
    """The workspace of the user that has this integration."""
    for workspace in visit.workspaces:
        member = principal_in(visit.state.host, visit.principal, workspace)
        if member is not None and Visit(visit.state, member, visit.page).has_integration(integration_id):
            return workspace
    return None


def _select(visit: Visit, workspace: Workspace, member: Principal) -> Response:
    """Back to the page from which the user came, if it exists in this workspace, too."""
    there, page = Visit(visit.state, member, visit.page), request.form.get("page", "")
    response = visit.redirect(endpoint_of(page) if page in there.pages else there.home, done="workspace-selected")
    return select_workspace(visit.state, response, visit.principal, workspace)


def _member(visit: Visit, workspace: Workspace) -> Principal | None:
    """The user in a workspace in which they may see this area."""
    member = principal_in(visit.state.host, visit.principal, workspace)
    return member if member is not None and visit.state.host.allows(member, "view") else None
