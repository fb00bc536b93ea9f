"""Sends one event to one webhook of Activepieces, and reports the response. Redirects are not followed."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import Any

from ..api_client.errors import ApiError
from ..api_client.webhook_calls import WebhookCalls
from ..api_client.wire import Timeout
from ..clock import Clock
from ..crypto.webhook_signatures import signed_headers
from .outcomes import Attempt

#: How much of a response the log keeps, in bytes.
MAX_RESPONSE = 500


class Sender:
    """Sends the events of one app, from any number of threads."""

    def __init__(self, calls: WebhookCalls, *, timeout: Timeout, clock: Clock) -> None:
        self._calls = calls
        self._timeout = timeout
        self._clock = clock

    def send(
        self, url: str, *, secret: str, event_id: str, trigger_name: str, created_at: int, payload: Any
    ) -> Attempt:
        """One attempt, signed now."""
        happened = datetime.fromtimestamp(created_at, timezone.utc).isoformat()
        content = {"id": event_id, "type": trigger_name, "timestamp": happened, "data": payload}
        body = json.dumps(content, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "flask-activepieces",
            **signed_headers(secret, event_id=event_id, timestamp=int(self._clock()), body=body),
        }
        started = time.monotonic()
        try:
            response = self._calls.post(url, headers, body, timeout=self._timeout)
        except ApiError as error:
            return Attempt(None, error.detail or type(error).__name__, _milliseconds(started))
        return Attempt(
            response.status,
            None,
            _milliseconds(started),
            # PostgreSQL stores no NUL character.
            response.body[:MAX_RESPONSE].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
            _retry_after(response.headers.get("retry-after")),
            response.is_html,
        )


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _retry_after(header: str | None) -> int | None:
    # RFC 9110 §10.2.3. A date is rare, and ignored.
    return int(header) if header and header.isascii() and header.isdigit() and len(header) < 8 else None
