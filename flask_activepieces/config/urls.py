"""URLs in the configuration, and the issuer. Each function returns the stored form of a URL, or raises ValueError.

The issuer of codes, tokens and metadata is ``ACTIVEPIECES_PUBLIC_URL``, so that a forged Host header cannot get into
a document or a token. Without the setting, only loopback works, with the host name of the request.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ..errors import SetupError

#: RFC 3986 characters: nothing that ends a header line or an attribute, nothing that a browser "repairs".
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+")
#: A server's name; a name in a container network may have underscores.
_NAME = re.compile(r"[a-z0-9_](-*[a-z0-9_])*(\.[a-z0-9_](-*[a-z0-9_])*)*")
#: Spellings that a resolver may accept as an IPv4 address: ``127.1``, ``0x7f000001``, ``2130706433``.
_NUMBER_AT_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_~.-]+)*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def split_url(url: str) -> SplitResult:
    """The parts of a URL; `ValueError` if it has invalid characters."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("not a valid URL") from None
    if not _URL.fullmatch(url):
        raise ValueError("contains characters that are not allowed in a URL")
    return parts


def public_url(value: Any) -> str:
    """The address of the app: https, or loopback."""
    url = str(value).rstrip("/")
    parts = split_url(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an absolute URL such as https://app.example.com")
    if parts.query or parts.fragment or parts.username is not None:
        # RFC 8414 §2: an issuer has no query and no fragment.
        raise ValueError("must not have a user name, query or fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("http is allowed for loopback only; use https://")
    return url


def web_origin(value: Any) -> str:
    """The origin of web pages, as browsers write it in the header ``Origin`` (RFC 6454 §6.2)."""
    url = public_url(value).lower()
    parts = urlsplit(url)
    if parts.path:
        raise ValueError("must be an origin without a path, such as https://inspector.example.com")
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{url.partition('//')[0]}//{parts.netloc.rpartition('@')[2].removesuffix(f':{parts.port}')}{port}"


def is_loopback(hostname: str) -> bool:
    """Whether a host name or address literal is this machine itself (RFC 8252 §7.3)."""
    if hostname == "localhost":
        return True
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return False  # a name, which only a DNS server can resolve


def server_url(value: Any) -> str:
    """The address of an Activepieces server in its canonical spelling, so that addresses can be compared.

    It is in lower case, without a default port and without a slash at the end. It contains nothing that two parsers
    of URLs could interpret differently.
    """
    if not isinstance(value, str):
        raise ValueError("must be a string")
    parts = split_url(value)
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        raise ValueError("must be an absolute URL such as https://activepieces.example.com")
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise ValueError("must not have a user name, query or fragment")
    path = parts.path.rstrip("/")
    if not _PLAIN_PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError("path must not contain dot segments, escapes or empty segments")
    port = parts.port
    if port == 0:
        raise ValueError("port 0 is not allowed")
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{_host_of(parts)}{suffix}{path}"


def _host_of(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if parts.netloc.startswith("[") or _NUMBER_AT_END.fullmatch(host):
        try:
            address = ip_address(host)
        except ValueError:
            raise ValueError("host is not a canonical IP address") from None
        return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    if not _NAME.fullmatch(host):
        raise ValueError("invalid host name")
    return host


def script_url(value: Any) -> str:
    """The address of a script that pages load: https, or loopback."""
    url = str(value)
    parts = split_url(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise ValueError("must be an absolute URL such as https://cdn.example.com/embed.js")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        # Anyone who can change the script in transit can act on behalf of every user.
        raise ValueError("http is allowed for loopback only; use https://")
    return url


def path_prefix(value: Any) -> str:
    """The prefix of a group of paths."""
    prefix = str(value)
    if not prefix.startswith("/") or prefix.endswith("/") or "//" in prefix or set(prefix) & set("?#<>"):
        raise ValueError("must be a path that starts with a slash and ends without one, such as /oauth")
    return prefix


def redis_url(value: Any) -> str:
    """A URL that redis-py accepts."""
    url = str(value)
    if urlsplit(url).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return url


def consent_url(value: Any, *, app_url: str | None) -> str:
    """The app's own consent page: a path, or a URL with the app's origin.

    A page of another origin could not send the decision: browsers send no cookie with its call, which is rejected as
    cross-site.
    """
    url = str(value)
    parts = split_url(url)
    is_path = url.startswith("/") and not parts.scheme and not parts.netloc
    is_ours = app_url is not None and parts.username is None and origin(url) == origin(app_url)
    if not (is_path or is_ours) or parts.fragment:
        raise ValueError(
            "must be a path of this app, or a URL with the origin of ACTIVEPIECES_PUBLIC_URL, without a fragment"
        )
    return url


def origin(url: str) -> tuple[str, str | None, int | None]:
    """The origin of a URL, normalized (RFC 6454 §4)."""
    parts = urlsplit(url)
    default = _DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, default if parts.port is None else parts.port


def loopback_issuer(asked_url: str) -> str:
    """The issuer of an app without a public URL, for a request to ``asked_url``; `SetupError` off loopback."""
    if not is_loopback(urlsplit(asked_url).hostname or ""):
        raise SetupError(
            "This app does not know its own public address."
            " Set ACTIVEPIECES_PUBLIC_URL, for example to https://app.example.com."
        )
    return asked_url.rstrip("/")


def same_issuer(left: str, right: str) -> bool:
    """Whether two issuers are the same: equal, or two names of one loopback port (``localhost``, ``127.0.0.1``)."""
    return left == right or (_loopback_port(left) is not None and _loopback_port(left) == _loopback_port(right))


def _loopback_port(issuer: str) -> tuple[int | None, str] | None:
    try:
        parts = urlsplit(issuer)
        if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            return None
        return parts.port, parts.path
    except ValueError:
        return None  # not a URL
