"""The user's page of connected apps and personal access tokens: what each may do, and a button to end it."""

from __future__ import annotations

from collections import Counter

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ...host.interface import Principal
from ...oauth.clients import redirect_uris as redirects
from ...oauth.connected_apps import ConnectedApp
from ...state import State
from . import personal_tokens
from .base import login_required
from .client_texts import description_of
from .i18n import gettext, relative_time
from .rendering import render_with_forms, see_other
from .scopes import descriptions

_PAGE_SIZE = 10


@login_required(return_to="connected_apps")
def connected_apps(state: State, principal: Principal) -> ResponseReturnValue:
    """The apps that the user approved, in all of their workspaces."""
    tenant_ids = personal_tokens.tenant_ids(state, principal)
    cursors = {name: request.args[name] for name in ("cursor", "tokens_cursor") if name in request.args}
    apps_page = state.connected_apps.list_for_user(
        principal.user_id, tenant_ids=tenant_ids, limit=_PAGE_SIZE, cursor=cursors.get("cursor")
    )
    tokens_page = state.personal_tokens.list_for_user(
        principal.user_id, tenant_ids=tenant_ids, limit=_PAGE_SIZE, cursor=cursors.get("tokens_cursor")
    )
    apps, tokens = apps_page.items, tokens_page.items
    if ("cursor" in cursors and not apps) or ("tokens_cursor" in cursors and not tokens):
        return see_other(url_for("activepieces.connected_apps"))  # what was there has ended
    names = Counter(app.client.name for app in apps)
    token_names = Counter(token.name for token in tokens)
    response = render_with_forms(
        state,
        principal,
        "connected_apps.html",
        allow_scripts=True,
        image_urls=[app.client.logo_uri for app in apps],
        # The newest first in each group.
        apps=[_to_template(state, app, names) for app in sorted(apps, key=lambda app: app.is_agent)],
        apps_page=apps_page,
        shows_kinds=any(app.is_agent for app in apps),
        was_disconnected="disconnected" in request.args,
        offers_tokens=bool(state.settings.scopes or tokens),
        tokens=[personal_tokens.to_template(state, token, token_names) for token in tokens],
        tokens_page=tokens_page,
        cursors=cursors,
        new_token=personal_tokens.new_token(state, principal, tokens),
        was_revoked="revoked" in request.args,
        has_piece=state.settings.piece_name is not None,
        mcp_address=None if apps else _mcp_address(state),
    )
    return personal_tokens.forget_new_token(response)


@login_required(return_to="connected_apps")
def disconnect(state: State, principal: Principal, grant_id: str) -> ResponseReturnValue:
    """Revoke one grant, with its codes and tokens."""
    tenant_ids = personal_tokens.tenant_ids(state, principal)
    grant = state.grants.get_for_user(grant_id, tenant_ids=tenant_ids, user_id=principal.user_id)
    state.grants.revoke([grant], reason="disconnected by the user")
    return see_other(url_for("activepieces.connected_apps", disconnected=1))


def _to_template(state: State, app: ConnectedApp, names: Counter[str]) -> dict[str, object]:
    client, grant = app.client, app.grant
    return {
        "grant_id": grant.id,
        "client_name": client.name,
        "label": client.name if names[client.name] == 1 else _distinct_label(state, app),
        "client_description": description_of(client),
        "client_logo": client.logo_uri,
        "client_host": client.host,
        "is_self_registered": client.is_self_registered,
        "is_agent": app.is_agent,
        "addresses": sorted({redirects.host_or_scheme(uri) for uri in client.redirect_uris}),
        "registered_by": client.registered_by,
        "registered_at": client.created_at,
        "workspace_name": grant.workspace_name,
        "scopes": descriptions(state, app.scope),
        "connections": app.connections,
        "flows": app.flows,
        "created_at": grant.created_at,
        "last_used_at": app.last_used_at,
    }


def _distinct_label(state: State, app: ConnectedApp) -> str:
    """What tells this app from another one of the same name, for those who hear only the button."""
    return gettext(
        "%(app)s in %(workspace)s, connected %(time)s",
        app=app.client.name,
        workspace=app.grant.workspace_name,
        time=relative_time(app.grant.created_at, state.now()),
    )


def _mcp_address(state: State) -> str | None:
    """The address that users enter in an agent; None if agents cannot connect by themselves."""
    return state.mcp_resource() if state.accepts_client_documents() and state.serves_mcp() else None
