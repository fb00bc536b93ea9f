"""What someone entered in the form of a connection: read, and saved, or taken to a sign-in at a third party."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Response, request, url_for

from ....api_client.resources.connections import Connection
from ....api_client.resources.pieces import Piece
from ....crypto.keyring import looks_like_id, random_id
from ....errors import InvalidInput
from ....integrations.client_factory import site_url
from ....integrations.connections.ownership import PLATFORM
from ....integrations.connections.saver import NewConnection, PlatformSharing
from ....integrations.sign_in.third_party import AuthorizationStart
from ....messages import Message
from ...api.connect import start_sign_in
from ..area.visit import Visit
from .forms import ConnectionForm, value_of
from .pages import checked_name


@dataclass(frozen=True)
class Entered:
    """The name of the connection, and the values of the piece's fields."""

    name: str
    values: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, form: ConnectionForm, connection: Connection | None) -> Entered:
        """What the form contains; `InvalidInput` names each field that is wrong."""
        problems, name, values = dict[str, str](), "", dict[str, Any]()
        try:
            name = connection.display_name if connection else checked_name(request.form.get("name", "").strip())
        except InvalidInput as problem:
            problems |= problem.fields
        try:
            values |= form.read(request.form)
        except InvalidInput as problem:
            problems |= problem.fields
        if problems:
            raise InvalidInput(problems)
        return cls(name, values)


def save(
    visit: Visit, piece: Piece, connection: Connection | None, form: ConnectionForm, entered: Entered
) -> Connection:
    """The new connection, or the given one with the entered value."""
    try:
        value = value_of(form, entered.values, redirect_url=redirect_url(visit))
    except InvalidInput as problem:
        raise _of_value(problem) from None
    new = NewConnection(value=value, piece_name=piece.name, piece_title=piece.display_name, display_name=entered.name)
    return visit.state.tenants.connections.save(
        visit.integration, replace(new, **_which(connection)), user_id=visit.principal.user_id
    )


def start(visit: Visit, piece: Piece, connection: Connection | None, entered: Entered) -> Response:
    """Send the browser to the third party; it returns to the list of connections."""
    which: dict[str, Any] = (
        {"connection_id": connection.id}
        if connection
        else {"piece_name": piece.name, "display_name": entered.name, "external_id": _sent_id()}
    )
    authorization = AuthorizationStart(
        **which,
        props={name: str(value) for name, value in entered.values.items()},
        next_url=url_for("activepieces.automation_connections"),
    )
    try:
        return start_sign_in(visit.state, visit.integration, authorization, user_id=visit.principal.user_id)
    except InvalidInput as problem:
        raise _of_value(problem) from None


def _which(connection: Connection | None) -> dict[str, Any]:
    """Which connection gets the value."""
    if connection is None:
        return {"external_id": _sent_id()}
    if connection.scope == PLATFORM:
        return {"external_id": connection.external_id, "platform_sharing": PlatformSharing()}
    return {"replaces_id": connection.id}


def _sent_id() -> str:
    """Made with the page: a form that is sent twice makes one connection."""
    sent_id = request.form.get("external_id", "")
    return sent_id if looks_like_id(sent_id) else random_id()


def redirect_url(visit: Visit) -> str:
    """Where people return to Activepieces from a sign-in. It wants to know this without a sign-in, too."""
    return f"{site_url(visit.integration.base_url or visit.state.settings.base_url)}/redirect"


def _of_value(problem: InvalidInput) -> InvalidInput:
    """A problem of the value as a whole: the names of its parts are not those of the fields."""
    if "props" in problem.fields:
        # They are parts of the piece's URLs, and named as only its developers know them.
        return InvalidInput(
            {"value": Message("A part of an address contains only letters, digits, _ and -. Enter no whole address.")}
        )
    return InvalidInput({"value": " ".join(problem.fields.values())})
