"""The host's protected views: `require_scope` lets a request in, `current_token` says whom it speaks for.

Answers follow RFC 6750 §3: a 401 that tells an automation platform to refresh, a 403 that tells it to ask the
user for more. When storage is away the answer is 503, for a token that cannot be checked is not a bad token.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from flask import Response, current_app, g, request
from werkzeug.local import LocalProxy

from ..errors import SetupError, SignatureError, SignatureExpired, Unavailable
from ..oauth.metadata import PROTECTED_RESOURCE, well_known
from ..oauth.tokens.access_tokens import AccessToken, verify
from ..state import State, get_state
from .setup_reports import DESCRIPTION, report

View = TypeVar("View", bound=Callable[..., Any])

#: The scopes of each view that `require_scope` made. Not an attribute of the view: functools.wraps copies attributes
#: to decorators outside ours, which may act before the token is checked.
_scopes: WeakKeyDictionary[Callable[..., Any], frozenset[str]] = WeakKeyDictionary()


def require_scope(*names: str) -> Callable[[View], View]:
    """Let in only requests whose access token has all of these scopes."""
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError('require_scope needs scope names: @require_scope("tasks:read")')
    needed = frozenset(names)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            refusal = _refusal(needed)
            if refusal is not None:
                return refusal
            return current_app.ensure_sync(view)(*args, **kwargs)

        _scopes[guarded] = needed
        return cast(View, guarded)

    return decorate


def scopes_of(view: Callable[..., Any]) -> frozenset[str] | None:
    """The scopes that a token needs for this view; None if `require_scope` did not make it."""
    return _scopes.get(view)


def _find_current_token() -> AccessToken:
    token = g.get("activepieces_token")
    if token is None:
        raise SetupError(
            "There is no access token here: current_token is for views with @require_scope."
        )
    assert isinstance(token, AccessToken)
    return token


#: The access token of the request under way, in a view with `require_scope`.
current_token = cast(AccessToken, LocalProxy(_find_current_token))


def _refusal(needed: frozenset[str]) -> Response | None:
    try:
        return _admit(get_state(), needed)
    except Unavailable as error:
        response = _error(503, "temporarily_unavailable", str(error))
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    except SetupError as error:
        reference = report(error, request=f"{request.method} {request.path}")
        return _error(500, "server_error", DESCRIPTION.format(reference))


def _admit(state: State, needed: frozenset[str]) -> Response | None:
    text = _bearer_text(request.headers.get("Authorization"))
    if text is None:
        # RFC 6750 §3.1: without credentials the challenge names no error.
        return _challenge(state, 401)
    now = state.now()
    try:
        token = verify(state.settings.jwt_keys, text, issuer=state.issuer(), now=now)
        if state.revocations.is_revoked(token, now=now):
            return _challenge(state, 401, "invalid_token", "The access token was revoked.")
    except SignatureExpired:
        return _challenge(state, 401, "invalid_token", "The access token has expired.")
    except SignatureError:
        return _challenge(state, 401, "invalid_token", "The access token is not valid here.")
    if not needed <= token.scopes:
        return _challenge(
            state,
            403,
            "insufficient_scope",
            "The access token lacks a scope.",
            scope=" ".join(sorted(needed)),
        )
    g.activepieces_token = token
    return None


def _bearer_text(authorization: str | None) -> str | None:
    # RFC 6750 §2.1, and no other way: a token in a query string ends up in logs (RFC 9700 §4.3.2).
    scheme, _, text = (authorization or "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None


def _challenge(
    state: State, status: int, error: str = "", description: str = "", **more: str
) -> Response:
    told = {"error": error, "error_description": description} if error else {}
    # RFC 9728 §5.1: where a client that knows nothing can learn who issues tokens for us.
    resource = well_known(state.issuer(), PROTECTED_RESOURCE)
    parameters = {"realm": "api", **told, **more, "resource_metadata": resource}
    challenge = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    response = _error(
        status, error or "invalid_request", description or "An access token is needed."
    )
    response.headers["WWW-Authenticate"] = f"Bearer {challenge}"
    return response


def _error(status: int, error: str, description: str) -> Response:
    body = json.dumps({"error": error, "error_description": description})
    return Response(body, status, {"Cache-Control": "no-store"}, content_type="application/json")
