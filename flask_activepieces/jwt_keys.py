"""The keys that sign access tokens: a list, the first signs, all verify; each is tied to one algorithm.

Without configuration the keys are HS256, derived from the app's secret keys, so that a new app needs no key
files. With ``ACTIVEPIECES_JWT_KEYS`` they are key pairs (see `jwk`), and other services can verify tokens by
``/oauth/jwks.json``.

A stranger's header is never read: a token whose first part is not, letter by letter, what one of these keys writes
there is not ours. So no header can choose the algorithm or the key (RFC 8725 §3.1), pass a JWT off that was made
for another use (§3.11), or ask for what we do not understand (RFC 7515 §4.1.11).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from .errors import SignatureError
from .signing import KeyRing, fingerprint, from_base64url, to_base64url

#: RFC 9068 §2.1: the type says what the token is, so that no other JWT can pass as one.
TYPE = "at+jwt"
_PURPOSE = "access token"


class Material(Protocol):
    """What signs and verifies, by the one algorithm it is for."""

    def sign(self, message: bytes) -> bytes:
        """The signature."""
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is right."""
        ...

    def published(self) -> dict[str, Any] | None:
        """What others verify by, as a JSON Web Key; None when nothing may be shown to them."""
        ...


@dataclass(frozen=True)
class SharedSecret:
    """HS256: who can verify can sign, so it never leaves this app."""

    secret: bytes = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """RFC 7518 §3.2."""
        return hmac.digest(self.secret, message, "sha256")

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is right, in a time that does not tell where it is wrong."""
        return hmac.compare_digest(self.sign(message), signature)

    def published(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class JwtKey:
    """One key with the one algorithm it may be used with."""

    kid: str
    algorithm: str
    material: Material = field(repr=False)

    @property
    def is_secret(self) -> bool:
        """Whether the key is symmetric, and so must never be published."""
        return self.material.published() is None

    @cached_property
    def header(self) -> str:
        """The first part of every token that it signs."""
        header = {"alg": self.algorithm, "typ": TYPE, "kid": self.kid}
        return to_base64url(json.dumps(header, separators=(",", ":")).encode())

    def sign(self, payload: bytes) -> str:
        """The payload as a JWS in its compact form (RFC 7515 §7.1)."""
        body = f"{self.header}.{to_base64url(payload)}"
        return f"{body}.{to_base64url(self.material.sign(body.encode()))}"


@dataclass(frozen=True, eq=False)
class JwtKeys:
    """All keys, the signing one first."""

    keys: tuple[JwtKey, ...]

    @property
    def signing(self) -> JwtKey:
        """The key that new tokens are signed with."""
        return self.keys[0]

    def open(self, text: str) -> bytes:
        """The payload of a JWS that one of the keys signed; `SignatureError` for anything else."""
        body, _, signature = text.rpartition(".")
        header, _, payload = body.partition(".")
        key = next((key for key in self.keys if key.header == header), None)
        if key is None:
            raise SignatureError("this is no access token of ours")
        if not text.isascii() or not key.material.verify(body.encode(), from_base64url(signature)):
            raise SignatureError("the signature of this access token does not verify")
        return from_base64url(payload)

    def public(self) -> dict[str, list[dict[str, Any]]]:
        """The JWK set (RFC 7517 §5) of what may be published; empty with HS256 only."""
        return {
            "keys": [
                {**published, "kid": key.kid, "alg": key.algorithm, "use": "sig"}
                for key in self.keys
                if (published := key.material.published()) is not None
            ]
        }


def derived_keys(ring: KeyRing) -> tuple[JwtKey, ...]:
    """HS256 keys from the app's secret keys, for the purpose of access tokens only."""
    return tuple(
        # The id is a hash of the derived key: it says which key, and nothing about it.
        JwtKey(fingerprint(secret.hex())[:16], "HS256", SharedSecret(secret))
        for secret in ring.derive(_PURPOSE)
    )


def configured_keys(texts: Sequence[str]) -> tuple[JwtKey, ...]:
    """Key pairs from PEM texts or JSON Web Keys; `ValueError` says which one is wrong, never what it holds."""
    # Here, for it takes its time to load, and most apps have no key pairs.
    from .jwk import KeyPair, key_pair

    def one(text: str, position: int) -> KeyPair:
        try:
            return key_pair(text)
        except ValueError as error:
            raise ValueError(f"key {position} {error}") from None

    pairs = [one(text, position) for position, text in enumerate(texts, start=1)]
    if len({pair.kid for pair in pairs}) < len(pairs):
        raise ValueError("two keys have one kid; a token must tell which of them signed it")
    if pairs and not pairs[0].is_private:
        raise ValueError("the first key signs, so it must be a private key")
    return tuple(JwtKey(pair.kid, pair.algorithm, pair) for pair in pairs)
