"""The authorization endpoint (RFC 6749 §3.1, §4.1.1): a client's request comes in, and its user decides.

A request that an earlier grant covers is answered immediately. Otherwise our consent page asks the user, or the
host's own page at ``ACTIVEPIECES_CONSENT_URL``. Users who are signed out return to the request after login.
"""

from __future__ import annotations

from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...messages import Message
from ...oauth.authorization import consent
from ...oauth.authorization.request import (
    AuthorizationErrorResponse,
    AuthorizationRequest,
    UnverifiedClientError,
    verify,
)
from ...oauth.clients.client import OAuthClient
from ...oauth.tokens.client_request import reject_duplicates
from ...state import State, get_state
from ..pages.base import page
from ..pages.rendering import browser_id, new_browser_id, see_other, set_browser_cookie, to_login
from . import consent_page


@page
def authorize() -> ResponseReturnValue:
    """GET /authorize."""
    state = get_state()
    try:
        return _decide_or_ask(state, *_read_request(state))
    except AuthorizationErrorResponse as error:
        return see_other(error.response_url(state.issuer()))


def _read_request(state: State) -> tuple[AuthorizationRequest, OAuthClient]:
    request_id = request.args.get("request_id")
    # With a client_id it is the client's own parameter, which we ignore (RFC 6749 §3.1).
    if request_id is not None and "client_id" not in request.args:
        pending = consent_page.open_request(state, request_id)
        return pending, consent_page.client_of(state, pending)
    try:
        parameters = reject_duplicates(list(request.args.items(multi=True)))
    except OAuth2Error as error:
        raise UnverifiedClientError(
            Message("The app that sent you here made an invalid request."),
            Message("Tell the app's developers: %(problem)s", problem=error.description),
        ) from None
    client_id = parameters.get("client_id", "")
    client = state.oauth_clients.find_by_id(client_id)
    return verify(parameters, client, known_scopes=state.settings.scopes, issuer=state.issuer())


def _decide_or_ask(state: State, authorization: AuthorizationRequest, client: OAuthClient) -> Response:
    principal = state.host.current_principal()
    if principal is None:
        if authorization.prompt == "none":
            raise consent.interaction_required(authorization, "login_required")
        return _redirect_with_pending(state, authorization)
    workspaces = state.host.workspaces(principal)
    consent_request = consent.consent_request(authorization, client, principal, workspaces, state.settings.scopes)
    existing_grants = state.grants.existing_grants(
        client_id=client.client_id,
        tenant_ids=[workspace.tenant_id for workspace in consent_request.workspaces],
        user_id=principal.user_id,
    )
    grant = consent_request.find_reusable_grant(existing_grants)
    if grant is not None:
        return see_other(consent_page.code_url(state, consent_request, grant, authorization.scopes))
    if authorization.prompt == "none":
        raise consent.interaction_required(authorization, "consent_required")
    if state.settings.consent_url is not None:
        return _redirect_with_pending(state, authorization)
    browser, request_id = _seal(state, authorization)
    return set_browser_cookie(state, consent_page.show(state, consent_request, request_id), browser)


def _redirect_with_pending(state: State, authorization: AuthorizationRequest) -> Response:
    """To the login page, or to the host's consent page, which signs users in itself."""
    browser, request_id = _seal(state, authorization)
    host_page = state.settings.consent_url
    if host_page is None:
        response = to_login(state, url_for("activepieces.authorize", request_id=request_id))
    else:
        separator = "&" if "?" in host_page else "?"
        response = see_other(f"{host_page}{separator}{urlencode({'request_id': request_id})}")
    return set_browser_cookie(state, response, browser)


def _seal(state: State, authorization: AuthorizationRequest) -> tuple[str, str]:
    """This browser's id, and the id of the pending request in it."""
    browser = browser_id() or new_browser_id()
    return browser, state.pending_requests.seal(authorization, browser=browser)
