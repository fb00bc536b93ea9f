"""Connections that are made by signing in: to the app itself by one click, or at a third party."""

from __future__ import annotations

import secrets
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Response, make_response, request, session
from flask.typing import ResponseReturnValue

from ...errors import AuthorizationDeclined
from ...integrations.sign_in.third_party import AuthorizationStart
from ...integrations.store import Integration
from ...messages import Message
from ...state import State, get_state
from ..oauth.approval import go
from ..pages.base import (
    check_page_token,
    error_page,
    is_visit,
    page_token,
    render,
    this_page,
    to_login,
)
from ..routes import View
from .connect_schemas import CallbackSchema, StartSchema
from .connection_schemas import ConnectionSchema
from .operations import Call, operation
from .problems import api
from .upstream import UPSTREAM

#: Where the session keeps what tells this browser from others; of all its tabs, since several may be at it.
_NONCE = "activepieces_browser"
#: What the end of a sign-in adds to the address where the browser goes.
_TOLD_AT_THE_END = ("connection", "error")


@operation("edit", answer=ConnectionSchema(), status=201, problems=UPSTREAM)
def connect(call: Call, integration_id: str) -> Any:
    """Connect the signed-in user with the app's own piece: the call is their consent.

    Activepieces redeems the code while it answers. The permission is among the user's connected apps, where it
    can be taken back.
    """
    return call.state.one_click.connect(
        call.integration(integration_id),
        call.principal,
        issuer=call.state.issuer(),
        now=call.state.now(),
    )


def errors_as_pages(view: View) -> View:
    """A view that browsers are led to: what goes wrong is a page there, and a problem for programs."""

    @wraps(view)
    def guarded(**path: str) -> ResponseReturnValue:
        response = make_response(view(**path))
        return _page_about(response) if is_visit() and response.status_code >= 400 else response

    return guarded


def followed(view: View) -> View:
    """A view that links lead to: a stranger signs in to the app first, and comes back."""

    @errors_as_pages
    @api
    @wraps(view)
    def guarded(**path: str) -> ResponseReturnValue:
        state = get_state()
        if is_visit() and state.host.current_principal() is None:
            return to_login(state, this_page())
        return view(**path)

    return guarded


@followed
@operation("edit", query=StartSchema(), status=200, problems=UPSTREAM)
def ask_oauth2(call: Call, integration_id: str) -> Response:
    """A page that asks the user whether to sign in at a third party; its button begins it.

    A link may lead here from any site, and from a mail. It begins nothing.
    """
    integration = call.integration(integration_id)
    wanted = _wanted(call)
    nonce = session.setdefault(_NONCE, secrets.token_urlsafe(24))
    return render(
        "third_party_sign_in.html",
        # The third party is another site, and may be opened in a popup of the app's.
        leads_elsewhere=True,
        sign_in=call.state.third_party.describe(integration, wanted),
        workspace=_workspace_name(call, integration),
        principal=call.principal,
        page_token=page_token(call.state, call.principal, nonce),
        action=this_page(),
        next_url=wanted.next_url,
    )


@followed
@operation("edit", query=StartSchema(), status=303, problems=(400, *UPSTREAM))
def start_oauth2(call: Call, integration_id: str) -> Response:
    """Send the browser to a third party, where the user allows what a piece needs; for the button of that page."""
    integration = call.integration(integration_id)
    # Besides the rule for all calls, which lets through a browser that does not say where a form comes from.
    check_page_token(call.state, call.principal, browser=session.get(_NONCE))
    started = call.state.third_party.start(
        integration,
        _wanted(call),
        user_id=call.principal.user_id,
        redirect_url=_callback_url(call.state),
        nonce=session.get(_NONCE),
        now=call.state.now(),
    )
    session[_NONCE] = started.nonce
    return go(started.url)


@errors_as_pages
@operation("edit", query=CallbackSchema(), status=303, problems=(400, 404, *UPSTREAM))
def finish_oauth2(call: Call) -> Response:
    """Where the third party sends the browser back to: the connection is made, and the browser led on."""
    try:
        finished = call.state.third_party.finish(
            call.query["state"],
            nonce=session.get(_NONCE),
            code=call.query.get("code"),
            error=call.query.get("error"),
            error_description=call.query.get("error_description", ""),
            principal=call.principal,
            now=call.state.now(),
        )
    except AuthorizationDeclined as no:
        if not is_visit():
            raise
        return _lead_on(no.next_url, error=no.error)
    return _lead_on(finished.next_url, connection=finished.connection.id)


def _lead_on(then: str | None, **told: str) -> Response:
    parts = urlsplit(then or "/")
    # A page that was come to like this before begins anew.
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in _TOLD_AT_THE_END
    ]
    query = urlencode([*kept, *told.items()])
    return go(urlunsplit(parts._replace(query=query)))


def _wanted(call: Call) -> AuthorizationStart:
    wanted = dict(call.query)
    wanted["next_url"] = wanted.pop("next", f"{request.script_root}/")
    return AuthorizationStart(**wanted)


def _workspace_name(call: Call, integration: Integration) -> str:
    """What the user calls the tenant, or the organization in it, that the integration is for."""
    shared = [
        workspace
        for workspace in call.state.host.workspaces(call.principal)
        if workspace.tenant_id == integration.tenant_id
    ]
    names = {workspace.organization_id: workspace.name for workspace in shared}
    return names.get(integration.organization_id) or next(
        iter(names.values()), integration.tenant_id
    )


def _page_about(response: Response) -> Response:
    problem, way_back = response.get_json(), f"{request.script_root}/"
    if "fields" in problem:
        # Whoever made the link knows the fields; whoever followed it does not.
        words = "; ".join(problem["fields"].values())
        page = error_page(
            response.status_code,
            Message("This link does not work"),
            words,
            Message("Tell the person who made it."),
            way_back=way_back,
        )
    else:
        page = error_page(
            response.status_code, problem["title"], problem["detail"], way_back=way_back
        )
    if "Retry-After" in response.headers:
        page.headers["Retry-After"] = response.headers["Retry-After"]
    return page


def _callback_url(state: State) -> str:
    return f"{state.issuer()}{state.settings.url_prefix}/oauth2/callback"
