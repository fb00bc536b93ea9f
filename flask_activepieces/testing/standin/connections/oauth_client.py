"""Activepieces as an OAuth2 client, request by request: over real HTTP, as its library (axios) sends them.

Headers and form fields have the recorded order and spelling. `tokens` decides what is requested and stored.
"""

from __future__ import annotations

import gzip
import http.client
import ipaddress
import json
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote_plus, urljoin, urlsplit

from ..routing.responses import Json

_AGENT = "axios/1.15.2"
_RETRIES, _SECONDS_BETWEEN = 3, 2.0
_MAX_REDIRECTS = 5
#: The private addresses that demos and tests need to call.
LOOPBACK = ("127.0.0.0/8", "::1/128")
#: A real server waits for an exchange without a limit; a test must end.
_TIMEOUT = 60.0


@dataclass(frozen=True)
class TokenRequest:
    """A request that the stand-in sent to a token endpoint, and the status of the response; None without one."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    status: int | None


@dataclass(frozen=True)
class TokenEndpointResponse:
    """The response of a token endpoint, decoded as by axios: as JSON if possible, whatever its content type."""

    status: int
    data: Json = field(repr=False)


class NoResponse(Exception):
    """The token endpoint sent no response."""


class AddressBlocked(NoResponse):
    """The request was not sent: the address is private or invalid."""


def form_encoded(fields: Mapping[str, str]) -> str:
    """The fields as ``URLSearchParams`` writes them."""
    return "&".join(f"{_form_encode(name)}={_form_encode(value)}" for name, value in fields.items())


@dataclass(frozen=True)
class TokenEndpointClient:
    """Sends token requests, and passes each to ``record``."""

    sleep: Callable[[float], None]
    record: Callable[[TokenRequest], None]
    #: The private addresses and networks that may be called; None allows all.
    ssrf_allow_list: Sequence[str] | None = None

    def post(
        self, url: str, fields: Mapping[str, str], *, authorization: str | None, timeout: float = _TIMEOUT
    ) -> TokenEndpointResponse:
        """The response. After a 5xx, the same request is repeated up to three times."""
        body = form_encoded(fields)
        for _ in range(_RETRIES):
            response = self._resolve_path(url, body, authorization, timeout)
            if response.status < 500:
                return response
            self.sleep(_SECONDS_BETWEEN)
        return self._resolve_path(url, body, authorization, timeout)

    def _resolve_path(self, url: str, body: str, authorization: str | None, timeout: float) -> TokenEndpointResponse:
        """Follow redirects: 301, 302 and 303 by a GET without the body, 307 and 308 by the same POST."""
        content: str | None = body
        for _ in range(_MAX_REDIRECTS + 1):
            response, location = self._send(url, content, authorization, timeout)
            if location is None:
                return response
            if response.status in (301, 302, 303):
                content = None
            target = urljoin(url, location)
            if urlsplit(target).netloc != urlsplit(url).netloc:
                authorization = None
            url = target
        raise NoResponse("too many redirects")

    def _send(
        self, url: str, body: str | None, authorization: str | None, timeout: float
    ) -> tuple[TokenEndpointResponse, str | None]:
        parts = check_address(url, self.ssrf_allow_list)
        method = "GET" if body is None else "POST"
        headers = _headers(parts, body, authorization)
        connection = _open_connection(parts, timeout)
        status: int | None = None
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body.encode() if body is not None else None)
            response = connection.getresponse()
            status = response.status
            data = _decode(response.read(), response.getheader("Content-Encoding", ""))
        except (OSError, http.client.HTTPException) as error:
            raise NoResponse(type(error).__name__) from None
        finally:
            connection.close()
            self.record(TokenRequest(method, url, headers, body or "", status))
        redirected = status in (301, 302, 303, 307, 308)
        return TokenEndpointResponse(status, data), response.getheader("Location") if redirected else None


def _headers(parts: SplitResult, body: str | None, authorization: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if authorization is not None:
        headers["authorization"] = authorization
    headers["User-Agent"] = _AGENT
    if body is not None:
        headers["Content-Length"] = str(len(body.encode()))
    headers["Accept-Encoding"] = "gzip, compress, deflate, br"
    headers["Host"] = parts.netloc.rpartition("@")[2]
    headers["Connection"] = "keep-alive"
    return headers


def _open_connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    assert parts.hostname is not None, "_checked has seen to it"
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def check_address(url: str, ssrf_allow_list: Sequence[str] | None) -> SplitResult:
    """The parts of the URL; `AddressBlocked` if the server does not call it."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise AddressBlocked("no address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or set(url) & set("{} \t\r\n"):
        raise AddressBlocked("no address")
    if ssrf_allow_list is not None:
        allowed = [ipaddress.ip_network(entry) for entry in ssrf_allow_list]
        try:
            resolved = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except OSError:
            raise NoResponse("unknown host") from None
        addresses = [ipaddress.ip_address(place[4][0]) for place in resolved]
        if not all(one.is_global or any(one in network for network in allowed) for one in addresses):
            raise AddressBlocked("a private address")
    return parts


def _decode(raw: bytes, encoding: str) -> Json:
    if encoding == "gzip":
        raw = gzip.decompress(raw)
    elif encoding == "deflate":
        raw = zlib.decompress(raw)
    string = raw.decode("utf-8", "replace")
    try:
        return json.loads(string)
    except ValueError:
        return string


def _form_encode(string: str) -> str:
    return quote_plus(string, safe="*").replace("~", "%7E")
