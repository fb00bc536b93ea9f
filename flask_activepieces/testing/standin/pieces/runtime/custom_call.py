"""The action "Custom API call": any request to the app, for what no other action does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from ...routing.responses import Json
from ..calls import ActionCall
from .app import App
from .failures import Failure, sentence_for
from .http import Request
from .properties import is_empty
from .tokens import secrets_of


def call_custom(app: App, call: ActionCall, headers: Mapping[str, str]) -> Json:
    """Status, headers and body of the app's answer."""
    target = urlsplit(_target(app, call))
    body = call.props.get("body")
    sends_body = not is_empty(body) and call.props["method"] != "GET"
    request = Request(
        method=call.props["method"],
        url=f"{target.scheme}://{target.netloc}{target.path}",
        query={**dict(parse_qsl(target.query, keep_blank_values=True)), **(call.props.get("query") or {})},
        headers=headers,
        json=(body,) if sends_body else None,
        timeout="action",
    )
    answer = app.request(call.auth, request)
    if answer.status >= 300:
        raise Failure(sentence_for(app.name, answer, secrets_of(call.auth)), answer.status)
    return {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}


def _target(app: App, call: ActionCall) -> str:
    """A path, or a URL of the app. The request carries the connection's token, which no other server may see."""
    address = app.address_for(call.auth)
    text = str(call.props.get("path") or "").strip()
    target = text if re.match("https?:", text, re.IGNORECASE) else f"{address}/{text.lstrip('/')}"
    if _origin(target) != _origin(address) or "@" in urlsplit(target).netloc:
        raise Failure(f"Enter a path, such as /api/tasks, or a URL that starts with {address}.")
    return target


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        return None
