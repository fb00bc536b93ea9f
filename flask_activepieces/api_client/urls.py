"""Where the API of an Activepieces server is, from what a person gives as its address."""

from __future__ import annotations

from urllib.parse import urlsplit


def api_root(base_url: str) -> str:
    """The URL that paths of the API are appended to; `ValueError` says why there can be none.

    ``https://host``, ``https://host/``, ``https://host/api`` and ``https://host/api/v1`` are the same server. What
    ends in ``/v1`` is taken as it is: a 0.78 server without the nginx of its image has no ``/api``.
    """
    address = base_url.strip()
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the base URL must be http(s)://host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the base URL must not contain a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("the base URL must not contain a query or a fragment")
    _ = parts.port  # raises ValueError, with its own words, for what is no port
    path = parts.path.rstrip("/")
    if not path.endswith("/v1"):
        path = f"{path.removesuffix('/api')}/api/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"
