"""Protected views: `require_scope` checks the access token, `current_token` is that token.

A personal access token is accepted wherever an access token is. Errors follow RFC 6750 §3: on a 401 an automation
platform refreshes its token, on a 403 it asks the user for more. While storage is unavailable the status is 503,
because the token may be valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from flask import Response, abort, current_app, g, request
from werkzeug.local import LocalProxy

from ..errors import SetupError, SignatureError, SignatureExpired
from ..oauth.metadata import PROTECTED_RESOURCE, well_known
from ..oauth.personal_tokens import looks_like_personal_token
from ..oauth.resources import API, Resource
from ..oauth.tokens.access_tokens import AccessToken, WrongAudience, verify
from ..state import State, get_state
from .error_responses import error_response, with_server_errors
from .repeated_calls import answer_once

View = TypeVar("View", bound=Callable[..., Any])

#: The key of an already verified token in the WSGI environment of a request within the app. No client can send a
#: header with this name, because headers begin with ``HTTP_``.
VERIFIED_TOKEN = "flask_activepieces.verified_token"  # noqa: S105  # a name

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
            return error or answer_once(partial(current_app.ensure_sync(view), *args, **kwargs), current_token)

        _scopes[wrapper] = required
        return cast(View, wrapper)

    return decorate


def check_scopes(required: str | Iterable[str]) -> None:
    """Reject the request unless its access token has these scopes: for views whose scopes depend on the request.

    Call it first; `current_token` is then the token. Unlike `require_scope`, it does not exempt the view from
    the app's CSRF protection.
    """
    error = _check_request(frozenset([required] if isinstance(required, str) else required))
    if error is not None:
        abort(error)


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


class TokenRejected(Exception):
    """Raised for a request whose access token is missing, invalid, or lacks a scope (RFC 6750 §3.1)."""

    def __init__(self, status: int, error: str = "", description: str = "", *, scope: str = "") -> None:
        self.status = status
        self.error = error
        self.description = description or "An access token is required."
        self.scope = scope
        super().__init__(self.description)

    def challenge(self, state: State, *, resource: Resource = API, scopes: Iterable[str] = ()) -> str:
        """The header ``WWW-Authenticate`` of this resource; ``scopes`` are those that the request needs."""
        # RFC 6750 §3.1: without credentials the challenge names no error.
        details = {"error": self.error, "error_description": self.description} if self.error else {}
        needed = self.scope or " ".join(sorted(scopes))
        scope = {"scope": needed} if needed else {}
        # RFC 9728 §5.1: an unconfigured client discovers the token endpoint there.
        document = well_known(resource.identifier(state.issuer()), PROTECTED_RESOURCE)
        values = {"realm": resource.name, **details, **scope, "resource_metadata": document}
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in values.items())


def authenticate(state: State, *, resource: Resource = API) -> AccessToken:
    """The valid token of the request, which becomes `current_token`; else `TokenRejected`.

    An access token must be for this resource. A personal access token is valid for the whole app.
    """
    g.activepieces_token = token = request.environ.get(VERIFIED_TOKEN) or _token_of_header(state, resource)
    assert isinstance(token, AccessToken)
    return token


def check_token(token: AccessToken, required: frozenset[str]) -> None:
    """`TokenRejected` unless the token has these scopes."""
    if not required <= token.scopes:
        scope = " ".join(sorted(required))
        raise TokenRejected(403, "insufficient_scope", "The access token lacks a scope.", scope=scope)


def _token_of_header(state: State, resource: Resource) -> AccessToken:
    encoded = bearer_token(request.headers.get("Authorization"))
    if encoded is None:
        raise TokenRejected(401)
    if looks_like_personal_token(encoded):
        return _find_personal_token(state, encoded)
    return _verify_access_token(state, encoded, resource)


@with_server_errors
def _check_request(required: frozenset[str]) -> Response | None:
    """The error to respond with; None for a valid token with these scopes."""
    state = get_state()
    try:
        check_token(authenticate(state), required)
    except TokenRejected as rejected:
        g.pop("activepieces_token", None)
        response = error_response(rejected.status, rejected.error or "invalid_request", rejected.description)
        response.headers["WWW-Authenticate"] = rejected.challenge(state, scopes=required)
        return response
    return None


def _verify_access_token(state: State, encoded: str, resource: Resource) -> AccessToken:
    now, issuer = state.now(), state.issuer()
    try:
        token = verify(state.settings.jwt_keys, encoded, issuer=issuer, now=now, resources=(resource,))
    except SignatureExpired:
        raise TokenRejected(401, "invalid_token", "The access token has expired.") from None
    except WrongAudience:
        # RFC 9068 §4: also a token of this app for another of its resources.
        description = f"The access token is not for {resource.identifier(issuer)}."
        raise TokenRejected(401, "invalid_token", description) from None
    except SignatureError:
        raise TokenRejected(401, "invalid_token", "The access token is not valid here.") from None
    if state.revocations.is_revoked(token, now=now):
        raise TokenRejected(401, "invalid_token", "The access token was revoked.")
    return token


def _find_personal_token(state: State, text: str) -> AccessToken:
    token = state.personal_tokens.find(text)
    if token is None:
        raise TokenRejected(401, "invalid_token", "The personal access token was revoked or has expired.")
    return token.as_access_token(state.issuer())


def bearer_token(authorization: str | None) -> str | None:
    """The token in the header ``Authorization``; None if there is none."""
    # Only the header (RFC 6750 §2.1): a token in a query string would end up in logs (RFC 9700 §4.3.2).
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
