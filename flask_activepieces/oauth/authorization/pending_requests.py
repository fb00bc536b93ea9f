"""Authorization requests that wait for their user, who signs in or reads the consent page.

A pending request is not stored: its id *is* the request, signed. So a login with several steps or on another site has
time, and strangers cannot fill a table. The id carries the hash of a random cookie of the browser that began the
request, and works in this browser only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ...clock import Clock
from ...crypto.keyring import KeyRing, constant_time_equal, context_of, sha256_hex
from ...errors import SignatureError
from ...host.interface import Principal
from ...messages import Message
from .request import AuthorizationRequest, UnverifiedClientError

PURPOSE = "pending request"
CONSENT_PURPOSE = "consent"
#: Half an hour: a user may have to find their phone for a second factor.
LIFETIME = 30 * 60
#: The id is in the URL of the login page. gunicorn reads a request line of 4,094 characters, other servers 8,190 and
#: more; the rest is for the path of the app and its own parameters.
_MAX_LENGTH = 3800


@dataclass(frozen=True, kw_only=True)
class PendingRequests:
    """The pending requests of one app."""

    keys: KeyRing = field(repr=False)
    clock: Clock = field(repr=False)

    def seal(self, request: AuthorizationRequest, *, browser: str) -> str:
        """The request's id, valid for half an hour in this browser.

        `UnverifiedClientError` if it is too long for a URL.
        """
        claims: dict[str, Any] = asdict(request) | {
            "browser": sha256_hex(browser),
            "exp": int(self.clock()) + LIFETIME,
        }
        request_id = self.keys.sign_json(PURPOSE, claims)
        if len(request_id) > _MAX_LENGTH:
            raise UnverifiedClientError(
                Message("The request is too long."), Message("Tell the app's developers to use a shorter state.")
            )
        return request_id

    def open(self, request_id: str, *, browser: str | None) -> AuthorizationRequest:
        """The pending request; `SignatureError` if it is forged, expired or of another browser."""
        claims = self.keys.verify_json(PURPOSE, request_id, now=int(self.clock()))
        claims.pop("exp")
        if not constant_time_equal(claims.pop("browser", ""), sha256_hex(browser or "")):
            raise SignatureError("this request was started in another browser")
        try:
            return AuthorizationRequest(**claims)
        except TypeError:
            # During an upgrade: a worker of another version has other claims.
            raise SignatureError("this request was started at another version of this app") from None

    def client_id(self, request_id: str) -> str | None:
        """The client of a pending request, whichever browser started it; None if the id is forged or expired."""
        try:
            claims = self.keys.verify_json(PURPOSE, request_id, now=int(self.clock()))
        except SignatureError:
            return None
        client_id = claims.get("client_id")
        return client_id if isinstance(client_id, str) else None

    def consent_token(self, request_id: str, principal: Principal) -> str:
        """What the consent form must send back: only the page for this user in this tenant has it."""
        context = context_of(principal.tenant_id, principal.user_id)
        return self.keys.sign(CONSENT_PURPOSE, request_id.encode(), context=context)

    def verify_consent_token(self, token: str, request_id: str, principal: Principal) -> None:
        """`SignatureError` unless the token was made for this request, and for this user in this tenant."""
        context = context_of(principal.tenant_id, principal.user_id)
        self.keys.verify(CONSENT_PURPOSE, request_id.encode(), token, context=context)
