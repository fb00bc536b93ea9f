"""Signing a user of the host app in to Activepieces, for the embedded builder or for calls in their name.

Activepieces believes whatever is signed with the platform's signing key: seen on a 0.85.2 server, a token with
no user id or no project id is not refused and opens a session that may be somebody else's. So nothing is signed
here unless both ids and both names are there, and what is signed lives for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import RSAKey

from ..errors import InvalidInput

#: The server would take ten years; a token that is on its way to a browser needs minutes.
LONGEST_LIFETIME = 3600

_ALGORITHM = "RS256"
_SMALLEST_KEY = 2048


@dataclass(frozen=True, kw_only=True)
class EmbeddedUser:
    """One user of the host app in one Activepieces project; both are made there at the first sign-in."""

    external_user_id: str
    external_project_id: str
    first_name: str
    last_name: str
    #: ``Admin``, ``Editor``, ``Operator``, ``Viewer`` or a role of the platform's own; None leaves it to the server.
    role: str | None = None
    #: The key of the piece set that the project gets, on servers from 0.86.3 on; older ones show all pieces, and so
    #: may a server that has no such set. None: the platform's default set.
    piece_set: str | None = None
    #: In its place, for older servers: only pieces with one of these tags are shown; None shows all.
    piece_tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        required = ("external_user_id", "external_project_id", "first_name", "last_name")
        problems = {name: "is required" for name in required if not _is_said(getattr(self, name))}
        # An empty role is looked up as one, and answered with 401.
        if self.role is not None and not _is_said(self.role):
            problems["role"] = "is a name, or None"
        if self.piece_set is not None and not _is_said(self.piece_set):
            problems["piece_set"] = "is the key of a piece set, or None"
        elif self.piece_set is not None and self.piece_tags is not None:
            problems["piece_set"] = "give a piece set or tags, not both"
        if problems:
            raise InvalidInput(problems)


def sign_embedding_token(
    signing_key_pem: str,
    key_id: str,
    user: EmbeddedUser,
    *,
    now: float,
    lifetime: int = 300,
) -> str:
    """The JWT that signs this user in, for `ActivepiecesClient.embedding` or the embedding SDK.

    ``key_id`` and the key are what Activepieces showed when the signing key was made. The token can be used any
    number of times until it expires, so it goes to that user's browser and nowhere else.
    """
    if not 1 <= lifetime <= LONGEST_LIFETIME:
        raise ValueError(f"lifetime is 1 to {LONGEST_LIFETIME} seconds")
    if not _is_said(key_id):
        raise InvalidInput({"key_id": "is required"})
    issued_at = int(now)
    claims: dict[str, Any] = {
        **_claims(user),
        "iat": issued_at,
        "exp": issued_at + lifetime,
    }
    header = {"alg": _ALGORITHM, "typ": "JWT", "kid": key_id}
    return jwt.encode(header, claims, _private_key(signing_key_pem), algorithms=[_ALGORITHM])


def _claims(user: EmbeddedUser) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "externalUserId": user.external_user_id,
        "externalProjectId": user.external_project_id,
        "firstName": user.first_name,
        "lastName": user.last_name,
    }
    if user.role is not None:
        claims["role"] = user.role
    if user.piece_tags is not None:
        # Only this version has tags. Newer servers still take it.
        tags = list(user.piece_tags)
        return claims | {"version": "v3", "piecesFilterType": "ALLOWED", "piecesTags": tags}
    # A server that does not know this version reads the rest as it does that of any other.
    claims["version"] = "v4"
    if user.piece_set is not None:
        claims["pieceSet"] = user.piece_set
    return claims


def _is_said(value: object) -> bool:
    """Whether it is text with something in it: a number would come back as another id."""
    return isinstance(value, str) and bool(value.strip())


# Reading a 4096-bit key costs far more than signing with it, and an app has one.
@lru_cache(maxsize=4)
def _private_key(pem: str) -> RSAKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # No "from": the message below is all that may reach a log.
        raise InvalidInput({"signing_key": "is no private key in PEM form"}) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _SMALLEST_KEY:
        raise InvalidInput({"signing_key": f"is no RSA key of {_SMALLEST_KEY} bits or more"})
    material: RSAKey = RSAKey.import_key(key)
    return material
