"""Which URLs can be the id of a client (draft-ietf-oauth-client-id-metadata-document §3).

URLs are compared byte by byte, so only URLs are accepted that every parser reads in the same way. They have no user
name, query, fragment, escaped slash, dot segment or port. The host is a name, and not an IP address in any spelling
that a resolver accepts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from ...crypto.keyring import to_base64url
from ...errors import ActivepiecesError
from ...messages import Message

MAX_LENGTH = 500
_STORED_PREFIX = "url_"

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: A host name with a dot; its last label starts with a letter, unlike ``127.1`` or ``0x7f.1``.
_HOST = rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
#: RFC 3986 §3.3, without escapes that mean ``.``, ``/``, ``\`` or a control character.
_ESCAPE = r"%(?!2[eEfF]|5[cC]|[01][0-9A-Fa-f]|7[fF])[0-9A-Fa-f]{2}"
_PATH = rf"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|{_ESCAPE})+)+/?"
_CLIENT_URL = re.compile(rf"https://(?P<host>{_HOST})(?P<path>{_PATH})")
#: For developers: any port on loopback, also without TLS.
_LOOPBACK_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>[1-9][0-9]{{0,4}}))?(?P<path>{_PATH})"
)


class DocumentError(ActivepiecesError):
    """Raised if a document cannot be read or is invalid. ``reason`` is for the developers of the client."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class ClientUrl:
    """A URL that can be the id of a client, or of its keys."""

    url: str
    scheme: str
    #: Without the brackets of an IPv6 address.
    host: str
    port: int
    path: str
    is_loopback: bool

    @property
    def authority(self) -> str:
        """What the ``Host`` header says (RFC 9110 §7.2)."""
        return urlsplit(self.url).netloc


def looks_like_client_url(client_id: str) -> bool:
    """Whether the id looks like a URL. Other ids of clients contain no colon."""
    return client_id.startswith(("https://", "http://"))


def parse_client_url(url: str, *, allow_loopback: bool) -> ClientUrl:
    """The parts of the URL; `DocumentError` if it cannot be the id of a client."""
    match = None
    if len(url) <= MAX_LENGTH and not {".", ".."} & set(url.split("/")):
        match = _CLIENT_URL.fullmatch(url)
        if match is None and allow_loopback:
            match = _LOOPBACK_URL.fullmatch(url)
    if match is None:
        raise DocumentError(
            Message(
                "The URL must be like https://client.example/metadata.json: https, a host name in lower case and a"
                " path, without a port, user name, query, fragment or dot segment."
            )
        )
    parts = match.groupdict()
    scheme = parts.get("scheme", "https")
    return ClientUrl(
        url=url,
        scheme=scheme,
        host=parts["host"].strip("[]"),
        port=int(parts.get("port") or {"https": 443, "http": 80}[scheme]),
        path=parts["path"],
        is_loopback=match.re is _LOOPBACK_URL,
    )


def stored_id(url: str) -> str:
    """The id of the client in our tables: a hash, because the URL would be too long for an index."""
    return _STORED_PREFIX + to_base64url(sha256(url.encode()).digest())


def is_stored_id(client_id: str) -> bool:
    """Whether a client's id in our tables was made from a URL."""
    return client_id.startswith(_STORED_PREFIX)


def host_of(url: str) -> str:
    """The host of a client's URL, to show to users."""
    return urlsplit(url).netloc
