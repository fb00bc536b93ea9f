"""Standard Webhooks: ``webhook-signature`` is a list of "v1," + base64(HMAC-SHA256(secret, "<id>.<time>.<body>"))."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from ...routing.responses import Json, Row
from .failures import to_json

_MOST_SECONDS_AHEAD = 5 * 60
#: Activepieces accepts an event, and runs it when a worker has time: an event that waited must not be lost.
_MOST_SECONDS_BEHIND = 24 * 60 * 60


def problem_with(payload: Row, secrets: Sequence[str], *, now: float) -> str | None:
    """What is wrong with a received event, or None."""
    headers = payload.get("headers") or {}
    uid, timestamp, signatures = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not (uid and timestamp and signatures):
        return "it has no signature."
    if not secrets:
        return "this flow has no subscription."
    if not _is_recent(timestamp, now):
        return "its timestamp is too far from the current time."
    content = f"{uid}.{timestamp}.".encode() + _bytes_of(payload)
    received = [each[3:] for each in str(signatures).split(" ") if each.startswith("v1,")]
    if not any(_is_equal(each, _sign(secret, content)) for secret in secrets for each in received):
        return "its signature does not match."
    body = payload.get("body")
    return (
        None if isinstance(body, dict) and body.get("id") == uid else "its body does not have the id of its header."
    )


def _is_recent(timestamp: str, now: float) -> bool:
    try:
        return -_MOST_SECONDS_AHEAD <= now - float(timestamp) <= _MOST_SECONDS_BEHIND
    except ValueError:
        return False


def _bytes_of(payload: Row) -> bytes:
    """The body as it was received."""
    raw: Json = payload.get("rawBody")
    if isinstance(raw, dict) and raw.get("type") == "Buffer":
        return bytes(raw["data"])  # a Buffer that was JSON on its way from the server to the worker
    return (to_json(payload.get("body")) if raw is None else str(raw)).encode()


def _sign(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def _is_equal(received: str, expected: str) -> bool:
    return hmac.compare_digest(received.encode(), expected.encode())
