"""Whose account a connection is: the piece checks a new connection with it, and names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app
from flask.typing import ResponseReturnValue

from ...errors import NotFound
from ...host.interface import Host, Principal, Workspace
from .base import Caller, bearer_view


@bearer_view
def me(caller: Caller) -> ResponseReturnValue:
    """The account, as the app describes it with `Activepieces.account`, and the scopes of the token."""
    account = _account(caller)
    describe = caller.piece.describe_account
    if describe is not None:
        account |= current_app.ensure_sync(describe)(caller.token)
    return current_app.json.response({**account, "scopes": sorted(caller.token.scopes)})


def workspace_of(host: Host, principal: Principal) -> Workspace:
    """The workspace of the principal, named as the app names it."""
    here = (principal.tenant_id, principal.organization_id)
    known = {(each.tenant_id, each.organization_id): each for each in host.workspaces(principal)}
    return known.get(here) or Workspace(principal.tenant_id, principal.tenant_id, principal.organization_id)


def _account(caller: Caller) -> dict[str, Any]:
    principal = caller.principal()
    if principal is None:
        return _client(caller)
    token = caller.token
    named = Principal(principal.user_id, principal.tenant_id, principal.display_name, token.organization_id)
    workspace = workspace_of(caller.state.host, named)
    described: Mapping[str, Any] = {"id": workspace.organization_id or workspace.tenant_id, "name": workspace.name}
    return {"id": principal.user_id, "name": principal.display_name, "workspace": described}


def _client(caller: Caller) -> dict[str, Any]:
    """A client that acts for itself has no user."""
    tenant_id = caller.token.tenant_id
    client = caller.state.oauth_clients.find_by_id(caller.token.client_id)
    if client is None:
        raise NotFound("OAuth client", caller.token.client_id)
    return {"id": client.client_id, "name": client.name, "workspace": {"id": tenant_id, "name": tenant_id}}
