"""Authorization requests that wait for their user: while they sign in, and while they read the consent page.

A pending request is nothing stored: its id *is* the request, signed, so that a login with several steps or on
another site can take its time and no stranger can fill a table. It belongs to the browser that began it, by a
random cookie whose hash it carries: a link to somebody else's pending request opens nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...crypto.keyring import KeyRing, constant_time_equal, context_of, sha256_hex
from ...errors import SignatureError
from ...messages import Message
from .request import AuthorizationRequest, NoRedirect

PURPOSE = "pending request"
CONSENT_PURPOSE = "consent"
#: A person may have to find a phone for a second factor.
LIFETIME = 30 * 60
#: It travels in the URL of the login page. gunicorn reads a request line of 4,094 characters, other servers of 8,190
#: and more; the difference is for the app's own path, and what it adds.
_LONGEST_ID = 3800


def park(keys: KeyRing, request: AuthorizationRequest, *, browser: str, now: int) -> str:
    """The request's id, good for half an hour in this browser; `NoRedirect` if no URL could hold it."""
    claims: dict[str, Any] = asdict(request) | {
        "browser": sha256_hex(browser),
        "exp": now + LIFETIME,
    }
    request_id = keys.sign_json(PURPOSE, claims)
    if len(request_id) > _LONGEST_ID:
        raise NoRedirect(
            Message("The request is too long."),
            Message("Tell its makers to use a shorter state."),
        )
    return request_id


def resume(
    keys: KeyRing, request_id: str, *, browser: str | None, now: int
) -> AuthorizationRequest:
    """The pending request; `SignatureError` for a forged, an old, or another browser's one."""
    claims = keys.verify_json(PURPOSE, request_id, now=now)
    claims.pop("exp")
    if not constant_time_equal(claims.pop("browser", ""), sha256_hex(browser or "")):
        raise SignatureError("this request was begun in another browser")
    try:
        return AuthorizationRequest(**claims)
    except TypeError:
        # During an upgrade: a worker of another version knows other claims.
        raise SignatureError("this request was begun at another version of this app") from None


def consent_token(keys: KeyRing, request_id: str, *, tenant_id: str, user_id: str) -> str:
    """What the consent form must send back: only the page that this user was shown in this tenant has it."""
    context = context_of(tenant_id, user_id)
    return keys.sign(CONSENT_PURPOSE, request_id.encode(), context=context)


def check_consent_token(
    keys: KeyRing, token: str, request_id: str, *, tenant_id: str, user_id: str
) -> None:
    """`SignatureError` unless the token was made for this request, and for this user in this tenant."""
    context = context_of(tenant_id, user_id)
    keys.verify(CONSENT_PURPOSE, request_id.encode(), token, context=context)
