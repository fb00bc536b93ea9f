"""The stand-in's only page: what is on it, and a button for each piece that signs in by OAuth 2.

It plays the part of Activepieces' own pages: sends the browser to the piece's authorization page, takes the code that
comes back to ``/redirect``, and makes the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Response, redirect, render_template, request

from .connections.authorization import authorization_url
from .connections.oauth_client import TokenRequest
from .connections.rows import KIND, belongs_to, put
from .connections.values import auths_of, settled
from .flows.rows import latest_version
from .pieces.catalogue import find_piece
from .routing.responses import Json, Refusal, Row
from .routing.route_groups import PUBLIC, Area, Call
from .state import World
from .store import new_id

area = Area("home", at_root=True)

#: Fields of a token request that are no secret; of all others only the name is shown.
_PLAIN = ("grant_type", "redirect_uri", "client_id", "scope")
_MOST_REQUESTS = 20
#: As much of an error as the page shows.
_MOST_WORDS = 300
_WAITING = "waiting_sign_in"


@dataclass(frozen=True)
class ShownProject:
    """A project with what is in it."""

    id: str
    name: str
    connections: list[Row]
    flows: list[tuple[str, str]]


@dataclass(frozen=True)
class ShownPiece:
    """A piece that signs in by OAuth 2, and what its connection has to be told."""

    name: str
    display_name: str
    scopes: list[str]
    props: dict[str, str]
    has_platform_app: bool


@area.route("GET", "/", who=PUBLIC)
def home(call: Call) -> Response:
    """Projects, connections without their values, flows, token requests; and the buttons."""
    world = call.world
    projects = _projects(world)
    # Where something is connected already, the next thing will be, too.
    in_use = [project for project in projects if project.connections]
    return _page(
        "index.html",
        world=world,
        projects=projects,
        chosen=next(iter(in_use or projects[-1:]), None),
        pieces=_pieces(world),
        token_requests=[
            (asked, _masked(asked)) for asked in reversed(world.token_requests[-_MOST_REQUESTS:])
        ],
        made=request.args.get("made"),
        refused=request.args.get("refused"),
    )


@area.route("POST", "/connect", who=PUBLIC)
def connect(call: Call) -> Response:
    """Send the browser to the authorization page of a piece."""
    world, form = call.world, request.form
    piece = find_piece(world, form.get("piece", ""))
    project = world.store.get("project", form.get("project"))
    auth = _oauth_of(piece) if piece else None
    if piece is None or project is None or auth is None:
        return _to_home(refused="There is no such piece or project.")
    given = {
        name.removeprefix("prop."): value
        for name, value in form.items()
        if name.startswith("prop.") and value
    }
    draft = {
        "state": new_id(),
        "pieceName": piece["name"],
        "projectId": project["id"],
        "externalId": form.get("external_id") or piece["name"].rpartition("/")[2],
        "props": given,
        **_credentials(world, piece, form.get("client_id", ""), form.get("client_secret", "")),
    }
    url, verifier = authorization_url(
        auth,
        client_id=draft["client_id"],
        redirect_url=_redirect_url(world),
        scopes=list(auth.get("scope") or []),
        props=given,
        state=draft["state"],
    )
    sealed = world.store.sign_json(draft | {"verifier": verifier})
    world.store.add(_WAITING, {"state": draft["state"], "sealed": sealed})
    return _as_response(redirect(url, 303))


@area.route("GET", "/redirect", who=PUBLIC)
def come_back(call: Call) -> Response:
    """The browser is back: make the connection of the code that it brings."""
    world = call.world
    waiting = world.store.first(_WAITING, state=request.args.get("state", ""))
    if waiting is None:
        return _page("no_pending_connection.html", refused=_error_of_redirect())
    world.store.drop(_WAITING, waiting["id"])
    code = request.args.get("code")
    if not code:
        return _to_home(refused=_error_of_redirect() or "There is no code in the address.")
    try:
        row = _made(world, world.store.verify_json(waiting["sealed"]), code)
    except Refusal as refusal:
        return _to_home(refused=_told(refusal))
    return _to_home(made=row["displayName"])


def _error_of_redirect() -> str | None:
    """What the app says in place of a code (RFC 6749, section 4.1.2.1). A real server's page does not show it."""
    said = [request.args.get(name) for name in ("error", "error_description")]
    return ": ".join(part[:_MOST_WORDS] for part in said if part) or None


def _made(world: World, draft: Row, code: str) -> Row:
    piece = find_piece(world, draft["pieceName"])
    project = world.store.get("project", draft["projectId"])
    assert piece is not None and project is not None, "they were there when the browser left"
    value: Row = {
        "type": draft["type"],
        "client_id": draft["client_id"],
        "code": code,
        "redirect_url": _redirect_url(world),
        "scope": " ".join((_oauth_of(piece) or {}).get("scope") or []),
    }
    if draft["type"] == "OAUTH2":
        value["client_secret"] = draft["client_secret"]
    if draft["verifier"]:
        value["code_challenge"] = draft["verifier"]
    if draft["props"]:
        value["props"] = draft["props"]
    body = {"pieceName": piece["name"], "value": value}
    stored = settled(world, piece, body, project["platformId"])
    return put(
        world,
        {
            "platformId": project["platformId"],
            "scope": "PROJECT",
            "externalId": draft["externalId"],
        },
        {
            "displayName": piece["displayName"],
            "pieceName": piece["name"],
            "pieceVersion": piece["version"],
            "ownerId": project["ownerId"],
            "type": value["type"],
            "status": "ACTIVE",
            "sealed": world.store.sign_json(stored),
        },
        project_ids=[project["id"]],
    )


def _credentials(world: World, piece: Row, client_id: str, client_secret: str) -> Row:
    """The OAuth client that the person entered, or else the one that the platform has for this piece."""
    app = _platform_app(world, piece)
    if client_id or app is None:
        return {"type": "OAUTH2", "client_id": client_id, "client_secret": client_secret}
    return {"type": "PLATFORM_OAUTH2", "client_id": app["clientId"]}


def _platform_app(world: World, piece: Row) -> Row | None:
    return world.store.first("oauth_app", pieceName=piece["name"])


def _projects(world: World) -> list[ShownProject]:
    return [
        ShownProject(
            project["id"],
            project["displayName"],
            world.store.all(KIND, belongs_to(project["id"])),
            [
                (latest_version(world, flow)["displayName"], flow["status"])
                for flow in world.store.all("flow", projectId=project["id"])
            ],
        )
        for project in world.store.all("project")
    ]


def _pieces(world: World) -> list[ShownPiece]:
    newest = {row["name"]: row for row in world.store.all("piece")}
    found = [(row, _oauth_of(row)) for row in newest.values()]
    return [
        ShownPiece(
            row["name"],
            row["displayName"],
            list(auth.get("scope") or []),
            {
                name: prop.get("displayName") or name
                for name, prop in (auth.get("props") or {}).items()
            },
            _platform_app(world, row) is not None,
        )
        for row, auth in found
        if auth is not None
    ]


def _oauth_of(piece: Row) -> Row | None:
    return next((auth for auth in auths_of(piece) if auth["type"] == "OAUTH2"), None)


def _masked(asked: TokenRequest) -> list[tuple[str, str]]:
    return [(name, value if name in _PLAIN else "••••") for name, value in parse_qsl(asked.body)]


def _told(refusal: Refusal) -> str:
    """An error as a person may read it."""
    params: Json = refusal.body.get("params") or {}
    words = params.get("message") or params.get("error") or refusal.body.get("message")
    return str(words or refusal.body.get("code") or "It did not work.")


def _redirect_url(world: World) -> str:
    return f"{world.url}/redirect"


def _to_home(**told: str) -> Response:
    return _as_response(redirect(f"/?{urlencode(told)}", 303))


def _as_response(answer: Any) -> Response:
    assert isinstance(answer, Response)
    return answer


def _page(template: str, **values: object) -> Response:
    page = Response(render_template(template, **values), content_type="text/html; charset=utf-8")
    # Nothing but the style sheet in the page itself; nobody frames it.
    page.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    )
    return page
