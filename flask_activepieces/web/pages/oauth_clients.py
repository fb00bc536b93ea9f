"""The admin's pages for the tenant's OAuth clients: list, register, look at, new secret, delete."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...host.interface import Principal
from ...messages import Message
from ...oauth import scopes
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.presets import PRESETS
from ...oauth.clients.registration import Registration
from ...state import State, get_state
from ..i18n import gettext
from ..oauth.approval import go
from . import new_secret
from .base import check_page_token, page, render_with_forms, signed_in


@page
def client_list() -> ResponseReturnValue:
    """The tenant's clients."""
    state = get_state()
    principal = signed_in(state, "admin", home="clients")
    if not isinstance(principal, Principal):
        return principal
    clients = state.oauth_clients.list_for_tenant(principal.tenant_id)
    return render_with_forms(state, principal, "clients.html", clients=clients)


@page
def client_new() -> ResponseReturnValue:
    """The form for a new client, and what it sends."""
    state = get_state()
    principal = signed_in(state, "admin", home="clients")
    if not isinstance(principal, Principal):
        return principal
    if request.method == "GET":
        return _form(state, principal, values=_preset_values(request.args.get("preset")))
    check_page_token(state, principal)
    try:
        client, secret = state.oauth_clients.register(_registration(principal))
    except InvalidInput as problem:
        return _form(state, principal, values=_typed_values(), errors=problem.fields, status=422)
    return new_secret.show_next(state, principal, client, secret)


@page
def client_show(client_id: str) -> ResponseReturnValue:
    """One client; its secret only right after it was made."""
    state = get_state()
    principal = signed_in(state, "admin", home="clients")
    if not isinstance(principal, Principal):
        return principal
    client = _find(state, principal, client_id)
    secret = new_secret.take(state, principal, client)
    return new_secret.forget(_show(state, principal, client, secret=secret), client)


@page
def client_rotate(client_id: str) -> ResponseReturnValue:
    """A new secret, shown once."""
    state = get_state()
    principal = signed_in(state, "admin", home="clients")
    if not isinstance(principal, Principal):
        return principal
    check_page_token(state, principal)
    client = _find(state, principal, client_id)
    try:
        secret = state.oauth_clients.rotate_secret(
            client, expected_version=request.form.get("secret_version", "")
        )
    except InvalidInput as problem:
        (error,) = problem.fields.values()
        return _show(state, principal, client, error=error)
    return new_secret.show_next(state, principal, client, secret)


@page
def client_delete(client_id: str) -> ResponseReturnValue:
    """Delete the client, once its admin has ticked that they mean it."""
    state = get_state()
    principal = signed_in(state, "admin", home="clients")
    if not isinstance(principal, Principal):
        return principal
    check_page_token(state, principal)
    client = _find(state, principal, client_id)
    if "confirm" not in request.form:
        return _show(
            state,
            principal,
            client,
            error=Message("Tick the box to confirm that the client shall go."),
        )
    state.oauth_clients.delete(client)
    return go(url_for("activepieces.clients"))


def _find(state: State, principal: Principal, client_id: str) -> OAuthClient:
    return state.oauth_clients.get_for_tenant(client_id, tenant_id=principal.tenant_id)


def _registration(principal: Principal) -> Registration:
    typed = _typed_values()
    return Registration(
        name=typed["name"],
        description=typed["description"],
        redirect_uris=typed["redirect_uris"].split(),
        scope=typed["scope"],
        tenant_id=principal.tenant_id,
        public=typed["public"],
        require_pkce=typed["require_pkce"],
    )


def _typed_values() -> dict[str, Any]:
    return {
        "name": request.form.get("name", ""),
        "description": request.form.get("description", ""),
        "redirect_uris": request.form.get("redirect_uris", ""),
        "scope": scopes.join(request.form.getlist("scope")),
        "public": "public" in request.form,
        "require_pkce": "require_pkce" in request.form,
    }


def _preset_values(name: str | None) -> dict[str, Any]:
    preset = PRESETS.get(name or "")
    if preset is None:
        return {"require_pkce": True}
    return {
        "preset": preset.name,
        "name": preset.title,
        "redirect_uris": "\n".join(preset.redirect_uris),
        "require_pkce": preset.require_pkce,
    }


def _form(
    state: State,
    principal: Principal,
    *,
    values: dict[str, Any],
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    return render_with_forms(
        state,
        principal,
        "client_form.html",
        status=status,
        values=values,
        errors={name: gettext(problem) for name, problem in (errors or {}).items()},
        scopes=state.settings.scopes.values(),
        presets=PRESETS.values(),
    )


def _show(
    state: State,
    principal: Principal,
    client: OAuthClient,
    *,
    secret: str | None = None,
    error: str | None = None,
) -> Response:
    base = state.issuer() + state.settings.oauth_prefix
    return render_with_forms(
        state,
        principal,
        "client_show.html",
        status=200 if error is None else 422,
        client=client,
        new_secret=secret,
        endpoints={"authorize": f"{base}/authorize", "token": f"{base}/token"},
        error=None if error is None else gettext(error),
    )
