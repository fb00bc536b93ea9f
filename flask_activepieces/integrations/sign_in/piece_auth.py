"""How a piece authenticates with OAuth2, and the authorization URL for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636.challenge import create_s256_code_challenge

from ...api_client.resources.connection_values import AuthorizationMethod, OAuth2
from ...api_client.resources.pieces import Piece, PieceAuth
from ...config.urls import is_loopback
from ...errors import InvalidInput

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
#: A part of a host name or path, which cannot lead to another address.
_LABEL = re.compile(r"[A-Za-z0-9_-]+")


def oauth2_auth(piece: Piece) -> PieceAuth | None:
    """How the piece authenticates with OAuth2; None if it does not."""
    return next((auth for auth in piece.auths if auth.type == OAuth2.type), None)


def authorization_method(auth: PieceAuth) -> AuthorizationMethod:
    """Where the client's secret is sent. Activepieces does not read it from the piece."""
    return "HEADER" if auth.authorization_method == "HEADER" else "BODY"


def s256_challenge(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    return str(create_s256_code_challenge(verifier))  # type: ignore[no-untyped-call]


def check_props(auth: PieceAuth, props: Mapping[str, str]) -> None:
    """`InvalidInput` for a value that would change the address to which the client's secret is sent."""
    for name in placeholders_in(f"{auth.auth_url} {auth.token_url}"):
        value = props.get(name, "")
        declared = auth.props.get(name)
        options = declared.options.get("options", ()) if declared else ()
        allowed = [option.get("value") for option in options]
        if value and value not in allowed and not _LABEL.fullmatch(value):
            raise InvalidInput(
                {"props": f"{name} must be one of the options, or contain only letters, digits, _ and -."}
            )


def placeholders_in(template: str) -> set[str]:
    """The names of the props that the template needs."""
    return set(_PLACEHOLDER.findall(template))


def fill_placeholders(template: str, props: Mapping[str, str]) -> str:
    """The template with the values of the props."""
    missing = {name for name in placeholders_in(template) if not props.get(name)}
    if missing:
        raise InvalidInput({"props": f"Missing: {', '.join(sorted(missing))}."})
    return _PLACEHOLDER.sub(lambda match: props[match[1]], template)


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
    """Where a user authorizes, with the parameters that Activepieces itself would send."""
    url = fill_placeholders(auth.auth_url or "", props)
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not (parts.scheme == "https" or is_local) or parts.fragment:
        raise InvalidInput({"pieceName": "The piece's authorization URL must use https."})
    prompt = auth.prompt or "consent"
    parameters: dict[str, Any] = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_url,
        "scope": scope,
        # Otherwise some third parties issue no refresh token, and the connection stops working within the hour.
        "access_type": "offline",
        **({} if prompt == "omit" else {"prompt": prompt}),
        **auth.extra,
        "state": state,
    }
    if verifier is not None:
        parameters |= {"code_challenge": s256_challenge(verifier), "code_challenge_method": "S256"}
    return f"{url}{'&' if parts.query else '?'}{urlencode(parameters)}"
