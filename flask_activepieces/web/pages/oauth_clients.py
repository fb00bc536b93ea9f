"""The admin's pages for the tenant's OAuth clients: list, register, show, rotate the secret, delete."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...host.interface import Principal
from ...messages import Message
from ...oauth import scopes
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.registration import PRESETS, Registration
from ...state import State
from .. import tenant_clients
from ..i18n import gettext
from ..oauth.redirects import see_other
from . import new_secret
from .base import login_required
from .rendering import render_with_forms

_CONFIRM_DELETION = Message("Tick the box to confirm deletion.")

_admin_page = login_required(return_to="clients", permission="admin")


@_admin_page
def clients(state: State, principal: Principal) -> ResponseReturnValue:
    """The tenant's clients."""
    clients = tenant_clients.list_clients(state, principal)
    return render_with_forms(state, principal, "clients.html", clients=clients)


@_admin_page
def client_new(state: State, principal: Principal) -> ResponseReturnValue:
    """The form for a new client, and its submission."""
    if request.method == "GET":
        return _form(state, principal, _preset_values(request.args.get("preset")))
    values = _form_values()
    registration = Registration(
        **{**values, "redirect_uris": values["redirect_uris"].split()}, tenant_id=principal.tenant_id
    )
    try:
        client, secret = state.oauth_clients.register(registration)
    except InvalidInput as problem:
        return _form(state, principal, values, problem)
    return new_secret.redirect_with_secret(state, principal, client, secret)


@_admin_page
def client_show(state: State, principal: Principal, client_id: str) -> ResponseReturnValue:
    """One client; with its secret right after it was created."""
    client = _find(state, principal, client_id)
    secret = new_secret.read_secret(state, principal, client)
    response = _client_page(state, principal, client, secret=secret)
    return new_secret.delete_cookie(response, client)


@_admin_page
def client_rotate(state: State, principal: Principal, client_id: str) -> ResponseReturnValue:
    """Create a new secret, shown once."""
    client = _find(state, principal, client_id)
    try:
        secret = state.oauth_clients.rotate_secret(client, expected_version=request.form.get("secret_version", ""))
    except InvalidInput as problem:
        (message,) = problem.fields.values()
        return _client_page(state, principal, client, error=message)
    return new_secret.redirect_with_secret(state, principal, client, secret)


@_admin_page
def client_delete(state: State, principal: Principal, client_id: str) -> ResponseReturnValue:
    """Delete the client, if the admin confirmed it."""
    client = _find(state, principal, client_id)
    if "confirm" not in request.form:
        return _client_page(state, principal, client, error=_CONFIRM_DELETION)
    state.oauth_clients.delete(client)
    return see_other(url_for("activepieces.clients"))


def _find(state: State, principal: Principal, client_id: str) -> OAuthClient:
    return tenant_clients.get_client(state, principal, client_id)


def _form_values() -> dict[str, Any]:
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
    state: State, principal: Principal, values: dict[str, Any], problem: InvalidInput | None = None
) -> Response:
    errors = problem.fields if problem else {}
    return render_with_forms(
        state,
        principal,
        "client_form.html",
        status=422 if problem else 200,
        values=values,
        errors={name: gettext(message) for name, message in errors.items()},
        scopes=state.settings.scopes.values(),
        presets=PRESETS.values(),
    )


def _client_page(
    state: State, principal: Principal, client: OAuthClient, *, secret: str | None = None, error: str | None = None
) -> Response:
    base = state.issuer() + state.settings.oauth_prefix
    return render_with_forms(
        state,
        principal,
        "client_show.html",
        status=422 if error else 200,
        client=client,
        new_secret=secret,
        endpoints={"authorize": f"{base}/authorize", "token": f"{base}/token"},
        error=error and gettext(error),
    )
