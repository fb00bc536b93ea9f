"""The admin's pages for the tenant's OAuth clients: list, register, show, rotate the secret, delete."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...crypto.keyring import constant_time_equal, context_of, sha256_hex
from ...errors import InvalidInput
from ...host.interface import Principal
from ...messages import Message
from ...oauth import scopes
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.registration import PRESETS, Registration
from ...state import State
from .. import tenant_clients
from .base import login_required
from .i18n import gettext
from .rendering import render_with_forms, see_other
from .shown_once import ShownOnce

_NEW_SECRET = ShownOnce("activepieces_new_secret", "new client secret")

_admin_page = login_required(return_to="clients", permission="admin")


@_admin_page
def clients(state: State, principal: Principal) -> ResponseReturnValue:
    clients = tenant_clients.list_clients(state, principal)
    return render_with_forms(state, principal, "clients.html", clients=clients)


@_admin_page
def client_new(state: State, principal: Principal) -> ResponseReturnValue:
    if request.method == "GET":
        return _form(state, principal, _preset_values(request.args.get("preset")))
    values = _form_values()
    fields = {**values, "redirect_uris": values["redirect_uris"].split(), "tenant_id": principal.tenant_id}
    try:
        client, secret = state.oauth_clients.register(Registration(**fields))
    except InvalidInput as problem:
        return _form(state, principal, values, problem)
    return _redirect_with_secret(state, principal, client, secret)


@_admin_page
def client_show(state: State, principal: Principal, client_id: str) -> ResponseReturnValue:
    """One client; with its secret right after it was created."""
    client = tenant_clients.get_client(state, principal, client_id)
    response = _client_page(state, principal, client, secret=_read_secret(state, principal, client))
    return _NEW_SECRET.forget(response, path=_path(client))


@_admin_page
def client_rotate(state: State, principal: Principal, client_id: str) -> ResponseReturnValue:
    client = tenant_clients.get_client(state, principal, client_id)
    try:
        secret = state.oauth_clients.rotate_secret(client, expected_version=request.form.get("secret_version", ""))
    except InvalidInput as problem:
        (message,) = problem.fields.values()
        return _client_page(state, principal, client, error=message)
    return _redirect_with_secret(state, principal, client, secret)


@_admin_page
def client_delete(state: State, principal: Principal, client_id: str) -> ResponseReturnValue:
    """Delete the client, if the admin confirmed it."""
    client = tenant_clients.get_client(state, principal, client_id)
    if "confirm" not in request.form:
        return _client_page(state, principal, client, error=Message("Tick the box to confirm deletion."))
    state.oauth_clients.delete(client)
    return see_other(url_for("activepieces.clients"))


def _form_values() -> dict[str, Any]:
    form = request.form
    return {
        **{name: form.get(name, "") for name in ("name", "description", "redirect_uris")},
        **{name: name in form for name in ("public", "require_pkce")},
        "scope": scopes.join(form.getlist("scope")),
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


def _redirect_with_secret(state: State, principal: Principal, client: OAuthClient, secret: str | None) -> Response:
    """To the client's page, which shows the secret if there is one."""
    path = _path(client)
    if secret is None:
        return see_other(path)
    return _NEW_SECRET.redirect(state, path, {"secret": secret}, context=_context(principal, client), path=path)


def _read_secret(state: State, principal: Principal, client: OAuthClient) -> str | None:
    """The secret in this browser's cookie, if it is still the client's."""
    content = _NEW_SECRET.read(state, context=_context(principal, client))
    if content is None or not constant_time_equal(sha256_hex(content["secret"]), client.secret_hash or ""):
        return None
    return str(content["secret"])


def _context(principal: Principal, client: OAuthClient) -> str:
    return context_of(principal.tenant_id, principal.user_id, client.client_id)


def _path(client: OAuthClient) -> str:
    return url_for("activepieces.client_show", client_id=client.client_id)
