"""Connections that are made by signing in: to the app itself by one click, or at a third party."""

from __future__ import annotations

from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Response, request, session
from flask.typing import ResponseReturnValue

from ..errors import Declined
from ..integrations.third_party import StartAuthorization
from ..state import State, get_state
from .answers import go
from .connect_schemas import CallbackSchema, StartSchema
from .connection_schemas import ConnectionSchema
from .operations import Call, operation
from .pages import is_visit, this_page, to_login
from .problems import Problem, api
from .route import View
from .upstream import UPSTREAM

#: Where the session keeps what tells this browser from others; of all its tabs, since several may be at it.
_NONCE = "activepieces_browser"
#: What tells which connection is meant, and might be one that is there.
_OF_A_CONNECTION = ("connectionId", "externalId", "displayName")
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


def followed(view: View) -> View:
    """A view that links lead to: a stranger signs in to the app first, and comes back."""

    @api
    @wraps(view)
    def guarded(**path: str) -> ResponseReturnValue:
        # First: on the way back from the login page, nothing tells where the link was.
        _refuse_choice_of_another_site()
        state = get_state()
        if is_visit() and state.host.current_principal() is None:
            return to_login(state, this_page())
        return view(**path)

    return guarded


@followed
@operation("edit", query=StartSchema(), status=303, problems=UPSTREAM)
def start_oauth2(call: Call, integration_id: str) -> Response:
    """Send the browser to a third party, where the user allows what a piece needs."""
    wanted = dict(call.query)
    wanted["then"] = wanted.pop("next", f"{request.script_root}/")
    started = call.state.third_party.start(
        call.integration(integration_id),
        StartAuthorization(**wanted),
        user_id=call.principal.user_id,
        redirect_url=_callback_url(call.state),
        nonce=session.get(_NONCE),
        now=call.state.now(),
    )
    session[_NONCE] = started.nonce
    return go(started.url)


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
    except Declined as no:
        if not is_visit():
            raise
        return _lead_on(no.then, error=no.error)
    return _lead_on(finished.then, connection=finished.connection.id)


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


def _refuse_choice_of_another_site() -> None:
    # This begins by GET, so any page can lead a user here; none may have them put another account into a connection.
    site = request.headers.get("Sec-Fetch-Site")
    if site not in (None, "same-origin", "none") and any(
        name in request.args for name in _OF_A_CONNECTION
    ):
        raise Problem(403, "Cross-site call", "Follow this link from a page of this app.")


def _callback_url(state: State) -> str:
    return f"{state.issuer()}{state.settings.url_prefix}/oauth2/callback"
