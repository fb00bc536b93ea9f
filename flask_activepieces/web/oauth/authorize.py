"""The authorization endpoint: a request comes in and is put before its user (RFC 6749 §3.1, §4.1.1).

It is answered at once if the user has answered it before, on our consent page, or on the host's own page at
``ACTIVEPIECES_CONSENT_URL``. Whoever has to sign in first finds the request again afterwards.
"""

from __future__ import annotations

from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from ...messages import Message
from ...oauth.authorization import consent
from ...oauth.authorization import pending_requests as parked
from ...oauth.authorization.consent import Question
from ...oauth.authorization.request import AuthorizationRequest, NoRedirect, Refused, verify
from ...oauth.clients.client import OAuthClient
from ...oauth.grants import Grant
from ...oauth.tokens.client_request import reject_duplicates
from ...state import State, get_state
from ..pages.base import browser_of_request, name_browser, new_browser_name, page, to_login
from . import consent_page
from .approval import code_url, go


@page
def authorize() -> ResponseReturnValue:
    """Put the request before its user, or tell whoever has to know why that cannot be."""
    state = get_state()
    try:
        return _present(state, *_incoming(state))
    except Refused as refusal:
        return go(refusal.answer_url(state.issuer()))


def _incoming(state: State) -> tuple[AuthorizationRequest, OAuthClient]:
    request_id = request.args.get("request_id")
    # With a client_id it is a client's own parameter, and unknown to us (RFC 6749 §3.1).
    if request_id is not None and "client_id" not in request.args:
        waiting = parked.resume(
            state.settings.secret_keys, request_id, browser=browser_of_request(), now=state.now()
        )
        return waiting, consent_page.client_of(state, waiting)
    try:
        parameters = reject_duplicates(list(request.args.items(multi=True)))
    except OAuth2Error as error:
        raise NoRedirect(
            Message("The app that sent you here made a request that cannot be understood."),
            Message("Tell its makers: %(why)s", why=error.description),
        ) from None
    client_id = parameters.get("client_id", "")
    client = state.oauth_clients.find_by_id(client_id)
    asked = verify(parameters, client, known=state.settings.scopes, issuer=state.issuer())
    assert client is not None
    return asked, client


def _present(state: State, asked: AuthorizationRequest, client: OAuthClient) -> Response:
    principal = state.host.current_principal()
    if principal is None:
        if asked.prompt == "none":
            raise consent.unanswerable(asked, "login_required")
        return _park(state, asked)
    workspaces = state.host.workspaces(principal)
    question = consent.question(asked, client, principal, workspaces, state.settings.scopes)
    grant = question.remembered(_grants_so_far(state, question))
    if grant is not None:
        return go(code_url(state, question, grant, asked.names))
    if asked.prompt == "none":
        raise consent.unanswerable(asked, "consent_required")
    if state.settings.consent_url is not None:
        return _park(state, asked)
    return _ask(state, question)


def _grants_so_far(state: State, question: Question) -> list[Grant]:
    return state.grants.existing_grants(
        client_id=question.client.client_id,
        tenant_ids=[workspace.tenant_id for workspace in question.workspaces],
        user_id=question.principal.user_id,
    )


def _ask(state: State, question: Question) -> Response:
    browser = browser_of_request() or new_browser_name()
    request_id = parked.park(
        state.settings.secret_keys, question.request, browser=browser, now=state.now()
    )
    return name_browser(state, consent_page.show(state, question, request_id), browser)


def _park(state: State, asked: AuthorizationRequest) -> Response:
    # To the login page, or to the host's own consent page, which sees to the login itself.
    browser = browser_of_request() or new_browser_name()
    request_id = parked.park(state.settings.secret_keys, asked, browser=browser, now=state.now())
    own_page = state.settings.consent_url
    if own_page is None:
        sent = to_login(state, url_for("activepieces.authorize", request_id=request_id))
    else:
        separator = "&" if "?" in own_page else "?"
        sent = go(f"{own_page}{separator}{urlencode({'request_id': request_id})}")
    return name_browser(state, sent, browser)
