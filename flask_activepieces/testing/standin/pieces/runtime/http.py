"""One HTTP request to the app of a piece."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests

from ...routing.responses import Json

#: Seconds, as in the JavaScript.
TIMEOUTS: dict[str, float] = {"action": 120, "form": 20, "signIn": 12, "trigger": 30}

#: A part of a form: its name, the file's name or None, and its content.
Part = tuple[str, str | None, bytes]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, before it has the token of the connection."""

    method: str
    url: str
    query: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The body, if any: a JSON value in a tuple of one, or a form.
    json: tuple[Json] | None = None
    form: Sequence[Part] | None = None
    timeout: str


@dataclass(frozen=True)
class Answer:
    """Any answer, with its body as JSON or text, and the names of its headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Json


class Unanswered(Exception):
    """The app sent no answer, or none in time (``seconds``)."""

    def __init__(self, cause: str, seconds: float | None = None) -> None:
        super().__init__(cause)
        self.seconds = seconds


def send(request: Request) -> Answer:
    """Send one request; redirects are not followed."""
    seconds = TIMEOUTS[request.timeout]
    with requests.Session() as session:
        # No proxy and no password of the machine's user.
        session.trust_env = False
        try:
            response = session.request(
                request.method,
                request.url + query_string(request.query),
                headers={"accept": "application/json", **request.headers, **_content_type(request)},
                data=None if request.json is None else _to_json(request.json[0]),
                files=None if request.form is None else [_as_file(part) for part in request.form],
                timeout=seconds,
                allow_redirects=False,
            )
        except requests.Timeout as error:
            raise Unanswered("timeout", seconds) from error
        except requests.RequestException as error:
            # The time may also run out while the body is read.
            if "timed out" in str(error):
                raise Unanswered("timeout", seconds) from error
            raise Unanswered(_reason(error)) from error
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, _parse(response))


def query_string(values: Mapping[str, Json]) -> str:
    """Lists are repeated names; objects are JSON, as no query has a form for them."""
    pairs = [(name, text(each)) for name, value in values.items() for each in _listed(value)]
    return f"?{urlencode(pairs)}" if pairs else ""


def text(value: Json) -> str:
    """A value as JavaScript writes it in a URL."""
    return value if isinstance(value, str) else _to_json(value).decode()


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _content_type(request: Request) -> dict[str, str]:
    return {} if request.json is None else {"content-type": "application/json"}


def _as_file(part: Part) -> tuple[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]]:
    name, file_name, content = part
    return name, (None, content) if file_name is None else (file_name, content, "application/octet-stream")


def _reason(error: BaseException) -> str:
    """The name of the innermost system error, such as ECONNREFUSED."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno is not None and found.errno in errno.errorcode:
            return errno.errorcode[found.errno]
        reason = getattr(found, "reason", None)
        inner = next((each for each in (reason, *found.args) if isinstance(each, BaseException)), None)
        found = inner or found.__context__
    return type(error).__name__


def _parse(response: requests.Response) -> Json:
    decoded = response.content.decode("utf-8", "replace")
    try:
        return json.loads(decoded)
    except ValueError:
        return decoded


def _to_json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
