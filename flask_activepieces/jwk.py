"""Key pairs for access tokens, from PEM texts or JSON Web Keys (RFC 7517): EC P-256, RSA and Ed25519, by joserfc.

Loaded only for an app that has such keys, for cryptography takes its time to load.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

#: An id stands in the header of every token: short and plain, or the key's thumbprint takes its place.
_KID = re.compile(r"[A-Za-z0-9._~-]{1,128}")


@dataclass(frozen=True)
class KeyPair:
    """A private key, or only its public half, which can do no more than verify."""

    kid: str
    algorithm: str
    key: ECKey | RSAKey | OKPKey = field(repr=False)

    @property
    def is_private(self) -> bool:
        """Whether it can sign."""
        return bool(self.key.is_private)

    def sign(self, message: bytes) -> bytes:
        """The signature by the private key."""
        signature: bytes = JWSRegistry.algorithms[self.algorithm].sign(message, self.key)
        return signature

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the private key made the signature."""
        return bool(JWSRegistry.algorithms[self.algorithm].verify(message, signature, self.key))

    def published(self) -> dict[str, Any]:
        """The public half."""
        return dict(self.key.as_dict(private=False))


def key_pair(text: str) -> KeyPair:
    """The key in a PEM text or JSON Web Key; `ValueError` says what is wrong, never what the text holds."""
    try:
        key = _import(text)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        # No "from": the message below is all that may reach a log.
        raise ValueError("is neither PEM nor a JSON Web Key") from None
    algorithm = _algorithm_of(key)
    if isinstance(key, OctKey) or algorithm is None:
        raise ValueError("must be EC P-256, RSA of 2048 to 4096 bits, or Ed25519")
    return KeyPair(_kid_of(key), algorithm, key)


def _import(text: str) -> ECKey | OctKey | OKPKey | RSAKey:
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


def _algorithm_of(key: ECKey | OctKey | OKPKey | RSAKey) -> str | None:
    if isinstance(key, ECKey):
        return "ES256" if key.curve_name == "P-256" else None
    if isinstance(key, RSAKey):
        return "RS256" if 2048 <= key.raw_value.key_size <= 4096 else None
    if isinstance(key, OKPKey):
        return "EdDSA" if key.curve_name == "Ed25519" else None
    return None


def _kid_of(key: ECKey | OKPKey | RSAKey) -> str:
    named = key.kid is not None and _KID.fullmatch(key.kid)
    return str(key.kid if named else key.thumbprint())  # RFC 7638
