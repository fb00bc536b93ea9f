"""The consent page, and its JSON counterpart for hosts with a single-page app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...messages import Message
from ...oauth.authorization import consent
from ...oauth.authorization.consent import ConsentRequest
from ...oauth.authorization.request import AuthorizationErrorResponse, AuthorizationRequest, revalidate
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.redirect_uris import display_origin
from ...state import State, get_state
from ..api.operations import json_body, json_view
from ..api.problems import Problem, ProblemType
from ..i18n import gettext
from ..pages.base import page
from ..pages.rendering import browser_id, render, to_login
from .redirects import approve, deny, error_url, see_other


@json_view
def describe_request(request_id: str) -> ResponseReturnValue:
    """GET /authorize/request/<id>: the consent request, for a single-page app."""
    state = get_state()
    return jsonify(_to_json(state, _pending_consent_request(state, request_id), request_id))


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
    state, form = get_state(), request.form
    request_id = form.get("request_id", "")
    if state.host.current_principal() is None:
        # The session ended while the page was open.
        open_request(state, request_id)
        return to_login(state, url_for("activepieces.authorize", request_id=request_id))
    try:
        consent_request = _verified_consent_request(state, request_id, form.get("consent_token", ""))
    except AuthorizationErrorResponse as error:
        return see_other(error_url(state, error))
    try:
        return see_other(_answer_url(state, consent_request, form, form.getlist("scope")))
    except InvalidInput as problem:
        return show(state, consent_request, request_id, problem)


def show(
    state: State, consent_request: ConsentRequest, request_id: str, problem: InvalidInput | None = None
) -> Response:
    """The consent page; after a problem with the form, with the boxes as the user left them."""
    described = _to_json(state, consent_request, request_id)
    if problem is not None:
        for scope in described["scopes"]:
            scope["checked"] = scope["name"] in request.form.getlist("scope")
        workspace = request.form.get("workspace")
        if workspace in [offered["key"] for offered in described["workspaces"]]:
            described["selected_workspace"] = workspace
    return render(
        "consent.html",
        status=200 if problem is None else 422,
        allow_external_form_target=True,
        client=consent_request.client,
        principal=consent_request.principal,
        workspaces=consent_request.workspaces,
        selected_workspace=described["selected_workspace"],
        scopes=described["scopes"],
        redirect_host=described["redirect_host"],
        request_id=request_id,
        consent_token=described["consent_token"],
        action=url_for("activepieces.authorize"),
        error=problem and " ".join(map(gettext, problem.fields.values())),
    )


def open_request(state: State, request_id: str) -> AuthorizationRequest:
    """The pending request of this browser."""
    return state.pending_requests.open(request_id, browser=browser_id())


def client_of(state: State, pending: AuthorizationRequest) -> OAuthClient:
    """The client of a pending request, as it is registered now."""
    client = state.oauth_clients.find_by_id(pending.client_id)
    return revalidate(pending, client, known_scopes=state.settings.scopes)


def _to_json(state: State, consent_request: ConsentRequest, request_id: str) -> dict[str, Any]:
    principal = consent_request.principal
    return {
        "request_id": request_id,
        "client": {
            "client_id": consent_request.client.client_id,
            "name": consent_request.client.name,
            "description": consent_request.client.description,
        },
        "redirect_host": display_origin(consent_request.request.redirect_uri),
        "account": {"user_id": principal.user_id, "display_name": principal.display_name},
        "workspaces": [
            {"key": workspace.form_value, "tenant_id": workspace.tenant_id, "name": workspace.name}
            for workspace in consent_request.workspaces
        ],
        "selected_workspace": consent_request.default_workspace.form_value,
        "scopes": [
            {"name": scope.name, "description": scope.description, "required": scope.required, "checked": True}
            for scope in consent_request.scopes
        ],
        "consent_token": state.pending_requests.consent_token(request_id, principal),
    }


def _pending_consent_request(state: State, request_id: str) -> ConsentRequest:
    pending = open_request(state, request_id)
    principal = state.host.current_principal()
    if principal is None:
        raise Problem(ProblemType.NOT_SIGNED_IN, "Sign in, and open the request again.")
    client = client_of(state, pending)
    workspaces = state.host.workspaces(principal)
    return consent.consent_request(pending, client, principal, workspaces, state.settings.scopes)


def _verified_consent_request(state: State, request_id: str, token: str) -> ConsentRequest:
    """The consent request that this user saw in this browser; `SignatureError` for any other."""
    consent_request = _pending_consent_request(state, request_id)
    state.pending_requests.verify_consent_token(token, request_id, consent_request.principal)
    return consent_request


def _answer_url(
    state: State, consent_request: ConsentRequest, answer: Mapping[str, Any], scopes: Sequence[str]
) -> str:
    workspace = answer.get("workspace")
    if answer.get("decision") == "deny":
        return deny(state, consent_request)
    if answer.get("decision") != "approve":
        raise InvalidInput({"decision": Message("Choose Approve or Deny.")})
    decision = consent_request.validate_decision(
        workspace=None if workspace is None else str(workspace), scopes=scopes
    )
    return approve(state, consent_request, decision)


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
