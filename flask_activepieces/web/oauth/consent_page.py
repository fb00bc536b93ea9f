"""The question as people see it, and their answer: a page with a form, or a JSON pair for single-page hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInput
from ...messages import Message
from ...oauth.authorization import consent
from ...oauth.authorization import pending_requests as parked
from ...oauth.authorization.consent import Question
from ...oauth.authorization.request import AuthorizationRequest, Refused, verify_again
from ...oauth.clients.client import OAuthClient
from ...oauth.clients.redirect_uris import origin_of
from ...state import State, get_state
from ..api.problems import Problem, api, json_object
from ..i18n import gettext
from ..pages.base import browser_of_request, page, render, to_login
from .approval import approval_url, denial, go


def show(state: State, question: Question, request_id: str) -> Response:
    """The consent page."""
    return _page(question, describe(state, question, request_id))


def _show_again(
    state: State, question: Question, request_id: str, problem: InvalidInput
) -> Response:
    """The page with the boxes as the user left them, and what is wrong with that."""
    described = describe(state, question, request_id)
    ticked = request.form.getlist("scope")
    for scope in described["scopes"]:
        scope["checked"] = scope["name"] in ticked
    workspace = request.form.get("workspace")
    if workspace in [offered["key"] for offered in described["workspaces"]]:
        described["selected_workspace"] = workspace
    words = " ".join(gettext(words) for words in problem.fields.values())
    return _page(question, described, error=words)


def _page(
    question: Question, described: Mapping[str, Any], *, error: str | None = None
) -> Response:
    return render(
        "consent.html",
        status=200 if error is None else 422,
        leads_elsewhere=True,
        client=question.client,
        principal=question.principal,
        workspaces=question.workspaces,
        selected_workspace=described["selected_workspace"],
        scopes=described["scopes"],
        redirect_host=described["redirect_host"],
        request_id=described["request_id"],
        consent_token=described["consent_token"],
        action=url_for("activepieces.authorize"),
        error=error,
    )


def describe(state: State, question: Question, request_id: str) -> dict[str, Any]:
    """The question in plain values, with the token that its answer must bring back."""
    principal = question.principal
    return {
        "request_id": request_id,
        "client": {
            "client_id": question.client.client_id,
            "name": question.client.name,
            "description": question.client.description,
        },
        "redirect_host": origin_of(question.request.redirect_uri),
        "account": {"user_id": principal.user_id, "display_name": principal.display_name},
        "workspaces": [
            {"key": workspace.form_value, "tenant_id": workspace.tenant_id, "name": workspace.name}
            for workspace in question.workspaces
        ],
        "selected_workspace": question.preferred.form_value,
        "scopes": [
            {
                "name": scope.name,
                "description": scope.description,
                "required": scope.required,
                "checked": True,
            }
            for scope in question.scopes
        ],
        "consent_token": parked.consent_token(
            state.settings.secret_keys,
            request_id,
            tenant_id=principal.tenant_id,
            user_id=principal.user_id,
        ),
    }


def decide() -> ResponseReturnValue:
    """POST /authorize: the form of our page, or the JSON of the host's own."""
    return _decide_json() if request.is_json else _decide_form()


@page
def _decide_form() -> ResponseReturnValue:
    state, answer = get_state(), request.form
    request_id = answer.get("request_id", "")
    if state.host.current_principal() is None:
        # The session ended while the page was open: sign in, and be asked again.
        _waiting(state, request_id)
        return to_login(state, url_for("activepieces.authorize", request_id=request_id))
    try:
        question = _asked(state, request_id, answer.get("consent_token", ""))
    except Refused as refusal:
        return go(refusal.answer_url(state.issuer()))
    try:
        return go(_decided(state, question, answer, answer.getlist("scope")))
    except InvalidInput as problem:
        return _show_again(state, question, request_id, problem)


@api
def _decide_json() -> ResponseReturnValue:
    state, answer = get_state(), json_object()
    question = _asked(state, str(answer.get("request_id")), str(answer.get("consent_token")))
    return jsonify({"redirect_url": _decided(state, question, answer, _scope_names(answer))})


def _scope_names(answer: Mapping[str, Any]) -> list[Any]:
    names = answer.get("scope")
    if names is None and answer.get("decision") == "approve":
        # Not all that was asked for: a page that forgets the field would allow what its user has unticked.
        raise InvalidInput({"scope": "it is missing: send the scopes that the user allows"})
    if names is None:
        return []
    if isinstance(names, str):
        return names.split()
    if not isinstance(names, list):
        raise InvalidInput({"scope": "it must be a list of scope names"})
    return names


@api
def describe_request(request_id: str) -> ResponseReturnValue:
    """GET /authorize/request/<id>: what a single-page host shows."""
    state = get_state()
    return jsonify(describe(state, _resumed(state, request_id), request_id))


def client_of(state: State, waiting: AuthorizationRequest) -> OAuthClient:
    """The client of a parked request, as it is registered now."""
    client = state.oauth_clients.find_by_id(waiting.client_id)
    return verify_again(waiting, client, known=state.settings.scopes)


def _asked(state: State, request_id: str, token: str) -> Question:
    """The question that this user was shown in this browser; `SignatureError` for any other."""
    question = _resumed(state, request_id)
    parked.check_consent_token(
        state.settings.secret_keys,
        token,
        request_id,
        tenant_id=question.principal.tenant_id,
        user_id=question.principal.user_id,
    )
    return question


def _resumed(state: State, request_id: str) -> Question:
    waiting = _waiting(state, request_id)
    principal = state.host.current_principal()
    if principal is None:
        raise Problem(401, "Not signed in", "Sign in, and open the request again.")
    client = client_of(state, waiting)
    return consent.question(
        waiting, client, principal, state.host.workspaces(principal), state.settings.scopes
    )


def _waiting(state: State, request_id: str) -> AuthorizationRequest:
    return parked.resume(
        state.settings.secret_keys, request_id, browser=browser_of_request(), now=state.now()
    )


def _decided(
    state: State, question: Question, answer: Mapping[str, Any], names: Sequence[str]
) -> str:
    """Where the browser goes with this answer."""
    decision, workspace = answer.get("decision"), answer.get("workspace")
    if decision == "deny":
        return denial(state, question).answer_url(state.issuer())
    if decision != "approve":
        raise InvalidInput({"decision": Message("Choose to approve or to deny.")})
    choice = question.decide(workspace=None if workspace is None else str(workspace), names=names)
    return approval_url(state, question, choice)
