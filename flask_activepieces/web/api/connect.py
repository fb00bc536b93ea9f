"""Connections that users make by signing in: to the app itself with one click, or at a third party."""

from __future__ import annotations

import logging
import secrets
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Response, make_response, request, session
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import OneOf

from ...api_client.resources.connection_values import OAUTH2_KINDS
from ...errors import AuthorizationDeclined
from ...integrations.sign_in.pending import MAX_STATE_LENGTH
from ...integrations.sign_in.third_party import AuthorizationStart
from ...integrations.store import Integration
from ...messages import Message
from ...state import State, get_state
from ..pages.errors import ErrorText
from ..pages.rendering import (
    check_page_token,
    current_path,
    error_page,
    is_browser_navigation,
    page_token,
    render,
    see_other,
    to_login,
)
from ..routes import View
from .connections import ConnectionSchema
from .fields import CamelSchema, JsonStrings, LocalPath, PieceName, String
from .operations import Operation, OperationContext, json_view

log = logging.getLogger(__name__)

#: The key in the session of the nonce that identifies this browser; all its tabs share it.
_NONCE = "activepieces_browser"
#: The query parameters that report the result of a sign-in.
_RESULT_PARAMETERS = ("connection", "error")


class StartSchema(CamelSchema):
    """What a user signs in for: a piece, or a connection that stopped working."""

    piece_name = PieceName()
    connection_id = String(max_length=64, metadata={"description": "a connection to renew"})
    display_name = String(max_length=100)
    external_id = String(max_length=100)
    type = fields.String(
        validate=OneOf(OAUTH2_KINDS),
        load_default="OAUTH2",
        metadata={"description": "whose OAuth app: this app's, the platform's, Activepieces'"},
    )
    client_id = String(metadata={"description": "of the platform's or Activepieces' OAuth app"})
    props = JsonStrings(
        load_default=dict, metadata={"description": "JSON: other values that the piece requires", "default": "{}"}
    )
    next = LocalPath(
        max_length=1000, metadata={"description": "where to go afterwards; the default is the root of the app"}
    )


class CallbackSchema(Schema):
    """The response of the third party; other parameters are ignored (RFC 6749 section 4.1.2)."""

    class Meta:
        unknown = EXCLUDE

    state = String(max_length=MAX_STATE_LENGTH, required=True)
    code = String(max_length=8000)
    error = String(max_length=200)
    error_description = String(max_length=2000)


@Operation("edit", answer=ConnectionSchema(), success=201)
def connect(context: OperationContext) -> Any:
    """Connect the signed-in user to the app's own piece; the call is their consent.

    Activepieces redeems the code during the call. Users can revoke the permission in their connected apps.
    """
    return context.state.tenants.one_click.connect(
        context.integration, context.principal, issuer=context.state.issuer()
    )


def errors_as_pages(view: View) -> View:
    """Decorate a view that browsers open: they get an error page, and programs get a problem."""

    @wraps(view)
    def wrapper(**path: str) -> ResponseReturnValue:
        response = make_response(view(**path))
        if is_browser_navigation() and response.status_code >= 400:
            return _problem_page(response)
        return response

    return wrapper


def login_required_link(view: View) -> View:
    """Decorate a view that links lead to: a signed-out visitor signs in first, and returns."""

    @errors_as_pages
    @json_view
    @wraps(view)
    def wrapper(**path: str) -> ResponseReturnValue:
        state = get_state()
        if is_browser_navigation() and state.host.current_principal() is None:
            return to_login(state, current_path())
        return view(**path)

    return wrapper


@login_required_link
@Operation("edit", query=StartSchema(), success=200)
def confirm_oauth2(context: OperationContext) -> Response:
    """A page that asks the user whether to sign in at a third party; its button starts the sign-in.

    Any site or mail may link to it.
    """
    integration, authorization = context.integration, _authorization(context)
    nonce = session.setdefault(_NONCE, secrets.token_urlsafe(24))
    return render(
        "third_party_sign_in.html",
        # The third party is another site, and the app may open it in a popup.
        allow_external_form_target=True,
        sign_in=context.state.tenants.third_party.describe(integration, authorization),
        workspace=_workspace_name(context),
        principal=context.principal,
        page_token=page_token(context.state, context.principal, nonce),
        action=current_path(),
        next_url=authorization.next_url,
    )


@login_required_link
@Operation("edit", query=StartSchema(), success=303)
def start_oauth2(context: OperationContext) -> Response:
    """Send the browser to a third party, where the user grants what a piece needs."""
    integration = context.integration
    # The rule for all calls lets a browser pass that does not say where a form comes from.
    check_page_token(context.state, context.principal, browser=session.get(_NONCE))
    return start_sign_in(context.state, integration, _authorization(context), user_id=context.principal.user_id)


def callback_url(state: State) -> str:
    """Where the third party sends the browser, as registered there."""
    return f"{state.issuer()}{state.settings.url_prefix}/oauth2/callback"


def start_sign_in(
    state: State, integration: Integration, authorization: AuthorizationStart, *, user_id: str
) -> Response:
    """Send the browser to the third party; its session remembers that it started."""
    started = state.tenants.third_party.start(
        integration, authorization, user_id=user_id, redirect_url=callback_url(state), nonce=session.get(_NONCE)
    )
    session[_NONCE] = started.nonce
    return see_other(started.url)


@errors_as_pages
@Operation("edit", query=CallbackSchema(), success=303)
def finish_oauth2(context: OperationContext) -> Response:
    """The callback of the third party: saves the connection, and sends the browser on."""
    try:
        finished = context.state.tenants.third_party.finish(
            **{"code": None, **context.query}, nonce=session.get(_NONCE), principal=context.principal
        )
    except AuthorizationDeclined as declined:
        if not is_browser_navigation():
            raise
        return _redirect_to_next(declined.next_url, error=declined.error)
    return _redirect_to_next(finished.next_url, connection=finished.connection.id)


def _redirect_to_next(next_path: str | None, **result: str) -> Response:
    parts = urlsplit(next_path or "/")
    # The page may have been reached by an earlier sign-in.
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in _RESULT_PARAMETERS
    ]
    return see_other(urlunsplit(parts._replace(query=urlencode([*kept, *result.items()]))))


def _authorization(context: OperationContext) -> AuthorizationStart:
    values = dict(context.query)
    next_path = values.pop("next", f"{request.script_root}/")
    return AuthorizationStart(**values, next_url=next_path)


def _workspace_name(context: OperationContext) -> str:
    """The user's name for the organization or tenant of the integration."""
    integration = context.integration
    names = {
        workspace.organization_id: workspace.name
        for workspace in context.state.host.workspaces(context.principal)
        if workspace.tenant_id == integration.tenant_id
    }
    return names.get(integration.organization_id) or next(iter(names.values()), integration.tenant_id)


def _problem_page(response: Response) -> Response:
    problem = response.get_json()
    title, message, remedy = problem["title"], problem["detail"], None
    if "fields" in problem:
        # The reader of a link cannot correct it.
        log.warning("A link to %s is wrong: %s", request.path, problem["fields"])
        title = Message("This link does not work")
        message = Message("It is incomplete or out of date.")
        remedy = Message("Tell the person who made it.")
    return error_page(
        ErrorText(
            status=response.status_code,
            title=title,
            message=message,
            remedy=remedy,
            retry_after=response.headers.get("Retry-After", type=int),
            leads_home=True,
        )
    )
