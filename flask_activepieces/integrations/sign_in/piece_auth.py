"""How a piece signs in by OAuth2, and the authorization URL that follows from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from ...api_client.resources.connection_values import AuthorizationMethod, OAuth2
from ...config.urls import is_loopback
from ...crypto.keyring import to_base64url
from ...errors import InvalidInput

if TYPE_CHECKING:
    from ...api_client.resources.pieces import Piece, PieceAuth

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
#: One part of a host name, or of a path: nothing that could make another address of the URL that it stands in.
_LABEL = re.compile(r"[A-Za-z0-9_-]+")


def oauth2_of(piece: Piece) -> PieceAuth | None:
    """How the piece signs in by OAuth2; None if it does not."""
    return next((auth for auth in piece.auths if auth.type == OAuth2.type), None)


def method_of(auth: PieceAuth) -> AuthorizationMethod:
    """Where the client's secret goes, which Activepieces does not take from the piece by itself."""
    return "HEADER" if auth.authorization_method == "HEADER" else "BODY"


def challenge_of(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    return to_base64url(sha256(verifier.encode()).digest())


def check_props(auth: PieceAuth, props: Mapping[str, str]) -> None:
    """`InvalidInput` for a value that would lead elsewhere: the client's secret is sent to the token URL."""
    for name in _PLACEHOLDER.findall(f"{auth.auth_url} {auth.token_url}"):
        value = props.get(name, "")
        declared = auth.props.get(name)
        choices = declared.options.get("options", ()) if declared else ()
        offered = [choice.get("value") for choice in choices]
        if value and value not in offered and not _LABEL.fullmatch(value):
            raise InvalidInput({"props": f"{name} must be one of those offered, or one plain word"})


def filled(text: str, props: Mapping[str, str]) -> str:
    """The text with the values of the props in their places."""
    missing = {name for name in _PLACEHOLDER.findall(text) if not props.get(name)}
    if missing:
        raise InvalidInput({"props": f"this piece needs {', '.join(sorted(missing))}"})
    return _PLACEHOLDER.sub(lambda match: props[match[1]], text)


def authorization_url(
    auth: PieceAuth,
    *,
    client_id: str,
    redirect_url: str,
    scope: str,
    state: str,
    verifier: str | None,
    props: Mapping[str, str],
) -> str:
    """Where a user signs in, with the parameters that Activepieces itself would send."""
    url = filled(auth.auth_url or "", props)
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not (parts.scheme == "https" or is_local) or parts.fragment:
        raise InvalidInput({"pieceName": "this piece signs in at no https address"})
    prompt = auth.prompt or "consent"
    asked: dict[str, Any] = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_url,
        "scope": scope,
        # Else some third parties give no refresh token, and the connection dies within the hour.
        "access_type": "offline",
        **({} if prompt == "omit" else {"prompt": prompt}),
        **auth.extra,
        "state": state,
    }
    if verifier is not None:
        asked |= {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
    return f"{url}{'&' if parts.query else '?'}{urlencode(asked)}"
