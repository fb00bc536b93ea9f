"""Redirect URIs: which can be registered, and whether a requested one is registered.

They are compared exactly (RFC 9700 §4.1.3): no prefix, no wildcard, no normalization, so that encodings, user names,
extra paths and letter case cannot be abused. The only exception is the port of a loopback address of a public client,
which does not know its port in advance (RFC 8252 §7.3).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from ...config.urls import is_loopback
from ...messages import Message

#: Only RFC 3986 characters: no space, no control character, no backslash, nothing that browsers "repair".
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
#: RFC 8252 §7.3 names the address literals. §8.3 advises against "localhost", which may resolve to another interface
#: of the machine; but agents that run on the user's machine register it, and cannot know their port either.
_LOOPBACK_WITH_PORT = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[1-9][0-9]{0,4})?(/[^#]*)?")
#: RFC 8252 §7.1 requires reversed domain names. These desktop agents use other private schemes.
_AGENT_SCHEMES = {"claude", "cursor", "vscode", "vscode-insiders", "windsurf"}
#: The host is part of a header of the consent page, so it must be a name or an address literal.
_HOST = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9])*(\.[A-Za-z0-9](-*[A-Za-z0-9])*)*|[0-9a-f:.]+")
_MAX_LENGTH = 2000


def validate_redirect_uri(uri: str, *, public: bool) -> Message | None:
    """Why this URI cannot be registered; None if it can."""
    if len(uri) > _MAX_LENGTH or not _URI.fullmatch(uri):
        return Message("must be an absolute URI of plain ASCII characters.")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return Message("not a valid URI.")
    if "#" in uri:  # RFC 6749 §3.1.2
        return Message("must not have a fragment.")
    if parts.scheme in ("http", "https"):
        return _validate_web_uri(parts)
    # RFC 8252 §7.1: a private scheme is a reversed domain name. So javascript: and data: are impossible.
    if "." not in parts.scheme and parts.scheme not in _AGENT_SCHEMES:
        return Message("the scheme must be https, or for an installed app a reversed domain such as com.example.app.")
    if parts.netloc and not _HOST.fullmatch(parts.netloc):
        return Message("invalid host name.")
    if not public:
        return Message("a private scheme is for public clients only.")
    return None


def _validate_web_uri(parts: SplitResult) -> Message | None:
    if not parts.hostname:
        return Message("must have a host name.")
    if not _HOST.fullmatch(parts.hostname):
        return Message("invalid host name.")
    if parts.username is not None:
        return Message("must not have a user name or password.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return Message("must use https; plain http is for loopback only.")
    return None


def matches(requested: str, registered: Sequence[str], *, public: bool) -> bool:
    """Whether the requested URI is one of the registered ones."""
    if requested in registered:
        return True
    if not public:
        return False
    portless = _without_loopback_port(requested)
    return portless is not None and any(_without_loopback_port(uri) == portless for uri in registered)


def _without_loopback_port(uri: str) -> str | None:
    match = _LOOPBACK_WITH_PORT.fullmatch(uri)
    return f"http://{match[1]}{match[3] or ''}" if match else None


def host_or_scheme(uri: str) -> str:
    """The host of an http or https URI, without its port; otherwise the private scheme."""
    parts = urlsplit(uri)
    return (parts.hostname or "") if parts.scheme in ("http", "https") else parts.scheme


def is_on_device(uri: str) -> bool:
    """Whether the URI leads to a program on the user's device: on loopback, or with a private scheme."""
    parts = urlsplit(uri)
    return parts.scheme not in ("http", "https") or is_loopback(parts.hostname or "")


def posts_code_to_opener(uri: str) -> bool:
    """Whether the URI looks like a redirect page of Activepieces, on any host: ``/redirect``, ``/api/redirect``.

    That page posts the code to any ``window.opener``, and does not check ``state``. Its router ignores letter case
    and a slash at the end. Browsers and servers resolve ``..`` differently after ``//`` or ``%2F``, so a path with
    dots counts as one.
    """
    segments = [each for each in unquote(urlsplit(uri).path).lower().split("/") if each]
    return segments[-1:] == ["redirect"] or not {".", ".."}.isdisjoint(segments)


def display_origin(uri: str) -> str:
    """The origin or private scheme of the URI, for the consent page and its ``form-action``."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
