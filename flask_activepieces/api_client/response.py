"""From an HTTP response to JSON or an error. Pure functions.

1. The status decides. Activepieces has two formats of error body, and the same cause can produce either.
2. Only a JSON content type counts as JSON: with a wrong base URL, Activepieces answers 200 with a web page.
3. An error never repeats a secret that was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

from . import errors
from .errors import ApiError, UnexpectedResponse

_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: errors.AuthenticationFailed,
    402: errors.PlanUpgradeRequired,
    403: errors.PermissionDenied,
    404: errors.ResourceNotFound,
    405: errors.RouteNotFound,
    409: errors.Conflict,
    410: errors.ResourceNotFound,  # the webhook of an unknown flow
    429: errors.RateLimited,
}
_BY_CODE: Mapping[tuple[int, str], type[ApiError]] = {
    (400, "INVALID_APP_CONNECTION"): errors.ConnectionValueRejected,
    (400, "INVALID_CLAIM"): errors.CodeExchangeFailed,
    (400, "INVALID_CLOUD_CLAIM"): errors.CodeExchangeFailed,
    # An ended session, or a deactivated user: 403, although the token is the reason.
    (403, "SESSION_EXPIRED"): errors.AuthenticationFailed,
}
#: PostgreSQL codes that Activepieces passes on.
_DATABASE_ERRORS = {
    "22021": "a string contains a NUL character",
    "23502": "a required value is missing",
    "23503": "it refers to something that does not exist",
    "23505": "something with the same unique value exists",
}
#: The placeholder of Activepieces' engine for a missing message.
_EMPTY_MESSAGE = "{}"
#: The statuses that are correct even with an HTML page, because a proxy in front of Activepieces sends one.
_PROXY_STATUSES = {413, 429}

_CODE = re.compile(r"[A-Za-z0-9_]{1,64}")
_RETRY_IN_MESSAGE = re.compile(r"retry in (\d{1,6}) (second|minute|hour)")
_UNITS = {"second": 1, "minute": 60, "hour": 3600}

_MAX_LENGTH = 300
#: The rest of a longer message is dropped before anything else.
_MAX_INPUT = 10_000
#: A shorter secret is only removed as a whole word: "a" would match inside most words.
_MIN_SECRET = 4


@dataclass(frozen=True)
class ApiResponse:
    """Status, headers (names in lower case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the content type is a JSON type."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    @property
    def is_html(self) -> bool:
        """Whether the content type is that of a web page."""
        return self.media_type in {"text/html", "application/xhtml+xml"}


def decode(operation: str, response: ApiResponse, *, secrets: Sequence[str] = ()) -> Any:
    """The JSON of a successful response, or None if it has no body; otherwise raises its `ApiError`."""
    if not 200 <= response.status < 300:
        raise error_from_response(operation, response, secrets=secrets)
    if response.status == 204 or (not response.body and not response.is_html):
        return None
    if not response.is_json:
        media_type = response.media_type or "without a content type"
        detail = f"the response is {media_type}, not JSON"
        raise UnexpectedResponse(operation, status=response.status, detail=detail)
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise UnexpectedResponse(
            operation, status=response.status, detail="the response is not valid JSON", outcome_unknown=True
        ) from error


def error_from_response(operation: str, response: ApiResponse, *, secrets: Sequence[str] = ()) -> ApiError:
    """The error for a response whose status is not 200–299."""
    status = response.status
    if not 400 <= status <= 599:
        detail = "the status is not an HTTP status"
        if 300 <= status < 400:
            # Redirects are not followed, because their target would get the credential.
            detail = f"the response is a redirect{_redirect_target(response)}"
        return UnexpectedResponse(operation, status=status, detail=detail)
    if status < 500 and response.is_html and status not in _PROXY_STATUSES:
        return UnexpectedResponse(operation, status=status, detail="the response is a web page, not JSON")
    body = _json_object(response)
    code = body.get("code")
    if not (isinstance(code, str) and _CODE.fullmatch(code)):
        code = None
    message = _message(body)
    detail = redact(message, secrets=secrets)
    retry_after = None
    if status == 429:
        retry_after = _retry_after(response, message)
    elif status >= 500:
        retry_after = _retry_after(response)
        detail = ": ".join(filter(None, [_DATABASE_ERRORS.get(code or ""), detail]))
    elif message == _EMPTY_MESSAGE:
        detail = ""
    error_class = _error_class(operation, status, code, message)
    return error_class(operation, status=status, code=code, detail=detail, retry_after=retry_after)


def _error_class(operation: str, status: int, code: str | None, message: str) -> type[ApiError]:
    if status == 400 and code == "ENGINE_OPERATION_FAILURE":
        if "did not respond" in message:
            return errors.WorkerUnavailable
        if operation == "pieces.install":
            return errors.PieceInstallationFailed
    # Seen on a 0.85.2 server without a readable token: 403, not 401.
    if status == 403 and message == "principal is not allowed for this route":
        return errors.AuthenticationFailed
    if status == 404 and code is None and message.startswith("Route "):
        return errors.RouteNotFound
    default = errors.ServerError if status >= 500 else errors.InvalidRequest
    return _BY_CODE.get((status, code or "")) or _BY_STATUS.get(status, default)


def _redirect_target(response: ApiResponse) -> str:
    try:
        parts = urlsplit(response.headers.get("location", ""))
    except ValueError:
        return ""
    host = redact(parts.hostname or "")
    return f" to {parts.scheme}://{host}" if host else ""


def _json_object(response: ApiResponse) -> Mapping[str, Any]:
    try:
        body = json.loads(response.body) if response.is_json else None
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _message(body: Mapping[str, Any]) -> str:
    """The message, from the first of the places where Activepieces puts one."""
    params = body.get("params")
    inner: Mapping[str, Any] = params if isinstance(params, dict) else {}
    entity, identifier, permission = (inner.get(name) for name in ("entityType", "entityId", "permission"))
    no_entity = f"no {entity} {identifier}" if isinstance(identifier, str) else f"no such {entity}"
    candidates = (
        inner.get("message"),
        inner.get("error"),
        no_entity if isinstance(entity, str) else None,
        f"this needs the permission {permission}" if isinstance(permission, str) else None,
        body.get("message"),
        body.get("error_description"),
        body.get("error"),
    )
    return next((each for each in candidates if isinstance(each, str) and each), "")


def _retry_after(response: ApiResponse, message: str = "") -> float | None:
    """Seconds to wait, from the header or else from the message."""
    header = response.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return float(header[:9])
    # RFC 9110 §10.2.3: or a date, which is compared with the server's clock.
    until, now = _parse_http_date(header), _parse_http_date(response.headers.get("date", ""))
    if until is not None and now is not None:
        return max(0.0, until - now)
    match = _RETRY_IN_MESSAGE.search(message)
    return float(int(match[1]) * _UNITS[match[2]]) if match else None


def _parse_http_date(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def redact(message: str, *, secrets: Iterable[str] = ()) -> str:
    """The message on one line of at most 300 characters, with each secret replaced by an ellipsis."""
    message = message[:_MAX_INPUT]
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    # Longest first: a secret that is part of another one would leave the rest of it.
    for spelling in sorted(spellings, key=len, reverse=True):
        pattern = re.escape(spelling)
        if len(spelling) < _MIN_SECRET:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        message = re.sub(pattern, "…", message)
    # Unprintable characters control terminals, reorder text or are invisible.
    message = "".join(char if char.isprintable() else " " for char in message)
    message = " ".join(message.split())
    return message if len(message) <= _MAX_LENGTH else f"{message[: _MAX_LENGTH - 1].rstrip()}…"


def _spellings(secret: str) -> tuple[str, ...]:
    """The secret itself, in JSON and in a URL."""
    return (secret, json.dumps(secret)[1:-1], quote(secret, safe="")) if secret.strip() else ()
