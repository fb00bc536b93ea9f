"""Adding a connection: choose the service, then fill in the form that its piece needs, or sign in there.

The same form gives an existing connection another value. After an error it contains what was entered, but no secrets:
they have to be entered once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ....api_client.errors import ApiError, ConnectionValueRejected, InvalidRequest
from ....api_client.resources.connection_values import OAuth2
from ....api_client.resources.connections import Connection
from ....api_client.resources.pieces import Piece, PieceAuth
from ....crypto.keyring import random_id
from ....errors import InvalidInput, NotFound, Unavailable
from ....integrations.connections.ownership import can_save_again, owner_user_id
from ....messages import Message
from ...api.connect import callback_url
from ...pages.errors import ErrorText, error_text
from ..area import words
from ..area.upstream import upstream_error_text
from ..area.visit import Forbidden, Visit, automation_page
from ..area.workspaces import select_workspace
from ..rows import project_url
from ..workspaces import workspace_with
from .forms import ConnectionForm, form_for, has_form, sign_in_form
from .markdown import render_markdown
from .pages import changeable_connection
from .saving import Entered, redirect_url, save, start

#: A screen of services; the search finds the others.
_MAX_PIECES = 48


@dataclass(frozen=True, kw_only=True)
class _Way:
    """A way to connect a service."""

    number: int
    label: str
    #: ``form``, ``sign_in`` (at the service), ``one_click``, ``owner`` (one click by its owner), or ``elsewhere``:
    #: only in Activepieces.
    kind: str


#: The same for an integration that does not exist, or no longer does.
_OF_OTHERS = ErrorText(
    status=404,
    title=Message("Not found"),
    message=Message("The connection of this link is in none of your workspaces."),
    remedy=Message("If you got the link at another account, sign in there. Otherwise, it may have been removed."),
)
_GONE = ErrorText(
    status=404,
    title=Message("This connection no longer exists"),
    message=Message("There is nothing to reconnect: someone has deleted it, or it is in another workspace."),
    remedy=Message("Flows that used it need another connection."),
)


@automation_page("connections", "edit")
def automation_choose_piece(visit: Visit) -> ResponseReturnValue:
    """The services to choose from."""
    search = request.args.get("search", "").strip()
    pieces = visit.state.tenants.pieces.list(visit.integration, search=search or None)
    own = visit.state.settings.piece_name
    # A piece without authentication needs no connection.
    offered = sorted(
        (piece for piece in pieces if piece.auths),
        key=lambda piece: (piece.name != own, piece.display_name.casefold()),
    )
    return visit.render(
        "connection_pieces.html",
        pieces=offered[:_MAX_PIECES],
        hidden_count=max(0, len(offered) - _MAX_PIECES),
        search=search,
    )


@automation_page("connections", "edit")
def automation_add_connection(visit: Visit) -> ResponseReturnValue:
    """The form for one service, and the creation of the connection."""
    name = request.args.get("piece")
    if not name:
        return visit.redirect("automation_choose_piece")
    piece = visit.state.tenants.pieces.get(visit.integration, name)
    return _form_page(visit, piece, None)


@automation_page("connections", None)
def automation_reconnect(visit: Visit, connection_id: str) -> ResponseReturnValue:
    """Give a connection another value, in the way that its piece needs; mails lead here.

    Following the link of a mail changes nothing but the workspace that is shown, so the link is not signed.
    """
    integration_id = request.args.get("integration")
    if integration_id and not visit.has_integration(integration_id):
        elsewhere = workspace_with(visit, integration_id)
        if elsewhere is None:
            return visit.error_page(_OF_OTHERS)
        again = visit.redirect("automation_reconnect", connection_id=connection_id)
        return select_workspace(visit.state, again, visit.principal, elsewhere)
    # Only here: it counts in the workspace of the connection.
    if not visit.allows("edit"):
        raise Forbidden
    try:
        connection = changeable_connection(visit, connection_id)
    except NotFound:
        return visit.error_page(_GONE)
    piece = visit.state.tenants.pieces.get(visit.integration, connection.piece_name)
    return _form_page(visit, piece, connection)


@automation_page("connections", "edit")
def automation_connect(visit: Visit) -> ResponseReturnValue:
    """Connect the signed-in user to the app's own piece with one click, which is their consent."""
    saved = visit.state.tenants.one_click.connect(visit.integration, visit.principal, issuer=visit.state.issuer())
    return visit.redirect("automation_connection", connection_id=saved.id, done="connection-saved")


def _form_page(visit: Visit, piece: Piece, connection: Connection | None) -> Response:
    ways = _ways(visit, piece, connection)
    way = next((each for each in ways if str(each.number) == request.args.get("way")), ways[0])
    form = _form_of(piece, way)
    render = partial(_render, visit, piece, connection, ways, way)
    if request.method == "GET" or form is None:
        return render()
    try:
        entered = Entered.read(form, connection)
        if way.kind == "sign_in":
            return start(visit, piece, connection, entered)
        saved = save(visit, piece, connection, form, entered)
    except InvalidInput as problem:
        return render(problem)
    except ConnectionValueRejected as rejected:
        # The piece's own words: it says what is wrong with a key or a password.
        message = Message("The service does not accept this: %(reason)s", reason=rejected.detail or "—")
        return render(InvalidInput({"value": message}))
    except InvalidRequest:
        message = Message("Activepieces does not accept this. Check what you entered.")
        return render(InvalidInput({"value": message}))
    except (ApiError, Unavailable) as error:
        # An error page would lose what was entered.
        return render(failure=error_text(error) or upstream_error_text(error, visit.found_integration))
    return visit.redirect("automation_connection", connection_id=saved.id, done="connection-saved")


def _ways(visit: Visit, piece: Piece, connection: Connection | None) -> Sequence[_Way]:
    ways = [
        _Way(number=number, label=auth.display_name or piece.display_name, kind=_kind(visit, piece, auth, connection))
        for number, auth in enumerate(piece.auths)
    ]
    if connection is not None:
        # The value of a connection keeps its kind, unless it never had one.
        same = [way for way in ways if piece.auths[way.number].type == connection.type]
        ways = same or ways
    return ways or [_Way(number=0, label=piece.display_name, kind="form")]


def _kind(visit: Visit, piece: Piece, auth: PieceAuth, connection: Connection | None) -> str:
    settings = visit.state.settings
    if connection is not None and not can_save_again(visit.integration, connection):
        return "elsewhere"
    if auth.type == OAuth2.type and piece.name == settings.piece_name:
        if connection is None or owner_user_id(connection) == visit.principal.user_id:
            return "one_click"
        return "owner" if owner_user_id(connection) else "elsewhere"
    if has_form(auth):
        return "form"
    may_sign_in = piece.name in settings.third_party_apps and not visit.integration.has_credentials
    return "sign_in" if auth.type == OAuth2.type and may_sign_in else "elsewhere"


def _auth_of(piece: Piece, way: _Way) -> PieceAuth | None:
    return piece.auths[way.number] if piece.auths else None


def _form_of(piece: Piece, way: _Way) -> ConnectionForm | None:
    """The form of a way that has one."""
    auth = _auth_of(piece, way)
    if way.kind == "sign_in" and auth is not None:
        return sign_in_form(auth)
    return form_for(auth) if way.kind == "form" else None


def _render(
    visit: Visit,
    piece: Piece,
    connection: Connection | None,
    ways: Sequence[_Way],
    way: _Way,
    problem: InvalidInput | None = None,
    *,
    failure: ErrorText | None = None,
) -> Response:
    auth, form = _auth_of(piece, way), _form_of(piece, way)
    if connection is None:
        address = url_for("activepieces.automation_add_connection", piece=piece.name)
    else:
        address = url_for("activepieces.automation_reconnect", connection_id=connection.id)
    response = visit.render(
        "connection_form.html",
        problem=problem,
        failure=failure,
        status=failure.status if failure else 200,
        piece_title=words.piece_title(visit.state, piece.name)
        if piece.name == visit.state.settings.piece_name
        else piece.display_name,
        piece_name=piece.name,
        connection=connection,
        ways=ways,
        way=way,
        form=form,
        instructions=auth.description if auth else "",
        markdown=_markdown(visit, way),
        name=request.form.get("name", piece.display_name),
        entered=_entered(form),
        external_id=request.form.get("external_id") or random_id(),
        address=address,
        # The button leads to another site.
        allow_external_form_target=way.kind == "sign_in",
        project_url=project_url(visit),
    )
    if failure and failure.retry_after is not None:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response


def _entered(form: ConnectionForm | None) -> Mapping[str, Sequence[str]]:
    """What the fields contain: at first, what the piece suggests."""
    if form is None:
        return {}
    return form.defaults() if request.method == "GET" else form.entered(request.form)


def _markdown(visit: Visit, way: _Way) -> Callable[[str], Markup]:
    """Shows a text of the piece, in which Activepieces fills in where people return after a sign-in."""
    address = callback_url(visit.state) if way.kind == "sign_in" else redirect_url(visit)
    return lambda text: render_markdown(text.replace("{{redirectUrl}}", address))
