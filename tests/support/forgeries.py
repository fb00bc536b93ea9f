"""Forged tokens."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from joserfc.jws import JWSRegistry

MALFORMED_TOKENS = ["nonsense", "a.b.c", "a.0.b.c", "eyJhbGciOiJub25lIn0.e30.", "é.0.é.é", "....", "A" * 20_000]

Claims = dict[str, Any]

#: Writes JSON as in our own tokens: a token with a space in its header would be rejected for that reason alone.
_as_json = json.JSONEncoder(separators=(",", ":")).encode


def opened(token: str) -> tuple[Claims, Claims]:
    """The header and the claims of a JWT, unverified."""
    header, payload, _ = token.split(".")
    return _json(header), _json(payload)


def joined(header: object, claims: object, signature: bytes = b"") -> str:
    """A JWT with the given signature."""
    return f"{_text(header)}.{_text(claims)}.{_text(signature)}"


def hs256(header: object, claims: object, key: bytes) -> str:
    """A JWT signed by HS256 with the given key, whatever algorithm its header names."""
    body = f"{_text(header)}.{_text(claims)}"
    return f"{body}.{_text(hmac.digest(key, body.encode(), 'sha256'))}"


def signed(header: Claims, claims: object, key: Any) -> str:
    """A JWT signed by the algorithm in its header, which may contain anything else."""
    body = f"{_text(header)}.{_text(claims)}"
    return f"{body}.{_text(JWSRegistry.algorithms[header['alg']].sign(body.encode(), key))}"


def _text(part: object) -> str:
    data = part if isinstance(part, bytes) else _as_json(part).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(part: str) -> Claims:
    value: Claims = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value
