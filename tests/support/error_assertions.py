"""Assertions on errors, in the format that the RFC requires for each receiver, and on unchanged tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.test import TestResponse

from .actors import CALLBACK, answer_of, brought_back
from .pages import Page
from .storage import row_counts

#: The characters that RFC 6749 §4.1.2.1 and §5.2 allow in an error_description.
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")


def assert_oauth_error(response: TestResponse, status: int, error: str) -> str:
    """Assert an error response to a program (RFC 6749 §5.2); return its description."""
    body = answer_of(response, status)
    assert set(body) <= {"error", "error_description"}, body
    assert body["error"] == error, body
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.location is None
    description = body.get("error_description", "")
    assert isinstance(description, str)
    assert _DESCRIPTION.fullmatch(description), f"the description is missing or has invalid characters: {body}"
    return description


def assert_error_page(response: TestResponse, status: int = 400) -> Page:
    """Assert an error page for a person: without a redirect, and not frameable."""
    assert response.status_code == status, response.text
    assert response.location is None
    assert response.mimetype == "text/html"
    assert_not_frameable(response)
    page = Page(response)
    assert "http-equiv" not in str(page.tags), "a page can redirect as well"
    return page


def assert_not_frameable(response: TestResponse) -> None:
    """Assert the headers of RFC 9700 §4.16, for browsers with and without CSP."""
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


def assert_error_redirect(
    response: TestResponse,
    error: str,
    *,
    state: str | None = "a state",
    issuer: str = "http://localhost",
    to: str = CALLBACK,
) -> str:
    """Assert a redirect with an error (RFC 6749 §4.1.2.1, RFC 9207 §2); return its description."""
    assert response.status_code == 303, response.text
    assert response.location.startswith(f"{to}?")
    parameters = brought_back(response)
    description = parameters.pop("error_description")
    assert _DESCRIPTION.fullmatch(description)
    assert parameters == {"error": error, "iss": issuer} | ({} if state is None else {"state": state})
    return description


@contextmanager
def assert_nothing_stored(app: Flask) -> Iterator[None]:
    """Assert that the block neither adds nor removes rows."""
    before = row_counts(app)
    yield
    assert row_counts(app) == before
