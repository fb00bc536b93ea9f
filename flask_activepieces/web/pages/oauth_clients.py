"""The admin's pages for the tenant's OAuth clients: list, register, look at, new secret, delete."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...crypto.keyring import constant_time_equal, sha256_hex
from ...errors import InvalidInput
from ...host.interface import Principal
from ...messages import Message
from ...oauth import scopes
from ...oauth.clients import store as clients
from ...oauth.clients.presets import PRESETS
from ...oauth.clients.registration import Registration
from ...oauth.clients.store import NewCredentials, OAuthClient
from ...state import State, get_state
from ...storage.database import Transaction
from ..i18n import gettext
from ..oauth.approval import go
from . import new_secret
from .base import check_page_token, page, render_with_forms, signed_in

#: Of two clicks the second would end the secret that is in use, and nobody would have seen the first one's.
_ROTATED_BEFORE = Message(
    "Nothing was changed: the secret was rotated since you opened this page."
    " If nobody has copied the new one, rotate again; the secret in use until now then ends."
)


@page
def client_list() -> ResponseReturnValue:
    """The tenant's clients."""
    state = get_state()
    principal = signed_in(state, "admin", home="clients")
    if not isinstance(principal, Principal):
        return principal
    found = state.database.read(
        lambda connection: clients.of_tenant(connection, principal.tenant_id)
    )
    return render_with_forms(state, principal, "clients.html", clients=found)


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
    credentials = NewCredentials()
    try:
        client, secret = state.database.run_in_transaction(
            lambda transaction: state.clients.register(
                transaction, _registration(principal), credentials, now=state.now()
            )
        )
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
    seen, secret = request.form.get("secret_mark", ""), clients.new_secret()

    def rotate(transaction: Transaction) -> tuple[OAuthClient, bool]:
        client = clients.find(transaction.conn, client_id, tenant_id=principal.tenant_id)
        is_ours = client.secret_hash == sha256_hex(secret)  # an earlier run of this function
        if (
            client.confidential
            and not is_ours
            and not constant_time_equal(seen, client.secret_mark)
        ):
            return client, False
        state.clients.rotate_secret(
            transaction, client, secret, now=state.now(), in_place_of=client.secret_hash
        )
        return client, True

    client, rotated = state.database.run_in_transaction(rotate)
    if rotated:
        return new_secret.show_next(state, principal, client, secret)
    return _show(state, principal, client, error=_ROTATED_BEFORE)


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
    state.database.run_in_transaction(
        lambda transaction: state.clients.delete(transaction, client, now=state.now())
    )
    return go(url_for("activepieces.clients"))


def _find(state: State, principal: Principal, client_id: str) -> OAuthClient:
    return state.database.read(
        lambda connection: clients.find(connection, client_id, tenant_id=principal.tenant_id)
    )


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
    error: Message | None = None,
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
