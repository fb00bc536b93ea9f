"""Authorizations at a third party that are not finished: not stored, but encrypted in ``state``.

``state`` contains the PKCE verifier, so it is encrypted. It is valid in the browser that started (whose session has
the nonce), for the user who started, for ten minutes, and once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...api_client.resources.connection_values import OAuth2Kind
from ...crypto.keyring import Encryptor, KeyRing, constant_time_equal, sha256_hex
from ...errors import InvalidInput, SignatureError, SignatureExpired
from ..connections.leases import Leases
from ..connections.saver import NewConnection

PURPOSE = "third-party authorization"
#: It is part of URLs here and at the third party, and some servers accept 8,000 characters at most.
MAX_STATE_LENGTH = 6000
#: A user may have to find a phone for a second factor.
LIFETIME = 10 * 60


@dataclass(frozen=True, kw_only=True)
class PendingAuthorization:
    """What ``state`` contains."""

    id: str
    integration_id: str
    tenant_id: str
    user_id: str
    #: SHA-256 of the nonce in the browser's session.
    nonce: str
    exp: int
    #: The connection to save, without its value.
    connection: NewConnection
    type: OAuth2Kind
    #: The fields of the value that are known before the user returns; they contain the PKCE verifier.
    value: Mapping[str, Any] = field(repr=False)
    next_url: str | None


class PendingAuthorizations:
    """Converts pending authorizations to ``state`` and back."""

    def __init__(self, keys: KeyRing, leases: Leases) -> None:
        self._encryptor = Encryptor(keys, PURPOSE)
        self._leases = leases

    def to_state(self, pending: PendingAuthorization) -> str:
        """The ``state``; `InvalidInput` if it is too long."""
        state = self._encryptor.encrypt(asdict(pending), context="")
        if len(state) > MAX_STATE_LENGTH:
            raise InvalidInput({"props": "Too long."})
        return state

    def from_state(self, state: str, *, nonce: str | None, user_id: str, now: int) -> PendingAuthorization:
        """The authorization, if this user started it in this browser, and it has not expired."""
        claims = self._encryptor.decrypt(state, context="")
        try:
            pending = PendingAuthorization(**{**claims, "connection": NewConnection(**claims["connection"])})
        except (TypeError, KeyError):
            raise SignatureError("this authorization was started by another version of this app") from None
        if not constant_time_equal(pending.nonce, sha256_hex(nonce or "")):
            raise SignatureError("this authorization was started in another browser")
        if pending.user_id != user_id:
            raise SignatureError("this authorization was started by another user")
        if pending.exp <= now:
            raise SignatureExpired("this authorization took too long")
        return pending

    def consume(self, pending: PendingAuthorization) -> None:
        """Mark it as used; `SignatureError` if it was used before."""
        if not self._leases.claim_once(PURPOSE, pending.id, expires_at=pending.exp):
            raise SignatureError("this authorization was used before")
