"""From an answer that is no success to the error that it means."""

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
from .redaction import tidy
from .response import ApiResponse

_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: AuthenticationFailed,
    402: PlanUpgradeRequired,
    403: PermissionDenied,
    404: ResourceNotFound,
    405: RouteNotFound,
    409: Conflict,
    410: ResourceNotFound,  # what a webhook of an unknown flow answers
}
#: What the engine of Activepieces says when it has nothing to say.
_NOTHING = "{}"
_BY_CODE: Mapping[tuple[int, str], type[ApiError]] = {
    (400, "INVALID_APP_CONNECTION"): ConnectionValueRejected,
    (400, "INVALID_CLAIM"): CodeExchangeFailed,
    (400, "INVALID_CLOUD_CLAIM"): CodeExchangeFailed,
    # A session that was ended, or a user who may not sign in any more: 403, though the token is to blame.
    (403, "SESSION_EXPIRED"): AuthenticationFailed,
}
#: The PostgreSQL codes that Activepieces lets through, in words.
_DATABASE_CODES = {
    "22021": "a text contains a NUL character",
    "23502": "a required value is missing",
    "23503": "it refers to something that is not there",
    "23505": "something with the same unique value is there already",
}
#: A proxy before Activepieces answers these in HTML, and means what the status says.
_PROXY_SAYS = {413, 429}

_CODE = re.compile(r"[A-Za-z0-9_]{1,64}")
_SECONDS_IN_WORDS = re.compile(r"retry in (\d{1,6}) (second|minute|hour)")
_UNITS = {"second": 1, "minute": 60, "hour": 3600}


def refusal(call: str, answer: ApiResponse, *, secrets: Sequence[str] = ()) -> ApiError:
    """The error that an answer with a status outside 200–299 means."""
    status = answer.status
    if not 400 <= status <= 599:
        return _astray(call, answer)
    if status < 500 and answer.is_html and status not in _PROXY_SAYS:
        return UnexpectedResponse(call, status=status, detail="the answer is a web page, not JSON")
    body = _body(answer)
    code = _code(body)
    said = _said(body)
    detail = tidy(said, secrets=secrets)
    if status == 429:
        return RateLimited(call, retry_after=_retry_after(answer, said), code=code, detail=detail)
    if status >= 500:
        meaning = _DATABASE_CODES.get(code or "", "")
        return ServerError(
            call,
            status=status,
            code=code,
            detail=": ".join(filter(None, [meaning, detail])),
            retry_after=_retry_after(answer),
        )
    return _kind(call, status, code, said)(
        call, status=status, code=code, detail="" if said == _NOTHING else detail
    )


def _kind(call: str, status: int, code: str | None, said: str) -> type[ApiError]:
    if status == 400 and code == "ENGINE_OPERATION_FAILURE":
        if "did not respond" in said:
            return WorkerUnavailable
        if call == "pieces.install":
            return PieceInstallationFailed
    # Seen on a 0.85.2 server when no token arrived, or none that it could read: 403, not 401.
    if status == 403 and said == "principal is not allowed for this route":
        return AuthenticationFailed
    if status == 404 and code is None and said.startswith("Route "):
        return RouteNotFound
    return _BY_CODE.get((status, code or "")) or _BY_STATUS.get(status, InvalidRequest)


def _astray(call: str, answer: ApiResponse) -> UnexpectedResponse:
    """A redirect is not followed: it would carry the credential to wherever it points."""
    detail = "this is no status of an answer"
    if 300 <= answer.status < 400:
        detail = f"the answer is a redirect{_target(answer.headers.get('location', ''))}"
    return UnexpectedResponse(call, status=answer.status, detail=detail)


def _target(location: str) -> str:
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    host = tidy(parts.hostname or "")
    return f" to {parts.scheme}://{host}" if host else ""


def _body(answer: ApiResponse) -> Mapping[str, Any]:
    if not answer.is_json:
        return {}
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _code(body: Mapping[str, Any]) -> str | None:
    code = body.get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _said(body: Mapping[str, Any]) -> str:
    """What the body says in words, wherever this kind of body has them."""
    params = body.get("params")
    inner: Mapping[str, Any] = params if isinstance(params, dict) else {}
    for text in (
        inner.get("message"),
        inner.get("error"),
        _missing(inner),
        _permission(inner),
        body.get("message"),
        body.get("error_description"),
        body.get("error"),
    ):
        if isinstance(text, str) and text:
            return text
    return ""


def _missing(params: Mapping[str, Any]) -> str | None:
    kind, identifier = params.get("entityType"), params.get("entityId")
    if not isinstance(kind, str):
        return None
    return f"no {kind} {identifier}" if isinstance(identifier, str) else f"no such {kind}"


def _permission(params: Mapping[str, Any]) -> str | None:
    permission = params.get("permission")
    return f"this needs the permission {permission}" if isinstance(permission, str) else None


def _retry_after(answer: ApiResponse, said: str = "") -> float | None:
    """Seconds to wait: of the header, or else of the message, which names them too."""
    given = answer.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    until, now = _instant(given), _instant(answer.headers.get("date", ""))
    if (
        until is not None and now is not None
    ):  # RFC 9110 §10.2.3: a date; ours is not needed to read it
        return max(0.0, until - now)
    words = _SECONDS_IN_WORDS.search(said)
    return float(int(words[1]) * _UNITS[words[2]]) if words else None


def _instant(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
