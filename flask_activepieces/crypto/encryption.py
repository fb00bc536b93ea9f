"""Encryption of what a database must not reveal: credentials of tenants, and what passes through a browser.

Fernet (AES-128-CBC with HMAC-SHA-256) under keys derived from the app's secret keys, for one purpose and one context,
such as the row that holds the ciphertext: moved to another row, a ciphertext cannot be decrypted. The newest key
encrypts and all keys decrypt, so adding a key in front rotates them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..errors import SignatureError
from .keyring import KeyRing


class Encryptor:
    """Encrypts JSON objects for one purpose."""

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

    def _fernet(self, context: str) -> MultiFernet:
        derived = self._keys.derive(self._purpose, context)
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
