"""The client that an authorization request names: a registered one, or one that no one vouches for.

Anyone can make a client by a document or by registering it. So its user signs in before a document is fetched for
them, and before anything is redirected for it: a link to this app must not lead anywhere (RFC 9700 §4.11.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ...errors import ClientNotAllowed
from ...host.interface import Principal, Workspace
from ...messages import Message
from ...oauth.authorization.request import UnverifiedClientError
from ...oauth.clients.client import OAuthClient
from ...oauth.documents.client_urls import DocumentError, looks_like_client_url
from ...state import State


class SignInFirst(Exception):
    """Raised for a client that no one vouches for, while no one is signed in."""


def find_client(state: State, parameters: Mapping[str, str]) -> OAuthClient | None:
    """The client of an authorization request with these parameters; None if there is none."""
    identifier = parameters.get("client_id", "")
    if looks_like_client_url(identifier):
        if not state.accepts_client_documents():
            return None
        return _document_client(state, identifier, _signed_in(state, parameters))
    client = state.oauth_clients.find_requested(identifier)
    if client is not None and client.is_self_registered:
        _signed_in(state, parameters)
    return client


def _signed_in(state: State, parameters: Mapping[str, str]) -> Principal:
    principal = state.host.current_principal()
    if principal is not None:
        return principal
    if parameters.get("prompt") == "none":
        raise UnverifiedClientError(Message("You are not signed in."), Message("Sign in, and start again."))
    raise SignInFirst


def allowed_workspaces(state: State, client: OAuthClient, principal: Principal) -> list[Workspace]:
    """The workspaces that the user may share with the client; `ClientNotAllowed` if their admins allow it in none."""
    workspaces = list(state.host.workspaces(principal))
    if not client.is_self_registered:
        return workspaces
    allowing = state.client_policies.allowing(_tenant_ids(state, principal), client.hosts)
    allowed = [each for each in workspaces if each.tenant_id in allowing]
    if not allowed:
        raise ClientNotAllowed(client.name)
    return allowed


def _document_client(state: State, url: str, principal: Principal) -> OAuthClient:
    try:
        host = state.document_clients.parse(url).host
        # Before anything is fetched.
        if not state.client_policies.allowing(_tenant_ids(state, principal), [host]):
            raise ClientNotAllowed(host)
        return state.document_clients.get(
            url, issuer=state.issuer(), before_fetch=partial(_limit_fetches, state, principal)
        )
    except DocumentError as error:
        raise UnverifiedClientError(
            Message("The app that sent you here could not be identified."),
            Message("Try again later. Tell the app's developers: %(reason)s", reason=error.reason),
        ) from None


def _tenant_ids(state: State, principal: Principal) -> list[str]:
    return list(dict.fromkeys(each.tenant_id for each in state.host.workspaces(principal)))


def _limit_fetches(state: State, principal: Principal) -> None:
    """Let no user make this app call other servers without end."""
    key = f"client document {principal.tenant_id} {principal.user_id}"
    if not state.failure_limiter.record_failure(key, state.now()):
        raise UnverifiedClientError(Message("You have opened too many new apps."), Message("Try again in a minute."))
