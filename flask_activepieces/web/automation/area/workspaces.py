"""In which workspace a user works: their current one, or another one that they selected, in a cookie.

The cookie is only a wish: each request checks that the workspace is one of the user's.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request

from ....host.interface import Principal, Workspace
from ....host.workspaces import principal_in
from ....state import State
from ...pages.rendering import set_cookie

_COOKIE = "activepieces_workspace"


def selected_principal(state: State, principal: Principal) -> Principal:
    """The user in the selected workspace, if it is still theirs."""
    selected = request.cookies.get(_COOKIE)
    if selected is None:
        return principal
    for workspace in state.host.workspaces(principal):
        if workspace.form_value == selected:
            return principal_in(state.host, principal, workspace) or principal
    return principal


def select_workspace(state: State, response: Response, workspace: Workspace) -> Response:
    """The response, after which the user works in this workspace."""
    path = request.script_root + state.settings.automation_prefix
    return set_cookie(state, response, _COOKIE, workspace.form_value, path=path)


def current_workspace(workspaces: Sequence[Workspace], principal: Principal) -> Workspace:
    """The workspace that the principal is in."""
    in_tenant = [each for each in workspaces if each.tenant_id == principal.tenant_id]
    for workspace in in_tenant:
        if workspace.organization_id == principal.organization_id:
            return workspace
    fallback = Workspace(principal.tenant_id, "", principal.organization_id)
    return next(iter(in_tenant), fallback)
