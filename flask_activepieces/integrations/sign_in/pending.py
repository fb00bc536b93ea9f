"""Sign-ins at a third party that are under way: kept by nobody here, they travel in ``state``.

It is encrypted, since it holds the PKCE verifier. It is good in the browser that began (the nonce is in its session),
for the user who began, for ten minutes, and once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...api_client.resources.connection_values import AuthorizationMethod, OAuth2Kind
from ...crypto.encryption import Encryptor
from ...crypto.keyring import KeyRing, constant_time_equal, sha256_hex
from ...errors import InvalidInput, SignatureError, SignatureExpired
from ...host.interface import Principal
from ..connections.leases import Leases

PURPOSE = "third-party authorization"
#: It stands in URLs, here and at the third party, and some servers read no line that is longer than 8,000 characters.
LONGEST_STATE = 6000
#: A person may have to find a phone for a second factor.
LIFETIME = 10 * 60


@dataclass(frozen=True, kw_only=True)
class PendingAuthorization:
    """A sign-in under way: what ``state`` holds."""

    id: str
    integration_id: str
    tenant_id: str
    user_id: str
    #: SHA-256 of the nonce in the browser's session.
    nonce: str
    exp: int
    type: OAuth2Kind
    piece_name: str
    display_name: str | None
    external_id: str | None
    connection_id: str | None
    client_id: str
    redirect_url: str
    scope: str
    props: Mapping[str, str]
    authorization_method: AuthorizationMethod
    next_url: str | None
    verifier: str | None = field(repr=False)


class PendingAuthorizations:
    """Sends them on their way, and takes them back."""

    def __init__(self, keys: KeyRing, leases: Leases) -> None:
        self._encryptor = Encryptor(keys, PURPOSE)
        self._leases = leases

    def locked(self, pending: PendingAuthorization) -> str:
        """The ``state`` that holds it; `InvalidInput` if that is too long to travel."""
        state = self._encryptor.encrypt(asdict(pending), context="")
        if len(state) > LONGEST_STATE:
            raise InvalidInput({"props": "with all that is asked for, this is too long for a URL"})
        return state

    def unlocked(
        self, state: str, *, nonce: str | None, principal: Principal, now: int
    ) -> PendingAuthorization:
        """What was begun, if it was begun here: by this user, in this browser, and lately."""
        pending = _pending_of(self._encryptor.decrypt(state, context=""))
        if not constant_time_equal(pending.nonce, sha256_hex(nonce or "")):
            raise SignatureError("this authorization was begun in another browser")
        if (pending.user_id, pending.tenant_id) != (principal.user_id, principal.tenant_id):
            raise SignatureError("this authorization was begun by another user")
        if pending.exp <= now:
            raise SignatureExpired("this authorization took too long")
        return pending

    def use_up(self, pending: PendingAuthorization) -> None:
        """Let it count this once; `SignatureError` when it did before."""
        if not self._leases.first(PURPOSE, pending.id, until=pending.exp):
            raise SignatureError("this authorization was used before")


def _pending_of(claims: dict[str, Any]) -> PendingAuthorization:
    try:
        return PendingAuthorization(**claims)
    except TypeError:
        raise SignatureError(
            "this authorization was begun by another version of this app"
        ) from None
