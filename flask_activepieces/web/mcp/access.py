"""Who calls the endpoint: the token, its audience, its scopes, and how often it may call."""

from __future__ import annotations

from flask import Response, request

from ...oauth.tokens.access_tokens import AccessToken
from ...state import State
from ...storage.rate_limit import WINDOW
from ..bearer import VERIFIED_TOKEN, TokenRejected, authenticate
from ..error_responses import error_response


def token_of_request(state: State) -> AccessToken:
    """The valid token of the request, which is for this endpoint; else `TokenRejected`."""
    token = authenticate(state, resource=state.resources().mcp)
    # For actions that call `check_scopes`.
    request.environ[VERIFIED_TOKEN] = token
    return token


def check_scopes(token: AccessToken, required: frozenset[str]) -> None:
    """`TokenRejected` unless the token has these scopes.

    The error names those that the token has, too: some clients ask for exactly what it names, and would lose them.
    """
    if not required <= token.scopes:
        scope = " ".join(sorted(required | token.scopes))
        raise TokenRejected(403, "insufficient_scope", "The access token lacks a scope.", scope=scope)


def scopes_required_by(response: Response, state: State) -> frozenset[str]:
    """The scopes of this app that an action asks for with `flask_activepieces.check_scopes` (RFC 6750 §3.1)."""
    challenge = response.www_authenticate
    if challenge.type != "bearer" or challenge.get("error") != "insufficient_scope":
        return frozenset()
    # Those of another API, whose response the action passed on, are not this app's to give.
    return frozenset(str(challenge.get("scope")).split()) & state.settings.scopes.keys()


def is_within_limits(state: State, token: AccessToken, requests: int) -> bool:
    """Count the requests; False if they are too many for the token or for its tenant."""
    settings, now = state.settings, state.now()
    # Not the token itself, because a refreshed token would reset the limit.
    holder = token.family_id or token.personal_token_id or token.client_id
    limits = [(f"mcp token {holder}", settings.mcp_token_limit)]
    if token.tenant_id is not None:
        limits.append((f"mcp tenant {token.tenant_id}", settings.mcp_tenant_limit))
    hits = [state.rate_limiter.hit(key, now, limit) for key, limit in limits for _ in range(requests)]
    return all(hits)


def seconds_to_wait(state: State) -> int:
    """How many seconds until the counts are reset."""
    return WINDOW - state.now() % WINDOW


def rejection(state: State, rejected: TokenRejected) -> Response:
    """The response that tells a client where to get a token, and with which scopes (RFC 9728 §5.1)."""
    response = error_response(rejected.status, rejected.error or "invalid_token", rejected.description)
    scopes = state.piece.definition().tool_scopes
    response.headers["WWW-Authenticate"] = rejected.challenge(state, resource=state.resources().mcp, scopes=scopes)
    return response
