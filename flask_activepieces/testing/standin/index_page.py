"""The stand-in's only page: an overview, and a form for each piece that uses OAuth 2.

It replaces Activepieces' own pages: it sends the browser to the piece's authorization page, receives the code at
``/redirect``, and creates the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Response, redirect, render_template, request

from .connections.authorization import authorization_url
from .connections.oauth_client import TokenRequest
from .connections.rows import KIND, in_project, upsert_row
from .connections.values import auths_of, prepare_value
from .flows.rows import latest_version
from .pieces.catalogue import find_piece
from .routing.responses import ErrorResponse, Json, Row
from .routing.route_groups import PUBLIC, RouteCall, RouteGroup
from .state import ServerState
from .store import new_id

group = RouteGroup("home", at_root=True)

#: Non-secret fields of a token request; of all others only the name is shown.
_PUBLIC_FIELDS = ("grant_type", "redirect_uri", "client_id", "scope")
_MAX_REQUESTS = 20
#: The maximum length of an error message on the page.
_MAX_MESSAGE_LENGTH = 300
_PENDING = "waiting_sign_in"


@dataclass(frozen=True)
class ShownProject:
    """A project with its connections and flows."""

    id: str
    name: str
    connections: list[Row]
    flows: list[tuple[str, str]]


@dataclass(frozen=True)
class ShownPiece:
    """A piece that uses OAuth 2, and the props that its connection needs."""

    name: str
    display_name: str
    scopes: list[str]
    props: dict[str, str]
    has_platform_app: bool


@group.route("GET", "/", who=PUBLIC)
def index(call: RouteCall) -> Response:
    """Projects, connections without their values, flows, token requests, and the forms to connect pieces."""
    state = call.state
    projects = _projects(state)
    # Preselect a project that already has connections.
    in_use = [project for project in projects if project.connections]
    return _page(
        "index.html",
        state=state,
        projects=projects,
        selected_project=next(iter(in_use or projects[-1:]), None),
        pieces=_pieces(state),
        token_requests=[
            (token_request, _masked_fields(token_request))
            for token_request in reversed(state.token_requests[-_MAX_REQUESTS:])
        ],
        connected=request.args.get("connected"),
        error=request.args.get("error"),
    )


@group.route("POST", "/connect", who=PUBLIC)
def connect(call: RouteCall) -> Response:
    """Send the browser to the authorization page of a piece."""
    state, form = call.state, request.form
    piece = find_piece(state, form.get("piece", ""))
    project = state.store.get("project", form.get("project"))
    auth = _oauth_of(piece) if piece else None
    if piece is None or project is None or auth is None:
        return _redirect_to_index(error="There is no such piece or project.")
    props = {name.removeprefix("prop."): value for name, value in form.items() if name.startswith("prop.") and value}
    draft = {
        "state": new_id(),
        "pieceName": piece["name"],
        "projectId": project["id"],
        "externalId": form.get("external_id") or piece["name"].rpartition("/")[2],
        "props": props,
        **_credentials(state, piece, form.get("client_id", ""), form.get("client_secret", "")),
    }
    url, verifier = authorization_url(
        auth,
        client_id=draft["client_id"],
        redirect_url=_redirect_url(state),
        scopes=list(auth.get("scope") or []),
        props=props,
        state=draft["state"],
    )
    sealed = state.store.encrypt(draft | {"verifier": verifier})
    state.store.add(_PENDING, {"state": draft["state"], "sealed": sealed})
    return _as_response(redirect(url, 303))


@group.route("GET", "/redirect", who=PUBLIC)
def finish_connection(call: RouteCall) -> Response:
    """Create the connection with the code that the browser brings."""
    state = call.state
    pending = state.store.first(_PENDING, state=request.args.get("state", ""))
    if pending is None:
        return _page("no_pending_connection.html", error=_redirect_error())
    state.store.drop(_PENDING, pending["id"])
    code = request.args.get("code")
    if not code:
        return _redirect_to_index(error=_redirect_error() or "There is no code in the address.")
    try:
        row = _create_connection(state, state.store.decrypt(pending["sealed"]), code)
    except ErrorResponse as error_response:
        return _redirect_to_index(error=_error_message(error_response))
    return _redirect_to_index(connected=row["displayName"])


def _redirect_error() -> str | None:
    """The error in the redirect (RFC 6749, section 4.1.2.1), which a real server's page does not show."""
    values = [request.args.get(name) for name in ("error", "error_description")]
    return ": ".join(part[:_MAX_MESSAGE_LENGTH] for part in values if part) or None


def _create_connection(state: ServerState, draft: Row, code: str) -> Row:
    piece = find_piece(state, draft["pieceName"])
    project = state.store.get("project", draft["projectId"])
    assert piece is not None and project is not None, "they were there when the browser left"
    value: Row = {
        "type": draft["type"],
        "client_id": draft["client_id"],
        "code": code,
        "redirect_url": _redirect_url(state),
        "scope": " ".join((_oauth_of(piece) or {}).get("scope") or []),
    }
    if draft["type"] == "OAUTH2":
        value["client_secret"] = draft["client_secret"]
    if draft["verifier"]:
        value["code_challenge"] = draft["verifier"]
    if draft["props"]:
        value["props"] = draft["props"]
    body = {"pieceName": piece["name"], "value": value}
    stored = prepare_value(state, piece, body, project["platformId"])
    return upsert_row(
        state,
        {"platformId": project["platformId"], "scope": "PROJECT", "externalId": draft["externalId"]},
        {
            "displayName": piece["displayName"],
            "pieceName": piece["name"],
            "pieceVersion": piece["version"],
            "ownerId": project["ownerId"],
            "type": value["type"],
            "status": "ACTIVE",
            "sealed": state.store.encrypt(stored),
        },
        project_ids=[project["id"]],
    )


def _credentials(state: ServerState, piece: Row, client_id: str, client_secret: str) -> Row:
    """The OAuth client that the user entered; otherwise the platform's for this piece."""
    app = _platform_app(state, piece)
    if client_id or app is None:
        return {"type": "OAUTH2", "client_id": client_id, "client_secret": client_secret}
    return {"type": "PLATFORM_OAUTH2", "client_id": app["clientId"]}


def _platform_app(state: ServerState, piece: Row) -> Row | None:
    return state.store.first("oauth_app", pieceName=piece["name"])


def _projects(state: ServerState) -> list[ShownProject]:
    return [
        ShownProject(
            project["id"],
            project["displayName"],
            state.store.all(KIND, in_project(project["id"])),
            [
                (latest_version(state, flow)["displayName"], flow["status"])
                for flow in state.store.all("flow", projectId=project["id"])
            ],
        )
        for project in state.store.all("project")
    ]


def _pieces(state: ServerState) -> list[ShownPiece]:
    newest = {row["name"]: row for row in state.store.all("piece")}
    found = [(row, _oauth_of(row)) for row in newest.values()]
    return [
        ShownPiece(
            row["name"],
            row["displayName"],
            list(auth.get("scope") or []),
            {name: prop.get("displayName") or name for name, prop in (auth.get("props") or {}).items()},
            _platform_app(state, row) is not None,
        )
        for row, auth in found
        if auth is not None
    ]


def _oauth_of(piece: Row) -> Row | None:
    return next((auth for auth in auths_of(piece) if auth["type"] == "OAUTH2"), None)


def _masked_fields(token_request: TokenRequest) -> list[tuple[str, str]]:
    return [(name, value if name in _PUBLIC_FIELDS else "••••") for name, value in parse_qsl(token_request.body)]


def _error_message(error_response: ErrorResponse) -> str:
    """The message of an error, for the page."""
    params: Json = error_response.body.get("params") or {}
    message = params.get("message") or params.get("error") or error_response.body.get("message")
    return str(message or error_response.body.get("code") or "It did not work.")


def _redirect_url(state: ServerState) -> str:
    return f"{state.url}/redirect"


def _redirect_to_index(**query: str) -> Response:
    return _as_response(redirect(f"/?{urlencode(query)}", 303))


def _as_response(response: Any) -> Response:
    assert isinstance(response, Response)
    return response


def _page(template: str, **values: object) -> Response:
    page = Response(render_template(template, **values), content_type="text/html; charset=utf-8")
    # Only the page's own style sheet, and no framing.
    page.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    )
    return page
