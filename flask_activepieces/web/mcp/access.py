"""Who calls the endpoint: the token, its audience, its scopes, and how often it may call."""

from __future__ import annotations

from flask import Response

from ...oauth.tokens.access_tokens import AccessToken
from ...state import State
from ...storage.rate_limit import WINDOW
from ..bearer import TokenRejected, authenticate
from ..error_responses import error_response


def token_of_request(state: State) -> AccessToken:
    """The valid token of the request, which is for this endpoint; else `TokenRejected`."""
    return authenticate(state, resource=state.resources().mcp)


def check_scopes(token: AccessToken, required: frozenset[str]) -> None:
    """`TokenRejected` unless the token has these scopes.

    The error names those that the token has, too: some clients ask for exactly what it names, and would lose them.
    """
    if not required <= token.scopes:
        scope = " ".join(sorted(required | token.scopes))
        raise TokenRejected(403, "insufficient_scope", "The access token lacks a scope.", scope=scope)


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
