"""Pieces: the integrations that flows are built from, and how their connections authenticate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import InvalidInput
from ..decoding import decode_list, decode_object
from ..errors import UnexpectedResponse
from ..wire import ApiCall, Timeout, api_path
from .resource import Resource

_EXACT_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


@dataclass(frozen=True, kw_only=True)
class PieceProperty:
    """A field of the form for a new connection."""

    name: str
    display_name: str = ""
    #: ``SHORT_TEXT``, ``SECRET_TEXT``, ``STATIC_DROPDOWN``, …
    type: str
    required: bool = False
    description: str = ""
    default_value: Any = field(default=None, repr=False)
    #: The options of a dropdown, as the piece declares them.
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PieceAuth:
    """A way to authenticate to the service of a piece."""

    #: ``OAUTH2``, ``SECRET_TEXT``, ``BASIC_AUTH``, ``CUSTOM_AUTH`` or ``OIDC``.
    type: str
    display_name: str = ""
    description: str = ""
    required: bool = True
    #: From here on, OAuth2 only. The URLs and scopes may contain ``{name}``, to be replaced from ``props``.
    auth_url: str | None = None
    token_url: str | None = None
    scope: tuple[str, ...] = ()
    pkce: bool = False
    #: ``S256`` or ``plain``.
    pkce_method: str | None = None
    #: ``BODY`` or ``HEADER``: how the OAuth client authenticates. Activepieces does not apply it automatically.
    authorization_method: str | None = None
    #: ``authorization_code``, ``client_credentials`` or ``both_client_credentials_and_authorization_code``.
    grant_type: str | None = None
    #: The ``prompt`` of the authorization URL instead of ``consent``; ``omit`` for none.
    prompt: str | None = None
    #: More parameters of the authorization URL.
    extra: Mapping[str, Any] = field(default_factory=dict)
    #: More fields, in the order of the form; for ``CUSTOM_AUTH`` and ``BASIC_AUTH``, all fields.
    properties: tuple[PieceProperty, ...] = ()

    @property
    def props(self) -> Mapping[str, PieceProperty]:
        """The properties by name."""
        return {each.name: each for each in self.properties}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece in one version."""

    name: str
    display_name: str
    version: str
    description: str = ""
    logo_url: str = ""
    #: ``OFFICIAL`` or ``CUSTOM``.
    piece_type: str | None = None
    #: The platform that installed it; None for an official piece.
    platform_id: str | None = None
    categories: tuple[str, ...] = ()
    #: In the order of the piece; empty if it needs no authentication.
    auths: tuple[PieceAuth, ...] = ()
    #: The names; empty in lists of pieces.
    actions: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()

    @property
    def auth(self) -> PieceAuth | None:
        """The way to authenticate, or the first of several."""
        return self.auths[0] if self.auths else None


class Pieces(Resource):
    """``client.pieces``"""

    def list(self, *, search: str | None = None) -> Sequence[Piece]:
        """The newest versions of the pieces of Activepieces and of the platform, without actions."""
        pieces = self._transport.send(ApiCall("pieces.list", "GET", "/pieces", query={"searchQuery": search}))
        if isinstance(pieces, list):
            pieces = [_normalize_piece(piece) for piece in pieces]
        return decode_list(Piece, pieces, "pieces.list")

    def get(self, name: str, *, version: str | None = None, project_id: str | None = None) -> Piece:
        """A piece by its full name (``@activepieces/piece-slack``), in this version or the newest."""
        query = {"version": version, "projectId": project_id}
        piece = self._transport.send(ApiCall("pieces.get", "GET", api_path("/pieces", name), query=query))
        return decode_object(Piece, _normalize_piece(piece), "pieces.get")

    def metadata(self, name: str, *, version: str | None = None) -> Mapping[str, Any]:
        """All that Activepieces stores of a piece, as JSON, including the forms of its actions and triggers."""
        call = ApiCall("pieces.metadata", "GET", api_path("/pieces", name), query={"version": version})
        document = self._transport.send(call)
        if not isinstance(document, Mapping):
            raise UnexpectedResponse(call.operation, detail="the piece is not a JSON object")
        return document

    def install(self, archive: bytes, *, name: str, version: str, timeout: Timeout | None = None) -> None:
        """Install a piece on the platform from its npm archive (``.tgz``); `Conflict` if this version exists.

        A worker unpacks it and installs its dependencies. That takes seconds, and without a worker 300 seconds.
        Activepieces cannot remove a piece again.
        """
        if not _EXACT_VERSION.fullmatch(version):
            raise InvalidInput({"version": "must be three numbers: 1.2.3"})
        body = {"packageType": "ARCHIVE", "scope": "PLATFORM", "pieceName": name, "pieceVersion": version}
        files = {"pieceArchive": ("piece.tgz", archive, "application/gzip")}
        self._transport.send(ApiCall("pieces.install", "POST", "/pieces", body=body, files=files, timeout=timeout))


def _normalize_piece(piece: object) -> object:
    """``auth`` can be one object, a list or absent; lists of pieces have numbers of actions instead of actions."""
    if not isinstance(piece, dict):
        return piece
    auth = piece.get("auth")
    auths = auth if isinstance(auth, list) else [auth] if auth else []
    return {
        **piece,
        "auths": [_normalize_auth(each) for each in auths],
        "actions": _names(piece.get("actions")),
        "triggers": _names(piece.get("triggers")),
    }


def _normalize_auth(auth: object) -> object:
    if not isinstance(auth, dict):
        return auth
    props = auth.get("props")
    if auth.get("type") == "BASIC_AUTH":
        # Its two fields are members of their own, without a type; a piece may leave them out.
        props = {name: {"type": kind, "required": True, **_object(auth.get(name))} for name, kind in _BASIC_FIELDS}
    pairs = props.items() if isinstance(props, dict) else ()
    named = [{"name": name, **prop} if isinstance(prop, dict) else prop for name, prop in pairs]
    return {**auth, "properties": named}


_BASIC_FIELDS = (("username", "SHORT_TEXT"), ("password", "SECRET_TEXT"))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(by_name: object) -> Sequence[str]:
    return list(by_name) if isinstance(by_name, dict) else []
