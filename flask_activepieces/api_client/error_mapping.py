"""From an unsuccessful response to its `ApiError`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from .errors import (
    ApiError,
    AuthenticationFailed,
    CodeExchangeFailed,
    Conflict,
    ConnectionValueRejected,
    InvalidRequest,
    PermissionDenied,
    PieceInstallationFailed,
    PlanUpgradeRequired,
    RateLimited,
    ResourceNotFound,
    RouteNotFound,
    ServerError,
    UnexpectedResponse,
    WorkerUnavailable,
)
from .redaction import redact
from .response import ApiResponse

_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: AuthenticationFailed,
    402: PlanUpgradeRequired,
    403: PermissionDenied,
    404: ResourceNotFound,
    405: RouteNotFound,
    409: Conflict,
    410: ResourceNotFound,  # the webhook of an unknown flow
}
_BY_CODE: Mapping[tuple[int, str], type[ApiError]] = {
    (400, "INVALID_APP_CONNECTION"): ConnectionValueRejected,
    (400, "INVALID_CLAIM"): CodeExchangeFailed,
    (400, "INVALID_CLOUD_CLAIM"): CodeExchangeFailed,
    # An ended session, or a deactivated user: 403, although the token is the reason.
    (403, "SESSION_EXPIRED"): AuthenticationFailed,
}
#: PostgreSQL codes that Activepieces passes on.
_DATABASE_ERRORS = {
    "22021": "a string contains a NUL character",
    "23502": "a required value is missing",
    "23503": "it refers to something that does not exist",
    "23505": "something with the same unique value exists",
}
#: The message of Activepieces' engine when it has none.
_EMPTY_MESSAGE = "{}"
#: The statuses that a proxy in front of Activepieces answers with an HTML page, and that are right.
_PROXY_STATUSES = {413, 429}

_CODE = re.compile(r"[A-Za-z0-9_]{1,64}")
_RETRY_IN_MESSAGE = re.compile(r"retry in (\d{1,6}) (second|minute|hour)")
_UNITS = {"second": 1, "minute": 60, "hour": 3600}


def error_from_response(operation: str, response: ApiResponse, *, secrets: Sequence[str] = ()) -> ApiError:
    """The error for a response whose status is not 200–299."""
    status = response.status
    if not 400 <= status <= 599:
        return _unexpected_status(operation, response)
    if status < 500 and response.is_html and status not in _PROXY_STATUSES:
        detail = "the response is a web page, not JSON"
        return UnexpectedResponse(operation, status=status, detail=detail)
    body = _json_object(response)
    code = _code(body)
    message = _message(body)
    detail = redact(message, secrets=secrets)
    if status == 429:
        retry_after = _retry_after(response, message)
        return RateLimited(operation, status=status, code=code, detail=detail, retry_after=retry_after)
    if status >= 500:
        return ServerError(
            operation,
            status=status,
            code=code,
            detail=": ".join(filter(None, [_DATABASE_ERRORS.get(code or ""), detail])),
            retry_after=_retry_after(response),
        )
    error_class = _error_class(operation, status, code, message)
    return error_class(operation, status=status, code=code, detail="" if message == _EMPTY_MESSAGE else detail)


def _error_class(operation: str, status: int, code: str | None, message: str) -> type[ApiError]:
    if status == 400 and code == "ENGINE_OPERATION_FAILURE":
        if "did not respond" in message:
            return WorkerUnavailable
        if operation == "pieces.install":
            return PieceInstallationFailed
    # Seen on a 0.85.2 server without a readable token: 403, not 401.
    if status == 403 and message == "principal is not allowed for this route":
        return AuthenticationFailed
    if status == 404 and code is None and message.startswith("Route "):
        return RouteNotFound
    return _BY_CODE.get((status, code or "")) or _BY_STATUS.get(status, InvalidRequest)


def _unexpected_status(operation: str, response: ApiResponse) -> UnexpectedResponse:
    """Redirects are not followed: the credential would go wherever they point."""
    detail = "the status is not an HTTP status"
    if 300 <= response.status < 400:
        detail = f"the response is a redirect{_redirect_target(response)}"
    return UnexpectedResponse(operation, status=response.status, detail=detail)


def _redirect_target(response: ApiResponse) -> str:
    try:
        parts = urlsplit(response.headers.get("location", ""))
    except ValueError:
        return ""
    host = redact(parts.hostname or "")
    return f" to {parts.scheme}://{host}" if host else ""


def _json_object(response: ApiResponse) -> Mapping[str, Any]:
    if not response.is_json:
        return {}
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _code(body: Mapping[str, Any]) -> str | None:
    code = body.get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _message(body: Mapping[str, Any]) -> str:
    """The message, from the first of the places where Activepieces puts one."""
    params = body.get("params")
    inner: Mapping[str, Any] = params if isinstance(params, dict) else {}
    candidates = (
        inner.get("message"),
        inner.get("error"),
        _missing_entity(inner),
        _missing_permission(inner),
        body.get("message"),
        body.get("error_description"),
        body.get("error"),
    )
    return next((each for each in candidates if isinstance(each, str) and each), "")


def _missing_entity(params: Mapping[str, Any]) -> str | None:
    entity, identifier = params.get("entityType"), params.get("entityId")
    if not isinstance(entity, str):
        return None
    return f"no {entity} {identifier}" if isinstance(identifier, str) else f"no such {entity}"


def _missing_permission(params: Mapping[str, Any]) -> str | None:
    permission = params.get("permission")
    return f"this needs the permission {permission}" if isinstance(permission, str) else None


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
