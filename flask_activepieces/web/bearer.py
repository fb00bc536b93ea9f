"""Protected views: `require_scope` checks the access token, `current_token` is that token.

Errors follow RFC 6750 §3: on a 401 an automation platform refreshes its token, on a 403 it asks the user for more.
While storage is unavailable the status is 503, because the token may be valid.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from flask import Response, current_app, g, request
from werkzeug.local import LocalProxy

from ..errors import SetupError, SignatureError, SignatureExpired
from ..oauth.metadata import PROTECTED_RESOURCE, well_known
from ..oauth.tokens.access_tokens import AccessToken, verify
from ..state import State, get_state
from .error_responses import error_response, with_server_errors

View = TypeVar("View", bound=Callable[..., Any])

#: The scopes of each protected view. Not an attribute of the view: functools.wraps copies attributes to decorators
#: outside ours, which may act before the token is checked.
_scopes: WeakKeyDictionary[Callable[..., Any], frozenset[str]] = WeakKeyDictionary()


def require_scope(*scopes: str) -> Callable[[View], View]:
    """Reject requests whose access token lacks any of these scopes."""
    if not scopes or not all(isinstance(scope, str) for scope in scopes):
        raise TypeError('require_scope needs scope names: @require_scope("tasks:read")')
    required = frozenset(scopes)

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            error = _check_request(required)
            return error or current_app.ensure_sync(view)(*args, **kwargs)

        _scopes[wrapper] = required
        return cast(View, wrapper)

    return decorate


def scopes_of(view: Callable[..., Any]) -> frozenset[str] | None:
    """The scopes that the view requires; None if it is not protected."""
    return _scopes.get(view)


def _get_current_token() -> AccessToken:
    token = g.get("activepieces_token")
    if token is None:
        raise SetupError(
            "current_token is only available in a view with @require_scope."
            " Write the decorator below @app.route; above it, it has no effect and the view is not protected."
        )
    assert isinstance(token, AccessToken)
    return token


#: The access token of the current request, in a protected view.
current_token = cast(AccessToken, LocalProxy(_get_current_token))


@with_server_errors
def _check_request(required: frozenset[str]) -> Response | None:
    """The error to respond with; None for a valid token, which becomes `current_token`."""
    state = get_state()
    encoded = _bearer_token(request.headers.get("Authorization"))
    if encoded is None:
        # RFC 6750 §3.1: without credentials the challenge names no error.
        return _challenge(state, 401)
    now = state.now()
    try:
        token = verify(state.settings.jwt_keys, encoded, issuer=state.issuer(), now=now)
        if state.revocations.is_revoked(token, now=now):
            return _challenge(state, 401, "invalid_token", "The access token was revoked.")
    except SignatureExpired:
        return _challenge(state, 401, "invalid_token", "The access token has expired.")
    except SignatureError:
        return _challenge(state, 401, "invalid_token", "The access token is not valid here.")
    if not required <= token.scopes:
        return _challenge(
            state, 403, "insufficient_scope", "The access token lacks a scope.", scope=" ".join(sorted(required))
        )
    g.activepieces_token = token
    return None


def _bearer_token(authorization: str | None) -> str | None:
    # RFC 6750 §2.1, and no other way: a token in a query string ends up in logs (RFC 9700 §4.3.2).
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _challenge(state: State, status: int, error: str = "", description: str = "", **parameters: str) -> Response:
    details = {"error": error, "error_description": description} if error else {}
    # RFC 9728 §5.1: an unconfigured client discovers the token endpoint there.
    resource = well_known(state.issuer(), PROTECTED_RESOURCE)
    values = {"realm": "api", **details, **parameters, "resource_metadata": resource}
    challenge = ", ".join(f'{name}="{value}"' for name, value in values.items())
    response = error_response(status, error or "invalid_request", description or "An access token is required.")
    response.headers["WWW-Authenticate"] = f"Bearer {challenge}"
    return response
