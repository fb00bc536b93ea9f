"""Fetches the document of a client: one GET request with strict limits.

The URL is not trusted: it must not make this machine call internal addresses, wait for long, or fill its memory.
Redirects are not followed and nothing is decompressed: the status must be 200, and the content JSON.
Section numbers refer to draft-ietf-oauth-client-id-metadata-document.
"""

from __future__ import annotations

import http.client
import re
import ssl
from dataclasses import dataclass, field
from email.message import Message as Headers
from typing import Any, cast

from ...messages import Message
from .client_urls import ClientUrl, DocumentError
from .connection import Connection, Limits, Network, open_connection

#: §6.6 recommends 5 kilobytes.
MAX_BYTES = 5 * 1024
SECONDS = 5
#: Including the headers, and the overhead of a chunked body.
_MAX_RESPONSE_BYTES = 4 * MAX_BYTES

#: The limits of how long a document is used, and the default if its server does not say.
SHORTEST_LIFETIME = 5 * 60
LONGEST_LIFETIME = 24 * 60 * 60
DEFAULT_LIFETIME = 60 * 60

_JSON = re.compile(r"application/(?:json|[a-z0-9!#$&^_.-]+\+json)")
_DIRECTIVE = re.compile(r'([a-z-]+)(?:="?([0-9]{1,9})"?)?')


@dataclass(frozen=True)
class Fetched:
    """A response with status 200 and a JSON content type."""

    body: bytes = field(repr=False)
    #: How many seconds it may be used.
    lifetime: int


class Fetcher:
    """Fetches documents for one app."""

    def __init__(self, network: Network = Network()) -> None:  # noqa: B008  # frozen
        self._network = network

    def limits(self) -> Limits:
        """The time limit for a document and its keys together."""
        return Limits(deadline=self._network.monotonic() + SECONDS, network=self._network)

    def fetch(self, url: ClientUrl, limits: Limits) -> Fetched:
        """The document at this URL; `DocumentError` if it cannot be fetched."""
        self._network.check(url.url)
        try:
            connection = open_connection(url, limits, max_bytes=_MAX_RESPONSE_BYTES)
            try:
                return _exchange(connection, url)
            finally:
                connection.close()
        except TimeoutError:
            raise DocumentError(
                Message("There was no complete response within %(most)d seconds.", most=SECONDS)
            ) from None
        except ssl.SSLError as error:
            raise DocumentError(Message("The certificate of the host is not valid.")) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DocumentError(Message("The connection failed, or the response was not HTTP.")) from error


def _exchange(connection: Connection, url: ClientUrl) -> Fetched:
    connection.send(
        f"GET {url.path} HTTP/1.1\r\n"
        f"Host: {url.authority}\r\n"
        "Accept: application/json\r\n"
        "Accept-Encoding: identity\r\n"
        "User-Agent: flask-activepieces\r\n"
        "Connection: close\r\n\r\n".encode("ascii")
    )
    with http.client.HTTPResponse(cast(Any, connection), method="GET") as response:
        response.begin()
        _check_headers(response)
        body = response.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise _too_large()
    return Fetched(body, lifetime(response.headers))


def _check_headers(response: http.client.HTTPResponse) -> None:
    if response.status != 200:
        # §6.2: a redirect could lead to the document of another host.
        raise DocumentError(Message("Its document has the status %(status)d instead of 200.", status=response.status))
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        # A few kilobytes can decompress to gigabytes.
        raise DocumentError(Message("The response must not be compressed."))
    content_type = response.headers.get_content_type()
    if not _JSON.fullmatch(content_type):
        raise DocumentError(Message("The content type must be application/json."))
    if response.length is not None and response.length > MAX_BYTES:
        raise _too_large()


def _too_large() -> DocumentError:
    return DocumentError(Message("The document has more than %(most)d bytes.", most=MAX_BYTES))


def lifetime(headers: Headers) -> int:
    """How many seconds a response may be used (RFC 9111 §4.2), within our limits."""
    directives: dict[str, str | None] = {}
    for each in ",".join(headers.get_all("Cache-Control", [])).lower().split(","):
        match = _DIRECTIVE.fullmatch(each.strip())
        if match is not None:
            directives.setdefault(match[1], match[2])
    if not directives.keys().isdisjoint({"no-store", "no-cache"}):
        return SHORTEST_LIFETIME
    max_age = directives.get("s-maxage") or directives.get("max-age")
    if max_age is None:
        return DEFAULT_LIFETIME
    age = headers.get("Age", "0").strip()
    seconds = int(max_age) - (int(age) if re.fullmatch(r"[0-9]{1,9}", age) else 0)
    return min(max(seconds, SHORTEST_LIFETIME), LONGEST_LIFETIME)
