"""The user's page of connected apps and personal access tokens: what each may do, and a button to end it."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ...host.interface import Principal
from ...oauth.connected_apps import ConnectedApp
from ...state import State
from . import personal_tokens
from .base import login_required
from .rendering import render_with_forms, see_other
from .scopes import descriptions


@login_required(return_to="connected_apps")
def connected_apps(state: State, principal: Principal) -> ResponseReturnValue:
    """The apps that the user approved, in all of their workspaces."""
    tenant_ids = personal_tokens.tenant_ids(state, principal)
    apps = state.connected_apps.list_for_user(principal.user_id, tenant_ids=tenant_ids)
    tokens = state.personal_tokens.list_for_user(principal.user_id, tenant_ids=tenant_ids)
    response = render_with_forms(
        state,
        principal,
        "connected_apps.html",
        # The newest first in each group.
        apps=[_to_template(state, app) for app in sorted(apps, key=lambda app: app.is_agent)],
        shows_kinds=any(app.is_agent for app in apps),
        was_disconnected="disconnected" in request.args,
        offers_tokens=bool(state.settings.scopes or tokens),
        tokens=[personal_tokens.to_template(state, token) for token in tokens],
        new_token=personal_tokens.new_token(state, principal, tokens),
        was_revoked="revoked" in request.args,
    )
    return personal_tokens.forget_new_token(response)


@login_required(return_to="connected_apps")
def disconnect(state: State, principal: Principal, grant_id: str) -> ResponseReturnValue:
    """Revoke one grant, with its codes and tokens."""
    tenant_ids = personal_tokens.tenant_ids(state, principal)
    grant = state.grants.get_for_user(grant_id, tenant_ids=tenant_ids, user_id=principal.user_id)
    state.grants.revoke([grant], reason="disconnected by the user")
    return see_other(url_for("activepieces.connected_apps", disconnected=1))


def _to_template(state: State, app: ConnectedApp) -> dict[str, object]:
    return {
        "grant_id": app.grant.id,
        "client_name": app.client_name,
        "client_description": app.client_description,
        "client_host": app.client_host,
        "is_self_registered": app.is_self_registered,
        "is_agent": app.is_agent,
        "workspace_name": app.grant.workspace_name,
        "scopes": descriptions(state, app.scope),
        "connections": app.connections,
        "created_at": app.grant.created_at,
        "last_used_at": app.last_used_at,
    }
