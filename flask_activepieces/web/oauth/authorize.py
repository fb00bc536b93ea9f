"""The authorization endpoint (RFC 6749 §3.1, §4.1.1): a client's request comes in, and its user decides.

A request that an earlier grant covers is answered immediately. Otherwise our consent page asks the user, or the
host's own page at ``ACTIVEPIECES_CONSENT_URL``, which reads and answers the request as JSON. Users who are signed out
return to the request after login.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput, SignatureError
from ...messages import Message
from ...oauth.authorization import consent
from ...oauth.authorization.consent import ConsentRequest
from ...oauth.authorization.request import (
    AuthorizationErrorResponse,
    AuthorizationRequest,
    UnverifiedClientError,
    revalidate,
    verify,
)
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.redirect_uris import display_origin
from ...oauth.grants import Grant
from ...oauth.tokens.base_server import reject_duplicates
from ...state import State, get_state
from ...storage.audit import Event
from ..api.operations import json_body, json_view
from ..api.problems import Problem, ProblemType
from ..pages.base import page
from ..pages.errors import ErrorText, error_text
from ..pages.i18n import gettext
from ..pages.rendering import browser_id, current_path, error_page, see_other, set_browser_cookie, to_login
from .consent_page import can_sign_out, consent_page, request_to_json
from .requested_client import SignInFirst, allowed_workspaces, find_client


@page
def authorize() -> ResponseReturnValue:
    """GET /authorize."""
    state = get_state()
    try:
        return _decide_or_ask(state, *_read_request(state))
    except SignInFirst:
        return to_login(state, current_path())
    except SignatureError as error:
        return _out_of_date(error)
    except AuthorizationErrorResponse as error:
        return _error_response(state, error)


@json_view
def describe_request(request_id: str) -> ResponseReturnValue:
    """GET /authorize/request/<id>: the consent request, for a single-page app."""
    state = get_state()
    return jsonify(request_to_json(state, _pending_consent_request(state, request_id), request_id))


def decide() -> ResponseReturnValue:
    """POST /authorize: the form of our page, or JSON from the host's page."""
    return _decide_json() if request.is_json else _decide_form()


@json_view
def _decide_json() -> ResponseReturnValue:
    state, answer = get_state(), json_body()
    consent_request = _verified_consent_request(
        state, str(answer.get("request_id")), str(answer.get("consent_token"))
    )
    return jsonify({"redirect_url": _answer_url(state, consent_request, answer, _scopes(answer))})


@page
def _decide_form() -> ResponseReturnValue:
    state, request_id = get_state(), request.form.get("request_id", "")
    try:
        return _answer_form(state, request_id)
    except AuthorizationErrorResponse as error:
        return _error_response(state, error)
    except SignatureError as error:
        return _out_of_date(error)


def _answer_form(state: State, request_id: str) -> Response:
    form, request_url = request.form, url_for("activepieces.authorize", request_id=request_id)
    if state.host.current_principal() is None:
        # The session ended while the page was open.
        _open_request(state, request_id)
        return to_login(state, request_url)
    consent_request = _pending_consent_request(state, request_id)
    try:
        state.pending_requests.verify_consent_token(
            form.get("consent_token", ""), request_id, consent_request.principal
        )
    except SignatureError as error:
        return _out_of_date(error, request_url)
    if form.get("decision") == "switch" and can_sign_out(state):
        state.host.sign_out()
        return to_login(state, request_url)
    try:
        return see_other(_answer_url(state, consent_request, form, form.getlist("scope")))
    except InvalidInput as problem:
        return consent_page(state, consent_request, request_id, problem)


def _out_of_date(error: SignatureError, request_url: str | None = None) -> Response:
    """Where to go on: to the request, if only its page is out of date, as after a change of account."""
    text = error_text(error)
    assert text is not None
    if request_url is not None:
        text, link = replace(text, remedy=None), gettext("Read the request again")
        return error_page(text, link_url=request_url, link_text=link)
    return error_page(replace(text, remedy=Message("Go back to the app that sent you here, and start again.")))


def _read_request(state: State) -> tuple[AuthorizationRequest, OAuthClient]:
    request_id = request.args.get("request_id")
    # With a client_id it is the client's own parameter, which we ignore (RFC 6749 §3.1).
    if request_id is not None and "client_id" not in request.args:
        pending = _open_request(state, request_id)
        return pending, _current_client(state, pending)
    try:
        parameters = reject_duplicates(list(request.args.items(multi=True)))
    except OAuth2Error as error:
        raise UnverifiedClientError(
            Message("The app that sent you here made an invalid request."),
            Message("Tell the app's developers: %(problem)s", problem=error.description),
        ) from None
    client = find_client(state, parameters)
    return verify(parameters, client, known_scopes=state.settings.scopes, resources=state.resources())


def _error_response(state: State, error: AuthorizationErrorResponse) -> Response:
    """The redirect to the client; for one that no one vouches for, a page with a link (RFC 9700 §4.11.2)."""
    url = error.response_url(state.issuer())
    if not error.request.is_self_registered:
        return see_other(url)
    text = ErrorText(
        status=400,
        title=Message("The app made an invalid request"),
        message=Message("Nothing was shared with it."),
        remedy=Message("Tell the app's developers: %(problem)s", problem=error.error.description),
    )
    host = display_origin(error.request.redirect_uri)
    return error_page(text, link_url=url, link_text=gettext("Continue to %(host)s", host=host))


def _decide_or_ask(state: State, authorization: AuthorizationRequest, client: OAuthClient) -> Response:
    principal = state.host.current_principal()
    if principal is None:
        if authorization.prompt == "none":
            raise consent.interaction_required(authorization, "login_required")
        return _ask(state, authorization)
    workspaces = allowed_workspaces(state, client, principal)
    consent_request = consent.consent_request(authorization, client, principal, workspaces, state.settings.scopes)
    existing_grants = state.grants.existing_grants(
        client_id=client.client_id,
        tenant_ids=[workspace.tenant_id for workspace in consent_request.workspaces],
        user_id=principal.user_id,
    )
    grant = consent_request.find_reusable_grant(existing_grants)
    if grant is not None:
        return see_other(_code_url(state, consent_request, grant, authorization.scopes))
    if authorization.prompt == "none":
        raise consent.interaction_required(authorization, "consent_required")
    return _ask(state, authorization, consent_request)


def _ask(
    state: State, authorization: AuthorizationRequest, consent_request: ConsentRequest | None = None
) -> Response:
    """The login page, our consent page, or in place of both the host's, which signs users in itself."""
    browser = browser_id()
    request_id = state.pending_requests.seal(authorization, browser=browser)
    host_page = state.settings.consent_url
    if host_page is not None:
        separator = "&" if "?" in host_page else "?"
        response = see_other(f"{host_page}{separator}{urlencode({'request_id': request_id})}")
    elif consent_request is None:
        response = to_login(state, url_for("activepieces.authorize", request_id=request_id))
    else:
        response = consent_page(state, consent_request, request_id)
    return set_browser_cookie(state, response, browser)


def _open_request(state: State, request_id: str) -> AuthorizationRequest:
    return state.pending_requests.open(request_id, browser=browser_id())


def _current_client(state: State, pending: AuthorizationRequest) -> OAuthClient:
    client = state.oauth_clients.find_by_id(pending.client_id)
    return revalidate(pending, client, known_scopes=state.settings.scopes)


def _code_url(state: State, consent_request: ConsentRequest, grant: Grant, scopes: Sequence[str]) -> str:
    """The URL that takes a code for these scopes of the grant to the client."""
    issuer = state.issuer()
    code = consent_request.issue_code(state.code_issuer, grant, scopes, issuer=issuer)
    return consent_request.request.response_url(issuer, {"code": code})


def _pending_consent_request(state: State, request_id: str) -> ConsentRequest:
    pending = _open_request(state, request_id)
    principal = state.host.current_principal()
    if principal is None:
        raise Problem(ProblemType.NOT_SIGNED_IN, "Sign in, and open the request again.")
    client = _current_client(state, pending)
    workspaces = allowed_workspaces(state, client, principal)
    return consent.consent_request(pending, client, principal, workspaces, state.settings.scopes)


def _verified_consent_request(state: State, request_id: str, token: str) -> ConsentRequest:
    """The consent request that this user saw in this browser; `SignatureError` for any other."""
    consent_request = _pending_consent_request(state, request_id)
    state.pending_requests.verify_consent_token(token, request_id, consent_request.principal)
    return consent_request


def _answer_url(
    state: State, consent_request: ConsentRequest, answer: Mapping[str, Any], scopes: Sequence[str]
) -> str:
    client, principal, workspace = consent_request.client, consent_request.principal, answer.get("workspace")
    if answer.get("decision") == "deny":
        event = Event(
            name="grant.denied",
            at=state.now(),
            tenant_id=principal.tenant_id,
            user_id=principal.user_id,
            client_id=client.client_id,
            detail={"client": client.name},
        )
        state.database.run_in_transaction(lambda transaction: state.audit.record(transaction, event))
        return consent.access_denied(consent_request.request).response_url(state.issuer())
    if answer.get("decision") != "approve":
        raise InvalidInput({"decision": Message("Choose Approve or Deny.")})
    decision = consent_request.validate_decision(
        workspace=None if workspace is None else str(workspace), scopes=scopes
    )
    grant = state.grants.approve(client, principal, decision.workspace, decision.scopes)
    return _code_url(state, consent_request, grant, decision.scopes)


def _scopes(answer: Mapping[str, Any]) -> list[Any]:
    scopes = answer.get("scope")
    if scopes is None and answer.get("decision") == "approve":
        # A default of all scopes would approve what the user unticked, if a page forgets the field.
        raise InvalidInput({"scope": "Required: send the scopes that the user approved."})
    if isinstance(scopes, str):
        return scopes.split()
    if scopes is not None and not isinstance(scopes, list):
        raise InvalidInput({"scope": "Must be a list of scopes."})
    return scopes or []
