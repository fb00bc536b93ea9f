"""A client's new secret, from the form that creates it to the page that shows it once.

If the response to the form showed the secret, a reload would create another client. So the form redirects, and the
secret travels in a cookie: encrypted, for one page, one client and one user, for five minutes. It is not stored, and
appears in no URL.
"""

from __future__ import annotations

from flask import Response, request, url_for

from ...crypto.keyring import Encryptor, constant_time_equal, context_of, sha256_hex
from ...errors import SignatureError
from ...host.interface import Principal
from ...oauth.clients.client import OAuthClient
from ...state import State
from ..oauth.redirects import see_other

COOKIE = "activepieces_new_secret"
LIFETIME = 5 * 60
_PURPOSE = "new client secret"


def redirect_with_secret(state: State, principal: Principal, client: OAuthClient, secret: str | None) -> Response:
    """To the client's page, which shows the secret if there is one."""
    response = see_other(_path(client))
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


def read_secret(state: State, principal: Principal, client: OAuthClient) -> str | None:
    """The secret in this browser's cookie, if it is still the client's."""
    try:
        content = _encryptor(state).decrypt(request.cookies.get(COOKIE, ""), context=_context(principal, client))
    except SignatureError:
        return None
    is_current = constant_time_equal(sha256_hex(content["secret"]), client.secret_hash or "")
    return str(content["secret"]) if is_current and state.now() < content["exp"] else None


def delete_cookie(response: Response, client: OAuthClient) -> Response:
    """The response, which deletes the cookie."""
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, path=_path(client), httponly=True, samesite="Lax")
    return response


def _encryptor(state: State) -> Encryptor:
    return Encryptor(state.settings.secret_keys, _PURPOSE)


def _context(principal: Principal, client: OAuthClient) -> str:
    return context_of(principal.tenant_id, principal.user_id, client.client_id)


def _path(client: OAuthClient) -> str:
    return url_for("activepieces.client_show", client_id=client.client_id)
