"""For the login page of the app: which OAuth client its user signs in for."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import request, url_for

from ...errors import Unavailable
from ...oauth.clients.client import OAuthClient
from ...state import State, get_state

#: The login page shows no more of a name.
_LONGEST_NAME = 60


def sign_in_for(next_url: str | None = None) -> str | None:
    """The name of the client that waits for the sign-in; None if the user signs in for the app itself.

    ``next_url`` is where the login page returns to; by default, the query parameter ``next`` of the current request.
    """
    client = _waiting_client(get_state(), request.args.get("next", "") if next_url is None else next_url)
    if client is None:
        return None
    # A client that registered itself chose its name: it must not speak on a page that asks for a password.
    name = client.host if client.is_self_registered else client.name
    return f"{name[: _LONGEST_NAME - 1]}…" if name and len(name) > _LONGEST_NAME else name


def _waiting_client(state: State, next_url: str) -> OAuthClient | None:
    try:
        url = urlsplit(next_url)
    except ValueError:
        return None
    if url.path != url_for("activepieces.authorize"):
        return None
    client_id = state.pending_requests.client_id(parse_qs(url.query).get("request_id", [""])[0])
    try:
        return None if client_id is None else state.oauth_clients.find_by_id(client_id)
    except Unavailable:
        return None  # the login page needs no more than the name
