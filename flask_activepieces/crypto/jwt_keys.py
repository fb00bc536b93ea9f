"""The keys for access tokens. The first key signs and all keys verify, each with one algorithm.

Without configuration they are HS256 keys, derived from the app's secret keys, so that a new app needs no key files.
With ``ACTIVEPIECES_JWT_KEYS`` they are EC P-256, RSA or Ed25519 key pairs, and other services can verify tokens with
``/oauth/jwks.json``.

A token is verified only if its header is exactly the one that the key with its ``kid`` writes. So no header can
choose the algorithm or the key (RFC 8725 §3.1), pass off a JWT that was issued for another use (§3.11), or ask for an
extension (RFC 7515 §4.1.11).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from ..errors import SignatureError
from .keyring import KeyRing, sha256_hex

#: RFC 9068 §2.1: the type says what the token is, so that no other JWT can pass as one.
TYPE = "at+jwt"
_PURPOSE = "access token"
_MAX_VERIFIED = 1024
#: Every token contains the key id, so a long or unusual one is replaced by the thumbprint of the key.
_KEY_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")

KeyPair = ECKey | RSAKey | OKPKey


@dataclass(frozen=True)
class JwtKey:
    """A key, and the only algorithm that it may be used with."""

    kid: str
    algorithm: str
    key: OctKey | KeyPair = field(repr=False)

    @property
    def is_symmetric(self) -> bool:
        """Whether the same key signs and verifies. Such a key must never be published."""
        return isinstance(self.key, OctKey)

    @property
    def header(self) -> dict[str, str]:
        """The header of every token that it signs."""
        return {"alg": self.algorithm, "typ": TYPE, "kid": self.kid}


class AlgorithmRegistry(JWSRegistry):
    """The algorithms that a verifier accepts, and no others."""

    def get_alg(self, name: str) -> Any:
        # RFC 9864 renames EdDSA. joserfc warns about the old name, but most libraries only support that one.
        is_allowed = name in (self.allowed or ())
        return self.algorithms[name] if name == "EdDSA" and is_allowed else super().get_alg(name)


class JwtKeys:
    """All keys, the signing one first."""

    def __init__(self, keys: Sequence[JwtKey]) -> None:
        self.keys = tuple(keys)
        self._by_kid = {key.kid: key for key in self.keys}
        self._set = KeySet([key.key for key in self.keys])
        #: The claims of verified tokens, by the hash of the token: a copy of the memory contains no token.
        self._verified: dict[bytes, dict[str, Any]] = {}
        self._registry = AlgorithmRegistry(algorithms={key.algorithm for key in self.keys})

    def __repr__(self) -> str:
        return f"<JwtKeys {', '.join(self._by_kid)}>"

    @property
    def signing(self) -> JwtKey:
        """The key that new tokens are signed with."""
        return self.keys[0]

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a signed JWT."""
        key = self.signing
        token: str = jwt.encode(key.header, claims, key.key, registry=self._registry)
        return token

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a JWT that one of the keys signed; `SignatureError` for anything else.

        A valid signature stays valid, so each token is verified once. That takes joserfc about 60 µs in a server,
        more than a tenth of a request to a protected view, and a client uses its token for an hour.
        """
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        claims = self._verified.get(digest)
        if claims is None:
            claims = self._verify(token)
            if len(self._verified) >= _MAX_VERIFIED:
                self._verified.clear()
            self._verified[digest] = claims
        return claims

    def _verify(self, token: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode(token, self._set, registry=self._registry)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise SignatureError("this is not an access token of this app") from error
        key = self._by_kid.get(decoded.header.get("kid", ""))
        if key is None or decoded.header != key.header:
            raise SignatureError("this is not an access token of this app")
        return decoded.claims

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys as a JWK set (RFC 7517 §5); empty with HS256 only."""
        return {
            "keys": [
                {**key.key.as_dict(private=False), "alg": key.algorithm, "use": "sig"}
                for key in self.keys
                if not key.is_symmetric
            ]
        }


def derived_keys(ring: KeyRing) -> list[JwtKey]:
    """HS256 keys from the app's secret keys, for access tokens only."""
    # The id is a hash of the derived key, which does not reveal the key.
    secrets = {sha256_hex(secret.hex())[:16]: secret for secret in ring.derive(_PURPOSE)}
    return [JwtKey(kid, "HS256", OctKey.import_key(secret, {"kid": kid})) for kid, secret in secrets.items()]


def configured_keys(texts: Iterable[str]) -> list[JwtKey]:
    """Key pairs from PEM or JSON Web Keys; `ValueError` names the invalid one, without its contents."""
    keys = [_configured_key(text, position) for position, text in enumerate(texts, start=1)]
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("duplicate kid: key ids must be unique")
    if keys and not keys[0].key.is_private:
        raise ValueError("the first key signs, so it must be a private key")
    return keys


def _configured_key(text: str, position: int) -> JwtKey:
    try:
        key = _import_key_pair(text)
        algorithm = _algorithm(key)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        # No "from": only the message below may reach a log.
        raise ValueError(f"key {position} is neither PEM nor a JSON Web Key") from None
    if isinstance(key, OctKey) or algorithm is None:
        raise ValueError(f"key {position} must be EC P-256, RSA of 2048 to 4096 bits, or Ed25519")
    has_plain_id = key.kid is not None and _KEY_ID.fullmatch(key.kid)
    kid = str(key.kid if has_plain_id else key.thumbprint())  # RFC 7638
    return JwtKey(kid, algorithm, import_key({**key.as_dict(private=key.is_private), "kid": kid}))


def _import_key_pair(text: str) -> OctKey | KeyPair:
    if text.lstrip().startswith("{"):
        described = json.loads(text)
        # The use of the key is decided here, and not by its file.
        for hint in ("use", "key_ops", "alg"):
            described.pop(hint, None)
        return import_key(described)
    for key_type in ("EC", "RSA", "OKP"):
        try:
            return import_key(text, key_type)
        except (JoseError, ValueError, TypeError):
            continue
    raise ValueError("not a key")


def _algorithm(key: OctKey | KeyPair) -> str | None:
    match key:
        case ECKey(curve_name="P-256"):
            return "ES256"
        case RSAKey() if 2048 <= key.raw_value.key_size <= 4096:
            return "RS256"
        case OKPKey(curve_name="Ed25519"):
            return "EdDSA"
    return None
