"""Client authentication with a private key (RFC 7523 §2.2, §3): ``private_key_jwt``.

The client signs a JWT that names the client and this server. It is accepted once, within a few minutes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from ...clock import CLOCK_SKEW
from ...crypto.jwt_keys import AlgorithmRegistry, KeyPair
from ...messages import Message

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: `_algorithms` says which of them a key can use.
ALGORITHMS = ("ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256")
#: How far in the future an assertion may expire.
MAX_LIFETIME = 5 * 60
MAX_LENGTH = 8192
MAX_KEYS = 20
_MAX_JTI = 200
_TYPES = (None, "jwt", "client-authentication+jwt")
#: RFC 7518 §6: the parameters of private keys, and of shared secrets.
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class InvalidKeys(Exception):
    """Raised for an invalid JWK set. ``reason`` is for the developers of the client."""

    def __init__(self, reason: Message) -> None:
        self.reason = reason
        super().__init__(reason)


class InvalidAssertion(Exception):
    """Raised for an invalid assertion. The message is for the developers of the client."""


@dataclass(frozen=True)
class _Key:
    kid: str | None
    algorithms: tuple[str, ...]
    key: KeyPair = field(repr=False)

    def to_jwk(self) -> dict[str, Any]:
        described = self.key.as_dict(private=False)
        return described | ({"alg": self.algorithms[0]} if len(self.algorithms) == 1 else {})


@dataclass(frozen=True)
class PublicKeys:
    """The public keys of a client."""

    keys: tuple[_Key, ...]

    @classmethod
    def parse(cls, jwks: Any) -> PublicKeys:
        """The keys in a JWK set (RFC 7517 §5), without those that cannot be used here."""
        members = jwks.get("keys") if isinstance(jwks, dict) else None
        if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
            raise InvalidKeys(Message("The keys must be a JWK set."))
        if len(members) > MAX_KEYS:
            raise InvalidKeys(Message("The JWK set has more than %(most)d keys.", most=MAX_KEYS))
        if any(not _PRIVATE.isdisjoint(each) for each in members):
            raise InvalidKeys(Message("The JWK set contains a private key or a secret."))
        keys = tuple(key for each in members for key in _usable(each))
        if not keys:
            raise InvalidKeys(Message("The JWK set has no key for signatures: EC, RSA or Ed25519."))
        return cls(keys)

    @classmethod
    def from_json(cls, text: str) -> PublicKeys:
        """The keys in the output of `to_json`."""
        return cls.parse(json.loads(text))

    def to_json(self) -> str:
        """A JWK set, for the database."""
        return json.dumps({"keys": [each.to_jwk() for each in self.keys]})

    def find(self, kid: str | None) -> _Key | None:
        """The key with this id; without an id, the only key."""
        matching = [each for each in self.keys if kid is None or each.kid == kid]
        return matching[0] if len(matching) == 1 else None


@dataclass(frozen=True)
class VerifiedAssertion:
    """A valid assertion. It must not be accepted again before it expires."""

    jti: str
    expires_at: int


def read_unverified(assertion: str) -> tuple[str | None, str | None]:
    """The key id and the client id in the assertion. They are not verified."""
    try:
        extracted = jws.extract_compact(assertion.encode())
        claims = json.loads(extracted.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise InvalidAssertion("The client_assertion is not a signed JWT.") from None
    kid = extracted.headers().get("kid")
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return kid if isinstance(kid, str) else None, subject if isinstance(subject, str) else None


def verify_assertion(
    assertion: str, keys: PublicKeys, *, client_id: str, audiences: Collection[str], now: int
) -> VerifiedAssertion:
    """The assertion, if it authenticates this client at this server now (RFC 7523 §3); else `InvalidAssertion`."""
    kid, _ = read_unverified(assertion)
    key = keys.find(kid)
    if key is None:
        raise InvalidAssertion("No key of the client has the kid of the client_assertion.")
    try:
        decoded = jwt.decode(assertion, key.key, registry=AlgorithmRegistry(algorithms=set(key.algorithms)))
    except (JoseError, ValueError, TypeError, RecursionError):
        raise InvalidAssertion("The signature of the client_assertion is not valid.") from None
    typ = decoded.header.get("typ")
    if "crit" in decoded.header or (typ.lower() if isinstance(typ, str) else typ) not in _TYPES:
        # RFC 8725 §3.11: reject JWTs for other uses.
        raise InvalidAssertion("The client_assertion is a JWT for another use.")
    return _check_claims(decoded.claims, client_id, audiences, now)


def _check_claims(
    claims: Mapping[str, Any], client_id: str, audiences: Collection[str], now: int
) -> VerifiedAssertion:
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise InvalidAssertion("iss and sub of the client_assertion must be the client_id.")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    # Check all of them: if another server also accepts the assertion, that server could replay it.
    if not named or not all(isinstance(each, str) and each in audiences for each in named):
        raise InvalidAssertion("aud of the client_assertion must be the issuer.")
    expires_at, jti = _time(claims.get("exp")), claims.get("jti")
    if expires_at is None or expires_at <= now - CLOCK_SKEW:
        raise InvalidAssertion("The client_assertion has expired.")
    if expires_at > now + MAX_LIFETIME + CLOCK_SKEW:
        raise InvalidAssertion(f"The client_assertion must expire within {MAX_LIFETIME} seconds.")
    for name in ("nbf", "iat"):
        starts_at = _time(claims.get(name, 0))
        if starts_at is None or starts_at > now + CLOCK_SKEW:
            raise InvalidAssertion("The client_assertion is not valid yet.")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise InvalidAssertion("The client_assertion needs a jti.")
    return VerifiedAssertion(jti, expires_at)


def _time(value: object) -> int | None:
    """The time in a claim (RFC 7519 §2), in whole seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < 1e12 else None


def _usable(member: Mapping[str, Any]) -> Iterator[_Key]:
    """The key, if it can verify signatures that are accepted here."""
    use, operations = member.get("use", "sig"), member.get("key_ops", ["verify"])
    if use != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return
    # 2048 to 4096 bits as base64url: with a shorter key anyone could sign, and a longer one costs too much to verify.
    if member.get("kty") == "RSA" and not 342 <= len(str(member.get("n"))) <= 683:
        return
    described = {name: value for name, value in member.items() if name not in ("use", "key_ops", "alg")}
    try:
        key = import_key(described)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return
    algorithms = _algorithms(key)
    algorithms = tuple(each for each in algorithms if member.get("alg", each) == each)
    kid = member.get("kid")
    if algorithms and (kid is None or isinstance(kid, str)):
        assert isinstance(key, ECKey | RSAKey | OKPKey)
        yield _Key(kid, algorithms, key)


def _algorithms(key: object) -> tuple[str, ...]:
    match key:
        case ECKey(curve_name="P-256"):
            return ("ES256",)
        case ECKey(curve_name="P-384"):
            return ("ES384",)
        case RSAKey() if 2048 <= key.raw_value.key_size <= 4096:
            return ("PS256", "RS256")
        case OKPKey(curve_name="Ed25519"):
            return ("EdDSA", "Ed25519")
    return ()
