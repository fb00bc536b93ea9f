"""In which workspace a user works: their current one, or another one that they selected, in a cookie.

The cookie is only a wish: each request checks that the workspace is one of the user's. It is signed for this user, so
that neither another site of the domain nor an earlier user of the browser can choose where an admin works.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request

from ....crypto.keyring import context_of
from ....errors import SignatureError
from ....host.interface import Principal, Workspace
from ....host.workspaces import principal_in
from ....state import State
from ...pages.rendering import set_cookie

_COOKIE = "activepieces_workspace"
_PURPOSE = "selected workspace"


def selected_principal(state: State, principal: Principal) -> Principal:
    """The user in the selected workspace, if it is still theirs."""
    selected = _read_cookie(state, principal)
    if selected is None:
        return principal
    for workspace in state.host.workspaces(principal):
        if workspace.form_value == selected:
            return principal_in(state.host, principal, workspace) or principal
    return principal


def select_workspace(state: State, response: Response, principal: Principal, workspace: Workspace) -> Response:
    """The response, after which the user works in this workspace."""
    path, selected = request.script_root + state.settings.automation_prefix, workspace.form_value
    signature = state.settings.secret_keys.sign(_PURPOSE, selected.encode(), context=_context(principal))
    return set_cookie(state, response, _COOKIE, f"{signature}.{selected}", path=path)


def current_workspace(workspaces: Sequence[Workspace], principal: Principal) -> Workspace:
    """The workspace that the principal is in."""
    in_tenant = [each for each in workspaces if each.tenant_id == principal.tenant_id]
    for workspace in in_tenant:
        if workspace.organization_id == principal.organization_id:
            return workspace
    fallback = Workspace(principal.tenant_id, "", principal.organization_id)
    return next(iter(in_tenant), fallback)


def _read_cookie(state: State, principal: Principal) -> str | None:
    """The form value of the workspace; None if this user selected none."""
    signature, _, selected = request.cookies.get(_COOKIE, "").partition(".")
    try:
        state.settings.secret_keys.verify(_PURPOSE, selected.encode(), signature, context=_context(principal))
    except SignatureError:
        return None
    return selected


def _context(principal: Principal) -> str:
    # Not the tenant: it is what the user selects.
    return context_of(principal.user_id)
