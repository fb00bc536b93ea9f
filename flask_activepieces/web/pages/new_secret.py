"""A client's new secret on its way from the form that made it to the page that shows it, once.

A page that answers the form itself would make another client when it is reloaded. So the form redirects, and the
secret travels in a cookie: encrypted, for one page, one client and one user, and for five minutes. Nothing is stored
here, and no URL holds it.
"""

from __future__ import annotations

from flask import Response, request, url_for

from ...crypto.encryption import Encryptor
from ...crypto.keyring import constant_time_equal, context_of, sha256_hex
from ...errors import SignatureError
from ...host.interface import Principal
from ...oauth.clients.client import OAuthClient
from ...state import State
from ..oauth.approval import go

COOKIE = "activepieces_new_secret"
#: Long enough for a redirect that has to be tried again.
LIFETIME = 5 * 60
_PURPOSE = "new client secret"


def show_next(
    state: State, principal: Principal, client: OAuthClient, secret: str | None
) -> Response:
    """To the client's page, which shows the secret that it has just got, if it has one."""
    response = go(url_for("activepieces.client_show", client_id=client.client_id))
    if secret is not None:
        content = {"secret": secret, "exp": state.now() + LIFETIME}
        response.set_cookie(
            COOKIE,
            _encryptor(state).encrypt(content, context=_context(principal, client)),
            max_age=LIFETIME,
            path=_path(client),
            secure=state.issuer().startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
    return response


def take(state: State, principal: Principal, client: OAuthClient) -> str | None:
    """The secret that this browser came with, if it is the client's secret still; None for anything else."""
    try:
        content = _encryptor(state).decrypt(
            request.cookies.get(COOKIE, ""), context=_context(principal, client)
        )
    except SignatureError:
        return None
    is_current = constant_time_equal(sha256_hex(content["secret"]), client.secret_hash or "")
    return str(content["secret"]) if is_current and state.now() < content["exp"] else None


def forget(response: Response, client: OAuthClient) -> Response:
    """From now on the browser comes without it."""
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, path=_path(client), httponly=True, samesite="Lax")
    return response


def _encryptor(state: State) -> Encryptor:
    return Encryptor(state.settings.secret_keys, _PURPOSE)


def _context(principal: Principal, client: OAuthClient) -> str:
    return context_of(principal.tenant_id, principal.user_id, client.client_id)


def _path(client: OAuthClient) -> str:
    return url_for("activepieces.client_show", client_id=client.client_id)
