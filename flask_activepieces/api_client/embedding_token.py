"""Signed tokens that sign a user of the host app in to Activepieces: in the embedded builder, or for API calls.

Activepieces trusts whatever is signed with the platform's signing key. Seen on a 0.85.2 server: it accepts a token
without a user id or a project id, and may open another user's session. So both ids and both names are required here,
and a token expires after minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from ..crypto.signing_key import load_signing_key
from ..errors import InvalidInput
from .decoding import json_name

#: Seconds. The server would accept ten years.
MAX_LIFETIME = 3600

#: What a token must name, with the remedy if it does not.
_REQUIRED = {
    "external_user_id": "is required: pass the app's id of the user, a string that is not empty",
    "external_project_id": "is required: pass the app's id of the project, a string that is not empty",
    "first_name": "is required: pass a name, which may be the name of the account",
    "last_name": "is required: pass a name, which may be the name of the workspace",
}
_ALGORITHM = "RS256"


@dataclass(frozen=True, kw_only=True)
class EmbeddedUser:
    """A user of the host app in an Activepieces project; the first sign-in creates both."""

    external_user_id: str
    external_project_id: str
    first_name: str
    last_name: str
    #: ``Admin``, ``Editor``, ``Operator``, ``Viewer`` or a role of the platform; None: the server's default.
    role: str | None = None
    #: The key of a piece set. From 0.86.3 on, every sign-in assigns it to the project; None assigns the platform's
    #: default set. Older servers show all pieces.
    piece_set: str | None = None
    #: For older servers, instead of a piece set: the project shows only pieces with one of these tags; None: all.
    piece_tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        problems = {
            name: remedy for name, remedy in _REQUIRED.items() if not _is_nonempty_string(getattr(self, name))
        }
        # Activepieces looks up an empty role, and answers 401.
        if self.role is not None and not _is_nonempty_string(self.role):
            problems["role"] = "must be a non-empty name or None"
        if self.piece_set is not None and not _is_nonempty_string(self.piece_set):
            problems["piece_set"] = "must be the key of a piece set or None"
        elif self.piece_set is not None and self.piece_tags is not None:
            problems["piece_set"] = "cannot be combined with piece_tags"
        if problems:
            raise InvalidInput(problems)


def sign_embedding_token(
    signing_key_pem: str, key_id: str, user: EmbeddedUser, *, now: float, lifetime: int = 300
) -> str:
    """The JWT with which this user signs in: for `client.embedding.exchange` or the embedding SDK.

    Activepieces showed ``key_id`` and the key when the signing key was created. The token can be used repeatedly
    until it expires, so send it only to this user's browser.
    """
    if not 1 <= lifetime <= MAX_LIFETIME:
        raise ValueError(f"lifetime must be 1 to {MAX_LIFETIME} seconds")
    if not _is_nonempty_string(key_id):
        raise InvalidInput({"key_id": "is required"})
    issued_at = int(now)
    claims: dict[str, Any] = {**_claims(user), "iat": issued_at, "exp": issued_at + lifetime}
    header = {"alg": _ALGORITHM, "typ": "JWT", "kid": key_id}
    return jwt.encode(header, claims, _private_key(signing_key_pem), algorithms=[_ALGORITHM])


def _claims(user: EmbeddedUser) -> dict[str, Any]:
    claims: dict[str, Any] = {json_name(name): getattr(user, name) for name in _REQUIRED}
    if user.role is not None:
        claims["role"] = user.role
    if user.piece_tags is not None:
        # Only v3 has tags. Newer servers still accept it.
        tags = list(user.piece_tags)
        return claims | {"version": "v3", "piecesFilterType": "ALLOWED", "piecesTags": tags}
    # Older servers ignore the version.
    claims["version"] = "v4"
    if user.piece_set is not None:
        claims["pieceSet"] = user.piece_set
    return claims


def _is_nonempty_string(value: object) -> bool:
    """Activepieces would turn a number into a different id."""
    return isinstance(value, str) and bool(value.strip())


def _private_key(pem: str) -> RSAKey:
    try:
        key: RSAKey = RSAKey.import_key(load_signing_key(pem))
    except ValueError as error:
        raise InvalidInput({"signing_key": str(error)}) from None
    return key
