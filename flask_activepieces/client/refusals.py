"""From an answer that is no success to the error that it means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from .answers import Answer
from .errors import (
    BadCredential,
    CallFailed,
    ClaimRefused,
    Conflict,
    NeedsPlan,
    NoSuchRoute,
    NoSuchThing,
    NotActivepieces,
    NotAllowed,
    PieceRefused,
    Rejected,
    ServerFault,
    TooManyCalls,
    ValueRefused,
    WorkerAway,
)
from .hints import tidy

_BY_STATUS: Mapping[int, type[CallFailed]] = {
    401: BadCredential,
    402: NeedsPlan,
    403: NotAllowed,
    404: NoSuchThing,
    405: NoSuchRoute,
    409: Conflict,
    410: NoSuchThing,  # what a webhook of an unknown flow answers
}
#: What the engine of Activepieces says when it has nothing to say.
_NOTHING = "{}"
_BY_CODE: Mapping[tuple[int, str], type[CallFailed]] = {
    (400, "INVALID_APP_CONNECTION"): ValueRefused,
    (400, "INVALID_CLAIM"): ClaimRefused,
    (400, "INVALID_CLOUD_CLAIM"): ClaimRefused,
    # A session that was ended, or a user who may not sign in any more: 403, though the token is to blame.
    (403, "SESSION_EXPIRED"): BadCredential,
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


def refusal(call: str, answer: Answer, *, secrets: Sequence[str] = ()) -> CallFailed:
    """The error that an answer with a status outside 200–299 means."""
    status = answer.status
    if not 400 <= status <= 599:
        return _astray(call, answer)
    if status < 500 and answer.is_html and status not in _PROXY_SAYS:
        return NotActivepieces(call, status=status, hint="the answer is a web page, not JSON")
    body = _body(answer)
    code = _code(body)
    said = _said(body)
    hint = tidy(said, secrets=secrets)
    if status == 429:
        return TooManyCalls(call, retry_after=_retry_after(answer, said), code=code, hint=hint)
    if status >= 500:
        meaning = _DATABASE_CODES.get(code or "", "")
        return ServerFault(
            call,
            status=status,
            code=code,
            hint=": ".join(filter(None, [meaning, hint])),
            retry_after=_retry_after(answer),
        )
    return _kind(call, status, code, said)(
        call, status=status, code=code, hint="" if said == _NOTHING else hint
    )


def _kind(call: str, status: int, code: str | None, said: str) -> type[CallFailed]:
    if status == 400 and code == "ENGINE_OPERATION_FAILURE":
        if "did not respond" in said:
            return WorkerAway
        if call == "pieces.install":
            return PieceRefused
    # Seen on a 0.85.2 server when no token arrived, or none that it could read: 403, not 401.
    if status == 403 and said == "principal is not allowed for this route":
        return BadCredential
    if status == 404 and code is None and said.startswith("Route "):
        return NoSuchRoute
    return _BY_CODE.get((status, code or "")) or _BY_STATUS.get(status, Rejected)


def _astray(call: str, answer: Answer) -> NotActivepieces:
    """A redirect is not followed: it would carry the credential to wherever it points."""
    hint = "this is no status of an answer"
    if 300 <= answer.status < 400:
        hint = f"the answer is a redirect{_target(answer.headers.get('location', ''))}"
    return NotActivepieces(call, status=answer.status, hint=hint)


def _target(location: str) -> str:
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    host = tidy(parts.hostname or "")
    return f" to {parts.scheme}://{host}" if host else ""


def _body(answer: Answer) -> Mapping[str, Any]:
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


def _retry_after(answer: Answer, said: str = "") -> float | None:
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
