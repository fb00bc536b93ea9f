"""The issuer of codes, tokens and metadata.

With ``ACTIVEPIECES_PUBLIC_URL`` it is that URL, whatever a request contains: a forged Host header cannot get into a
document or a token. Without the setting, only loopback works, with the host name of the request.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ..errors import SetupError
from .urls import is_loopback


def loopback_issuer(asked_url: str) -> str:
    """The issuer of an app without a public URL, for a request to ``asked_url``; `SetupError` off loopback."""
    if not is_loopback(urlsplit(asked_url).hostname or ""):
        raise SetupError(
            "This app does not know its own public address."
            " Set ACTIVEPIECES_PUBLIC_URL, for example to https://app.example.com."
        )
    return asked_url.rstrip("/")


def same_issuer(left: str, right: str) -> bool:
    """Whether two issuers are one: equal, or two names of one loopback port (``localhost``, ``127.0.0.1``)."""
    return left == right or (_loopback_port(left) is not None and _loopback_port(left) == _loopback_port(right))


def _loopback_port(issuer: str) -> tuple[int | None, str] | None:
    try:
        parts = urlsplit(issuer)
        if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            return None
        return parts.port, parts.path
    except ValueError:
        return None  # no URL at all
