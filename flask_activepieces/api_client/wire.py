"""The wire: a call becomes bytes, and status, headers and bytes become a value or the right error. Pure.

Three rules hold for everything that goes through here:

1. The status decides. Activepieces has two shapes of error body, and the same cause can give either.
2. JSON is only what says that it is JSON: behind a wrong base URL, Activepieces answers 200 with a web page.
3. A secret that was sent never comes back in an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import InvalidInput
from .error_mapping import refusal
from .errors import UnexpectedResponse
from .response import ApiResponse

#: One value, or several of one name (``status=ACTIVE&status=ERROR``); None is left out.
Query = Mapping[str, "str | int | bool | Sequence[str] | None"]
#: name -> (file name, content, content type)
Files = Mapping[str, "tuple[str, bytes, str]"]


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """What is asked of Activepieces; ``operation`` is its name, for people and for the table of capabilities."""

    operation: str
    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    files: Files | None = field(default=None, repr=False)
    #: Whether sending it twice does no harm.
    repeatable: bool = False


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A call as it goes over the wire; ``form`` and ``files`` together make a multipart body."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    files: Files | None = field(default=None, repr=False)


def segment(identifier: str) -> str:
    """An id or name as one part of a path, so that none can lead to another route; `InvalidInput` if it is none."""
    try:
        quoted = quote(identifier, safe="@")
    except UnicodeEncodeError:
        quoted = ""  # half of a surrogate pair is no character
    if quoted in {"", ".", ".."}:
        raise InvalidInput({"id": f"{identifier!r} is no id"})
    return quoted


def build_request(call: ApiCall, *, root: str, token: str | None, agent: str) -> HttpRequest:
    """The request that makes the call."""
    headers = {"Accept": "application/json", "User-Agent": agent}
    if token is not None:
        # "Bearer" with a capital B: another spelling is not seen at all, and answered as no token.
        headers["Authorization"] = f"Bearer {token}"
    query = urlencode(list(_pairs(call.query)))
    url = f"{root}{call.path}" + (f"?{query}" if query else "")
    if call.files is not None:
        return HttpRequest(
            method=call.method, url=url, headers=headers, form=call.body or {}, files=call.files
        )
    if call.body is None:
        # No content type without a body: Fastify answers 400 to an empty body that says it is JSON.
        return HttpRequest(method=call.method, url=url, headers=headers)
    headers["Content-Type"] = "application/json"
    body = json.dumps(call.body, allow_nan=False).encode()
    return HttpRequest(method=call.method, url=url, headers=headers, body=body)


def decode(call: ApiCall, answer: ApiResponse, *, secrets: Sequence[str] = ()) -> Any:
    """The JSON of a good answer, None for one without a body; else the error that it means is raised."""
    if not 200 <= answer.status < 300:
        raise refusal(call.operation, answer, secrets=secrets)
    if answer.status == 204 or (not answer.body and not answer.is_html):
        return None
    if not answer.is_json:
        kind = answer.content_type or "no content type"
        raise UnexpectedResponse(
            call.operation, status=answer.status, detail=f"the answer is {kind}, not JSON"
        )
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise UnexpectedResponse(
            call.operation,
            status=answer.status,
            detail="the answer says that it is JSON, and is not",
            outcome_unknown=True,
        ) from error


def secrets_of(call: ApiCall) -> tuple[str, ...]:
    """The texts in the call's body that no error may repeat."""
    if not isinstance(call.body, Mapping):
        return ()
    return tuple(
        text for name in _SECRET_FIELDS if name in call.body for text in _leaves(call.body[name])
    )


#: The fields of any body whose content is secret: a connection's value, and what signs somebody in.
_SECRET_FIELDS = ("value", "password", "externalAccessToken")
#: What a connection's value holds that is no secret, and that helps to understand an error.
_OPEN_FIELDS = {"type", "client_id", "redirect_url", "scope", "grant_type", "authorization_method"}


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _OPEN_FIELDS:
                yield from _leaves(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def _pairs(query: Query) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        if value is None:
            continue
        if isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, (str, int)):
            yield name, str(value)
        else:
            yield from ((name, each) for each in value)
