"""Encryption of what a database must not give away: keys of tenants, and what travels through a browser.

Fernet (AES-128-CBC with HMAC-SHA-256) under keys that are derived from the app's secret keys for one purpose and
one context, such as the row that the ciphertext stands in. A ciphertext that is moved to another row opens
nothing there. The newest key encrypts, every key decrypts: a key added in front *is* the rotation.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import SignatureError
from .keyring import KeyRing

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class Encryptor:
    """Locks JSON objects away for one purpose."""

    def __init__(self, keys: KeyRing, purpose: str) -> None:
        self._keys = keys
        self._purpose = purpose

    def lock(self, content: Mapping[str, Any], *, context: str) -> str:
        """The content as a text that says nothing."""
        plain = json.dumps(dict(content), separators=(",", ":")).encode()
        return self._fernet(context).encrypt(plain).decode()

    def unlock(self, locked: str, *, context: str) -> dict[str, Any]:
        """The content; `SignatureError` when it was locked under other keys, for another context, or changed."""
        from cryptography.fernet import InvalidToken

        try:
            content: dict[str, Any] = json.loads(self._fernet(context).decrypt(locked.encode()))
        except InvalidToken:
            # No "from": whatever is known about the text stays here.
            raise SignatureError(
                f"this {self._purpose} was not locked by one of the secret keys in use"
            ) from None
        return content

    def relock(self, locked: str, *, context: str) -> str:
        """The same content under the newest key."""
        return self.lock(self.unlock(locked, context=context), context=context)

    def _fernet(self, context: str) -> MultiFernet:
        # Loaded by the first secret: most processes never see one.
        from cryptography.fernet import Fernet, MultiFernet

        derived = self._keys.derive(self._purpose, context)
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
