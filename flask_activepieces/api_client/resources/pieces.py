"""Pieces: what flows are made of, and how a connection to each signs in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import InvalidInput
from ..connection_pool import Timeout
from ..wire import segment
from .resource import Resource, shape

_EXACT_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


@dataclass(frozen=True, kw_only=True)
class PieceProperty:
    """One field of the form by which a connection is made."""

    name: str
    display_name: str = ""
    #: ``SHORT_TEXT``, ``SECRET_TEXT``, ``STATIC_DROPDOWN``, …
    type: str
    required: bool = False
    description: str = ""
    default_value: Any = field(default=None, repr=False)
    #: What a dropdown offers, as the piece says it.
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PieceAuth:
    """One way to sign in to what the piece talks to."""

    #: ``OAUTH2``, ``SECRET_TEXT``, ``BASIC_AUTH``, ``CUSTOM_AUTH`` or ``OIDC``.
    type: str
    display_name: str = ""
    description: str = ""
    required: bool = True
    #: OAuth2 only, from here on. The URLs and scopes may contain ``{name}``, to be filled in from ``props``.
    auth_url: str | None = None
    token_url: str | None = None
    scope: tuple[str, ...] = ()
    pkce: bool = False
    #: ``S256`` or ``plain``.
    pkce_method: str | None = None
    #: ``BODY`` or ``HEADER``: how the piece wants its client to sign in. Activepieces does not apply it by itself.
    authorization_method: str | None = None
    #: ``authorization_code``, ``client_credentials`` or ``both_client_credentials_and_authorization_code``.
    grant_type: str | None = None
    #: What the authorization URL says as ``prompt`` instead of ``consent``; ``omit`` for nothing.
    prompt: str | None = None
    #: More parameters of the authorization URL.
    extra: Mapping[str, Any] = field(default_factory=dict)
    #: What else is asked for, in the order of the form; for ``CUSTOM_AUTH`` it is all.
    properties: tuple[PieceProperty, ...] = ()

    @property
    def props(self) -> Mapping[str, PieceProperty]:
        """The properties by name."""
        return {each.name: each for each in self.properties}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One piece in one version."""

    name: str
    display_name: str
    version: str
    description: str = ""
    logo_url: str = ""
    #: ``OFFICIAL`` or ``CUSTOM``.
    piece_type: str | None = None
    #: The platform that installed it; None for a piece of Activepieces.
    platform_id: str | None = None
    categories: tuple[str, ...] = ()
    #: In the order of the piece; empty for one that needs none.
    auths: tuple[PieceAuth, ...] = ()
    #: By name; a list of pieces does not have them.
    actions: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()

    @property
    def auth(self) -> PieceAuth | None:
        """The way to sign in, or the first of several."""
        return self.auths[0] if self.auths else None


class Pieces(Resource):
    """``client.pieces``"""

    def list(self, *, search: str | None = None) -> Sequence[Piece]:
        """The pieces of Activepieces and those of the platform, in their newest versions, without actions."""
        answer = self._transport.call(
            "pieces.list", "GET", "/pieces", query={"searchQuery": search}
        )
        if isinstance(answer, list):
            answer = [_plain(piece) for piece in answer]
        return shape(Piece).many(answer, "pieces.list")

    def get(self, name: str, *, version: str | None = None, project_id: str | None = None) -> Piece:
        """One piece by its whole name (``@activepieces/piece-slack``), in its newest version or in this one."""
        answer = self._transport.call(
            "pieces.get",
            "GET",
            f"/pieces/{segment(name)}",
            query={"version": version, "projectId": project_id},
        )
        return shape(Piece).one(_plain(answer), "pieces.get")

    def install(
        self, archive: bytes, *, name: str, version: str, timeout: Timeout | None = None
    ) -> None:
        """Install a piece on the platform from its npm archive (``.tgz``); `Conflict` for a version that is there.

        A worker unpacks it and installs what it depends on, so it takes seconds; and 300 if there is no worker.
        Activepieces cannot remove a piece again.
        """
        if not _EXACT_VERSION.fullmatch(version):
            raise InvalidInput({"version": "must be three numbers: 1.2.3"})
        self._transport.call(
            "pieces.install",
            "POST",
            "/pieces",
            body={
                "packageType": "ARCHIVE",
                "scope": "PLATFORM",
                "pieceName": name,
                "pieceVersion": version,
            },
            files={"pieceArchive": ("piece.tgz", archive, "application/gzip")},
            timeout=timeout,
        )


def _plain(piece: object) -> object:
    """The JSON of a piece, with one form for what has several: ``auth``, and actions, which lists only count."""
    if not isinstance(piece, dict):
        return piece
    auth = piece.get("auth")
    auths = auth if isinstance(auth, list) else [auth] if auth else []
    return {
        **piece,
        "auths": [_plain_auth(each) for each in auths],
        "actions": _names(piece.get("actions")),
        "triggers": _names(piece.get("triggers")),
    }


def _plain_auth(auth: object) -> object:
    if not isinstance(auth, dict):
        return auth
    props = auth.get("props")
    pairs = props.items() if isinstance(props, dict) else ()
    named = [{"name": name, **prop} if isinstance(prop, dict) else prop for name, prop in pairs]
    return {**auth, "properties": named}


def _names(things: object) -> Sequence[str]:
    return list(things) if isinstance(things, dict) else []
