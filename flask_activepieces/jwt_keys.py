"""The keys that sign access tokens: a list, the first signs, all verify; each is tied to one algorithm.

Without configuration the keys are HS256, derived from the app's secret keys, so that a new app needs no key
files. With ``ACTIVEPIECES_JWT_KEYS`` they are private EC P-256, RSA or Ed25519 keys, and other services can
verify tokens by ``/oauth/jwks.json``. A verifier never takes the algorithm from the token: it takes the key
named by ``kid`` and the algorithm that belongs to that key (RFC 8725 §3.1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

from .signing import KeyRing, fingerprint

JwtKeyMaterial = ECKey | OctKey | OKPKey | RSAKey

_PURPOSE = "access token"
#: An id stands in the header of every token: short and plain, or the key's thumbprint takes its place.
_KID = re.compile(r"[A-Za-z0-9._~-]{1,128}")


@dataclass(frozen=True)
class JwtKey:
    """One key with the one algorithm it may be used with."""

    kid: str
    algorithm: str
    material: JwtKeyMaterial = field(repr=False)

    @property
    def is_secret(self) -> bool:
        """Whether the key is symmetric, and so must never be published."""
        return isinstance(self.material, OctKey)


@dataclass(frozen=True, eq=False)
class JwtKeys:
    """All keys, the signing one first."""

    keys: tuple[JwtKey, ...]

    @property
    def signing(self) -> JwtKey:
        """The key that new tokens are signed with."""
        return self.keys[0]

    def find(self, kid: str) -> JwtKey | None:
        """The key of that id, if it is one of ours."""
        return next((key for key in self.keys if key.kid == kid), None)

    def public(self) -> dict[str, list[dict[str, Any]]]:
        """The JWK set (RFC 7517 §5) of what may be published; empty with HS256 only."""
        return {
            "keys": [
                {
                    **key.material.as_dict(private=False),
                    "kid": key.kid,
                    "alg": key.algorithm,
                    "use": "sig",
                }
                for key in self.keys
                if not key.is_secret
            ]
        }


def derived_keys(ring: KeyRing) -> tuple[JwtKey, ...]:
    """HS256 keys from the app's secret keys, for the purpose of access tokens only."""
    return tuple(
        # The id is a hash of the derived key: it says which key, and nothing about it.
        JwtKey(fingerprint(secret.hex())[:16], "HS256", OctKey.import_key(secret))
        for secret in ring.derive(_PURPOSE)
    )


def configured_keys(texts: Sequence[str]) -> tuple[JwtKey, ...]:
    """Keys from PEM texts or JSON Web Keys; `ValueError` says which one is wrong, never what it holds."""
    keys = tuple(_one_key(text, position) for position, text in enumerate(texts, start=1))
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("two keys have one kid; a token must tell which of them signed it")
    if keys and not keys[0].material.is_private:
        raise ValueError("the first key signs, so it must be a private key")
    return keys


def _one_key(text: str, position: int) -> JwtKey:
    try:
        material = _import(text)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        # No "from": the message below is all that may reach a log.
        raise ValueError(f"key {position} is neither PEM nor a JSON Web Key") from None
    algorithm = _algorithm_of(material)
    if algorithm is None:
        raise ValueError(f"key {position} must be EC P-256, RSA of 2048 to 4096 bits, or Ed25519")
    named = material.kid is not None and _KID.fullmatch(material.kid)
    kid = material.kid if named else material.thumbprint()  # RFC 7638
    return JwtKey(str(kid), algorithm, material)


def _import(text: str) -> JwtKeyMaterial:
    if text.lstrip().startswith("{"):
        described = json.loads(text)
        # What the key is for is decided here and not by its file.
        for hint in ("use", "key_ops", "alg"):
            described.pop(hint, None)
        return import_key(described)
    for key_type in ("EC", "RSA", "OKP"):
        try:
            return import_key(text, key_type)
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("no key type fits")


def _algorithm_of(material: JwtKeyMaterial) -> str | None:
    if isinstance(material, ECKey):
        return "ES256" if material.curve_name == "P-256" else None
    if isinstance(material, RSAKey):
        return "RS256" if 2048 <= material.raw_value.key_size <= 4096 else None
    if isinstance(material, OKPKey):
        return "EdDSA" if material.curve_name == "Ed25519" else None
    return None
