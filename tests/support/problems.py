"""Problem details, the errors of our JSON API (RFC 9457)."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from .actors import answer_of


def problem(response: TestResponse, status: int, title: str) -> dict[str, Any]:
    """Assert the status and title of a problem; return its body."""
    body = answer_of(response, status)
    assert response.mimetype == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert (body["type"], body["status"], body["title"]) == ("about:blank", status, title)
    assert body["detail"]
    return body
