"""Signing in at a third party from a page of the area, for a new connection or for one that stopped working."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue

from ....api_client.resources.connection_values import OAuth2
from ....crypto.keyring import looks_like_id, random_id
from ....errors import InvalidInput, NotFound
from ....integrations.sign_in.third_party import AuthorizationStart
from ....messages import Message
from ...api.connect import start_sign_in
from ..area.visit import Visit, automation_page
from .forms import sign_in_form
from .pages import changeable_connection, checked_name


@automation_page("connections", "edit")
def automation_sign_in(visit: Visit) -> ResponseReturnValue:
    """Send the browser to the third party; it returns to the list of connections."""
    form, connection = request.form, None
    if form.get("connection"):
        connection = changeable_connection(visit, form["connection"])
    piece_name = connection.piece_name if connection else form.get("piece", "")
    piece = visit.state.tenants.pieces.get(visit.integration, piece_name)
    auth = next((each for each in piece.auths if each.type == OAuth2.type), None)
    if auth is None:
        raise NotFound("piece", piece_name)
    sent_id = form.get("external_id", "")
    try:
        props = {name: str(value) for name, value in sign_in_form(auth).read(form).items()}
        name = connection.display_name if connection else checked_name(form.get("name", "").strip())
    except InvalidInput:
        raise InvalidInput({"form": Message("Go back, and fill in every field.")}) from None
    authorization = AuthorizationStart(
        piece_name=None if connection else piece.name,
        connection_id=connection.id if connection else None,
        display_name=None if connection else name,
        external_id=None if connection else (sent_id if looks_like_id(sent_id) else random_id()),
        props=props,
        next_url=url_for("activepieces.automation_connections"),
    )
    return start_sign_in(visit.state, visit.integration, authorization, user_id=visit.principal.user_id)
