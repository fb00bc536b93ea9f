"""From an API call to an HTTP request. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ..errors import InvalidInput

#: A sequence repeats the name (``status=ACTIVE&status=ERROR``); None is left out.
Query = Mapping[str, "str | int | bool | Sequence[str] | None"]
#: name -> (file name, content, content type)
Files = Mapping[str, "tuple[str, bytes, str]"]


@dataclass(frozen=True, kw_only=True)
class Timeout:
    """Seconds: to connect, to wait for the next bytes, and for the call with all its attempts."""

    connect: float = 5
    read: float = 30
    total: float = 60


@dataclass(frozen=True)
class ApiCall:
    """A call to Activepieces. ``operation`` is its name in errors and in `capabilities`."""

    operation: str
    method: str
    path: str
    _: KW_ONLY
    query: Query = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    files: Files | None = field(default=None, repr=False)
    #: Whether a repetition does no harm. A GET is always idempotent.
    idempotent: bool = False
    authenticate: bool = True
    #: None: the client's.
    timeout: Timeout | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again although it may have reached the server."""
        return self.idempotent or self.method == "GET"


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """The HTTP request of a call; ``form`` and ``files`` together make a multipart body."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    files: Files | None = field(default=None, repr=False)


def api_root(base_url: str) -> str:
    """The URL to which paths of the API are appended; `ValueError` if the address is invalid.

    ``https://host``, ``https://host/``, ``https://host/api`` and ``https://host/api/v1`` are the same server. An
    address that ends in ``/v1`` is not changed: a 0.78 server without the nginx of its image has no ``/api``.
    """
    address = base_url.strip()
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the base URL must be http(s)://host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the base URL must not contain a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("the base URL must not contain a query or a fragment")
    _ = parts.port  # raises ValueError for an invalid port
    path = parts.path.rstrip("/")
    if not path.endswith("/v1"):
        path = f"{path.removesuffix('/api')}/api/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def path_segment(identifier: str) -> str:
    """An id or name, quoted so that it cannot lead to another route."""
    try:
        quoted = quote(identifier, safe="@")
    except UnicodeEncodeError:
        quoted = ""  # half of a surrogate pair
    if quoted in {"", ".", ".."}:
        raise InvalidInput({"id": f"invalid id {identifier!r}"})
    return quoted


def api_path(route: str, *segments: str) -> str:
    """The path of a route; ids and names in it are quoted."""
    return "/".join([route, *map(path_segment, segments)])


def build_request(call: ApiCall, *, root: str, token: str | None, user_agent: str) -> HttpRequest:
    """The request for a call; ``root`` is the URL of the API."""
    headers = {"Accept": "application/json", "User-Agent": user_agent}
    if token is not None:
        # Activepieces ignores the header unless "Bearer" has a capital B.
        headers["Authorization"] = f"Bearer {token}"
    pairs = {name: value for name, value in call.query.items() if value is not None}
    pairs |= {name: str(value).lower() for name, value in pairs.items() if isinstance(value, bool)}
    query = urlencode(pairs, doseq=True)
    url = f"{root}{call.path}" + (f"?{query}" if query else "")
    if call.files is not None:
        return HttpRequest(method=call.method, url=url, headers=headers, form=call.body or {}, files=call.files)
    body = None
    if call.body is not None:
        # Without a body no content type: Fastify answers 400 to an empty JSON body.
        headers["Content-Type"] = "application/json"
        body = json.dumps(call.body, allow_nan=False).encode()
    return HttpRequest(method=call.method, url=url, headers=headers, body=body)


def secrets_of(call: ApiCall) -> tuple[str, ...]:
    """The strings in the call's body that no error may repeat."""
    if not isinstance(call.body, Mapping):
        return ()
    return tuple(_leaf_values({name: call.body.get(name) for name in _SECRET_FIELDS}))


#: The fields of a body with secrets: a connection's value, and what a sign-in sends.
_SECRET_FIELDS = ("value", "password", "externalAccessToken")
#: The fields of a connection's value that are not secret, and that help to understand an error.
_PUBLIC_FIELDS = {"type", "client_id", "redirect_url", "scope", "grant_type", "authorization_method"}


def _leaf_values(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _PUBLIC_FIELDS:
                yield from _leaf_values(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaf_values(inner)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)
