"""The user's own page: which apps they let in, what each may do, and the button that ends it."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ...host.interface import Principal
from ...oauth import scopes
from ...oauth.connected_apps import ConnectedApp
from ...state import State, get_state
from ..oauth.approval import go
from .base import check_page_token, page, render_with_forms, signed_in


@page
def connected_apps() -> ResponseReturnValue:
    """Every app that the signed-in user let in, in all of their workspaces."""
    state = get_state()
    principal = signed_in(state, home="connected_apps")
    if not isinstance(principal, Principal):
        return principal
    apps = state.connected_apps.list_for_user(
        principal.user_id, tenant_ids=_tenants(state, principal)
    )
    return render_with_forms(
        state,
        principal,
        "connected_apps.html",
        apps=[_shown(state, app) for app in apps],
        was_disconnected="disconnected" in request.args,
    )


@page
def disconnect(grant_id: str) -> ResponseReturnValue:
    """Take one grant back; what hangs on it stops working at once."""
    state = get_state()
    principal = signed_in(state, home="connected_apps")
    if not isinstance(principal, Principal):
        return principal
    check_page_token(state, principal)
    grant = state.grants.get_for_user(
        grant_id, tenant_ids=_tenants(state, principal), user_id=principal.user_id
    )
    state.grants.revoke([grant], reason="disconnected by the user")
    return go(url_for("activepieces.connected_apps", disconnected=1))


def _tenants(state: State, principal: Principal) -> list[str]:
    shared = [workspace.tenant_id for workspace in state.host.workspaces(principal)]
    return list(dict.fromkeys([principal.tenant_id, *shared]))


def _shown(state: State, app: ConnectedApp) -> dict[str, object]:
    known = state.settings.scopes
    return {
        "grant_id": app.grant.id,
        "client_name": app.client_name,
        "client_description": app.client_description,
        "workspace_name": app.grant.workspace_name,
        "scopes": [
            {"name": name, "description": known[name].description if name in known else name}
            for name in scopes.split(app.scope)
        ],
        "connections": app.connections,
        "created_at": app.grant.created_at,
        "last_used_at": app.last_used_at,
    }
