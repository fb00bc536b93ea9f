"""Standard Webhooks: how a receiver knows that an event comes from this app and is new.

https://www.standardwebhooks.com: the signature covers the id, the time and the body. Each attempt is signed again.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping

_PREFIX = "whsec_"
_KEY_BYTES = 32


def new_secret() -> str:
    """A random secret for one subscription."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def signed_headers(secret: str, *, event_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers of one attempt."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
