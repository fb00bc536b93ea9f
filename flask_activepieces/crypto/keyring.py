"""Signatures and encryption with keys that rotate and purposes that cannot be confused.

1. Keys are a list, newest first. The first signs and encrypts, all verify and decrypt, so adding a key in front
   rotates them.
2. The purpose, and a context such as a client id, are part of the key and not of the message. A signature for one
   purpose is invalid for any other, so an authorization code can never pass as a pending request; and a ciphertext
   that is moved to another row cannot be decrypted.

The only algorithms are HMAC-SHA-256 (RFC 2104) and Fernet (AES-128-CBC with HMAC-SHA-256).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..errors import SignatureError, SignatureExpired

_VERSION = "v1"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class KeyRing:
    """The secret keys of one app, newest first; its ``repr`` shows how many, never which."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a key ring needs at least one key")
        self._roots = tuple(key.encode() for key in keys)

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self._roots)}>"

    def problems(self, rule: Callable[[str], str | None]) -> list[tuple[int, str]]:
        """What a rule has against each key, with the number of the key; the newest is 1."""
        found = [(number, rule(key.decode())) for number, key in enumerate(self._roots, 1)]
        return [(number, problem) for number, problem in found if problem is not None]

    def derive(self, purpose: str, context: str = "") -> tuple[bytes, ...]:
        """The keys for one purpose and context, newest first (an HMAC as a key derivation, NIST SP 800-108)."""
        return tuple(_derived(root, purpose, context) for root in self._roots)

    def sign(self, purpose: str, message: bytes, *, context: str = "") -> str:
        """The signature by the newest key, as base64url."""
        return to_base64url(_hmac(_derived(self._roots[0], purpose, context), message))

    def verify(self, purpose: str, message: bytes, signature: str, *, context: str = "") -> None:
        """Raise `SignatureError` unless one of the keys made the signature. Constant-time for each key."""
        provided = signature.encode("ascii", "replace")
        for key in self.derive(purpose, context):
            if hmac.compare_digest(to_base64url(_hmac(key, message)).encode(), provided):
                return
        raise SignatureError(f"the signature of this {purpose} does not verify")

    def sign_json(self, purpose: str, claims: Mapping[str, Any], *, context: str = "") -> str:
        """``v1.{payload}.{signature}``: JSON that anyone can read and no one can change."""
        payload = to_base64url(json.dumps(claims, separators=(",", ":")).encode())
        body = f"{_VERSION}.{payload}"
        return f"{body}.{self.sign(purpose, body.encode(), context=context)}"

    def verify_json(self, purpose: str, text: str, *, now: int, context: str = "") -> dict[str, Any]:
        """The claims of a sealed text; `SignatureError` if it is not ours, `SignatureExpired` past its ``exp``."""
        body, dot, signature = text.rpartition(".") if text.isascii() else ("", "", "")
        version, _, payload = body.partition(".")
        if not dot or version != _VERSION:
            raise SignatureError(f"this is not a {purpose}")
        # The signature comes before the parser: nothing that we did not write is ever decoded.
        self.verify(purpose, body.encode(), signature, context=context)
        claims: dict[str, Any] = json.loads(from_base64url(payload))
        if claims["exp"] <= now:
            raise SignatureExpired(f"this {purpose} has expired")
        return claims


class Encryptor:
    """Encrypts JSON objects for one purpose: what neither a database nor a browser may reveal."""

    def __init__(self, keys: KeyRing, purpose: str) -> None:
        self._keys = keys
        self._purpose = purpose

    def encrypt(self, content: Mapping[str, Any], *, context: str) -> str:
        """The content as ciphertext."""
        plaintext = json.dumps(dict(content), separators=(",", ":")).encode()
        return self._fernet(context).encrypt(plaintext).decode()

    def decrypt(self, ciphertext: str, *, context: str) -> dict[str, Any]:
        """The content; `SignatureError` if it was encrypted with other keys, for another context, or changed."""
        try:
            content: dict[str, Any] = json.loads(self._fernet(context).decrypt(ciphertext.encode()))
        except InvalidToken:
            # No "from": nothing that is known about the ciphertext may reach a log.
            raise SignatureError(
                f"this {self._purpose} was not encrypted with one of the current secret keys"
            ) from None
        return content

    def reencrypt(self, ciphertext: str, *, context: str) -> str:
        """The same content under the newest key."""
        return self.encrypt(self.decrypt(ciphertext, context=context), context=context)

    def key_of(self, ciphertext: str, *, context: str) -> tuple[int, int] | None:
        """Which key encrypted it (0 is the newest) and when; None if it was none of the current ones."""
        for number, key in enumerate(self._keys.derive(self._purpose, context)):
            try:
                # A Fernet token begins with its time, which its signature covers.
                return number, Fernet(base64.urlsafe_b64encode(key)).extract_timestamp(ciphertext.encode())
            except InvalidToken:
                continue
        return None

    def _fernet(self, context: str) -> MultiFernet:
        derived = self._keys.derive(self._purpose, context)
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


def _derived(root: bytes, purpose: str, context: str) -> bytes:
    return _hmac(root, f"flask-activepieces\0{purpose}\0{context}".encode())


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def to_base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of unpadded base64url; `SignatureError` when it is something else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise SignatureError("this text is not base64url") from error


#: To compare with where there is no hash: as long as `sha256_hex` of a text, but of none.
NO_HASH = "-" * 64


def sha256_hex(secret: str) -> str:
    """SHA-256 as hex: enough for a random 256-bit secret, which no list of words can hit."""
    return hashlib.sha256(secret.encode()).hexdigest()


def constant_time_equal(left: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())


def context_of(*parts: str) -> str:
    """The context of a signature that holds for all of these together, whatever characters are in them."""
    return json.dumps(parts)


def looks_like_id(text: str) -> bool:
    """Whether the text could be an id of ours: nothing else needs to reach a database."""
    return _ID.fullmatch(text) is not None


def random_id() -> str:
    """128 random bits as 22 characters that need no escaping in a URL, and that no command reads as an option."""
    while (identifier := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return identifier
