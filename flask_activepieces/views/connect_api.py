"""Connections that are made by signing in: to the app itself by one click, or at a third party."""

from __future__ import annotations

from typing import Any

from flask import Response, session, url_for

from ..integrations.authorize import StartAuthorization
from ..state import State
from .answers import go
from .connect_schemas import CallbackSchema, StartSchema
from .connection_schemas import ConnectionSchema
from .operations import Call, operation
from .upstream import UPSTREAM

#: Where the session keeps what the browser must bring back: the nonce, and where it wants to go then.
_PENDING = "activepieces_oauth2"


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


@operation("edit", query=StartSchema(), status=303, problems=UPSTREAM)
def start_oauth2(call: Call, integration_id: str) -> Response:
    """Send the browser to a third party, where the user allows what a piece needs."""
    wanted = dict(call.query)
    there = url_for("activepieces.api_list_connections", integration_id=integration_id)
    then = wanted.pop("next", there)
    started = call.state.third_party.start(
        call.integration(integration_id),
        StartAuthorization(**wanted),
        user_id=call.principal.user_id,
        redirect_url=_callback_url(call.state),
        now=call.state.now(),
    )
    session[_PENDING] = {"nonce": started.nonce, "then": then}
    return go(started.url)


@operation("edit", query=CallbackSchema(), status=303, problems=(400, 404, *UPSTREAM))
def finish_oauth2(call: Call) -> Response:
    """Where the third party sends the browser back to: the connection is made, and the browser led on."""
    pending = session.get(_PENDING, {})
    call.state.third_party.finish(
        call.query["state"],
        nonce=pending.get("nonce"),
        code=call.query.get("code"),
        error=call.query.get("error"),
        error_description=call.query.get("error_description", ""),
        principal=call.principal,
        now=call.state.now(),
    )
    # Not before: a link to here, followed by mistake, must not end what was begun.
    del session[_PENDING]
    return go(pending["then"])


def _callback_url(state: State) -> str:
    return f"{state.issuer()}{state.settings.url_prefix}/oauth2/callback"
