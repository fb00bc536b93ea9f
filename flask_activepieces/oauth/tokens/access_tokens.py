"""Access tokens: JWTs by the profile of RFC 9068."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...config.urls import same_issuer
from ...crypto.jwt_keys import JwtKeys
from ...crypto.keyring import to_base64url
from ...errors import SignatureError, SignatureExpired
from .. import scopes
from ..clients.client import stored_client_id
from ..documents.client_urls import looks_like_client_url
from ..resources import Resource

_MAX_LENGTH = 8192


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """The claims of a token that has been verified, or what a personal access token says in their place."""

    jti: str
    issuer: str
    #: The resource that the token is for.
    audience: str
    user_id: str | None
    tenant_id: str | None
    organization_id: str | None
    #: The id in our tables. Empty for a personal access token, which no client has.
    client_id: str
    #: None for a personal access token, and for one that a client got with its own credentials.
    grant_id: str | None
    family_id: str | None
    scope: str
    issued_at: int
    #: None for a personal access token that does not expire.
    expires_at: int | None
    personal_token_id: str | None = None
    #: How the client names itself, if that is a URL: then it is the claim ``client_id``.
    client_url: str | None = None

    @cached_property
    def scopes(self) -> frozenset[str]:
        """The scopes as a set."""
        return frozenset(scopes.split(self.scope))

    @property
    def subject(self) -> str:
        """RFC 9068 §2.2: the user; without one, the client itself."""
        return self.user_id if self.user_id is not None else self.client_id


class WrongAudience(SignatureError):
    """Raised for a token of this app that is for another resource."""


def deterministic_id(*parts: str | int) -> str:
    """The same id for the same parts, so that a repeated refresh gets the same token again."""
    digest = hashlib.sha256("\0".join(str(part) for part in parts).encode()).digest()
    return to_base64url(digest[:16])


def sign(keys: JwtKeys, token: AccessToken) -> str:
    """The token as a signed JWT."""
    claims: dict[str, Any] = {"sub": token.subject}
    claims |= {claim: getattr(token, name) for name, claim in _CLAIM_OF_FIELD.items()}
    claims["client_id"] = token.client_url or token.client_id
    return keys.sign({name: value for name, value in claims.items() if value is not None})


def verify(keys: JwtKeys, token: str, *, issuer: str, now: int, resources: Collection[Resource]) -> AccessToken:
    """The token if it is for one of these resources and has not expired; else `SignatureError` (RFC 9068 §4)."""
    if len(token) > _MAX_LENGTH:
        raise SignatureError("this is not an access token of this app")
    claims = keys.verify(token)
    if not _is_complete(claims):
        # Another service of the host may sign other JWTs with the same key.
        raise SignatureError("this access token lacks a claim of RFC 9068")
    if not same_issuer(claims["iss"], issuer):
        raise SignatureError("this access token is of another issuer")
    if claims["aud"] not in {resource.identifier(claims["iss"]) for resource in resources}:
        raise WrongAudience("this access token is for another resource")
    if claims["exp"] <= now:
        raise SignatureExpired("this access token has expired")
    values: dict[str, Any] = {name: claims.get(claim) for name, claim in _CLAIM_OF_FIELD.items()}
    values["client_id"] = stored_client_id(claims["client_id"])
    values["client_url"] = claims["client_id"] if looks_like_client_url(claims["client_id"]) else None
    return AccessToken(**values, user_id=claims["sub"] if "grant_id" in claims else None)


#: Every field of an access token but its user, who is the subject.
_CLAIM_OF_FIELD = {
    "issuer": "iss",
    "audience": "aud",
    "client_id": "client_id",
    "scope": "scope",
    "jti": "jti",
    "issued_at": "iat",
    "expires_at": "exp",
    **{name: name for name in ("tenant_id", "organization_id", "grant_id", "family_id")},
}
#: The claims that every access token has (RFC 9068 §2.2), and their types.
_CLAIMS: dict[str, type] = {
    **dict.fromkeys(("iss", "aud", "sub", "client_id", "scope", "jti"), str),
    **dict.fromkeys(("iat", "exp"), int),
}


def _is_complete(claims: dict[str, Any]) -> bool:
    return all(type(claims.get(name)) is kind for name, kind in _CLAIMS.items())
