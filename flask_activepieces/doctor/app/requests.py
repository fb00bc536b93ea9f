"""What requests to the public URL look like when they reach the app: the doctor sends one, and compares."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from ...api_client.connection_pool import ConnectionPool
from ...api_client.errors import ApiError
from ...api_client.wire import HttpRequest, Timeout
from ...state import State
from ...web.oauth.probe import probe_ticket
from ..findings import Findings, Kind

UNREACHABLE = Kind("public-url-unreachable", "warning", "If others cannot reach it either, no client gets a token.")
OTHER_APP = Kind("public-url-other-app", "error", "Clients and users are sent to this address.")
HOST = Kind("proxy-host", "error", "Links and redirects of the app lead to another host.")
SCHEME = Kind("proxy-scheme", "error", "Links and redirects of the app lead to http.")
PREFIX = Kind("proxy-prefix", "error", "Links on pages omit the path of the app.")
ADDRESS = Kind(
    "proxy-address", "warning", "Failed attempts of all clients count for one address, and the log shows no other."
)

_TIMEOUT = Timeout(connect=5, read=10, total=15)
_PROXY_FIX = "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)"
_REMEDY = f"Let the proxy send the header {{header}}, and Flask use it: {_PROXY_FIX}. Count only your own proxies."


def check_requests(state: State, pool: ConnectionPool | None = None) -> Findings:
    """A request to the public URL reaches this app, with the scheme, host and path that users see."""
    public_url = state.settings.public_url
    if public_url is None:
        return
    url = f"{public_url}{state.settings.oauth_prefix}/probe"
    query = urlencode({"ticket": probe_ticket(state)})
    request = HttpRequest(method="GET", url=f"{url}?{query}", headers={"Accept": "application/json"})
    try:
        response = (pool or ConnectionPool()).send(
            "doctor.probe", request, timeout=_TIMEOUT, deadline=time.monotonic() + _TIMEOUT.total
        )
    except ApiError as error:
        yield UNREACHABLE.found(
            f"{public_url} does not answer this machine: {error.detail}.",
            "Start the app, and check the name, the certificate and the firewall. If only this machine cannot reach"
            " it, ignore this.",
        )
        return
    seen = _seen(response.status, response.body)
    if seen is None:
        yield OTHER_APP.found(
            f"{url} answered {response.status}, and not as this app does.",
            "Correct ACTIVEPIECES_PUBLIC_URL and the proxy. If it is this app, give all its processes the same secret"
            " keys and the same version.",
        )
        return
    yield from _compare(public_url, seen)


def _seen(status: int, body: bytes) -> Mapping[str, Any] | None:
    """What the app saw of the request; None if another app answered."""
    try:
        seen = json.loads(body)
    except ValueError:
        return None
    is_probe = (
        status == 200 and isinstance(seen, dict) and {"root_url", "remote_addr", "forwarded_for"} <= seen.keys()
    )
    return seen if is_probe else None


def _compare(public_url: str, seen: Mapping[str, Any]) -> Findings:
    public, arrived = urlsplit(public_url), urlsplit(str(seen["root_url"]).rstrip("/"))
    for kind, header, expected, actual in (
        (SCHEME, "X-Forwarded-Proto", public.scheme, arrived.scheme),
        (HOST, "X-Forwarded-Host", _host(public.netloc), _host(arrived.netloc)),
        (PREFIX, "X-Forwarded-Prefix", public.path or "/", arrived.path or "/"),
    ):
        if expected != actual:
            yield kind.found(
                f"A request to {public_url} arrives at the app with {actual} instead of {expected}.",
                _REMEDY.format(header=header),
            )
    remote, forwarded_for = seen["remote_addr"], seen["forwarded_for"]
    if forwarded_for and remote not in forwarded_for:
        yield ADDRESS.found(
            f"A request to {public_url} arrives at the app from {remote}, the address of the proxy.",
            _REMEDY.format(header="X-Forwarded-For"),
        )


def _host(netloc: str) -> str:
    # The app may not know the port by which a proxy is reached, but links need it unless it is the scheme's own.
    return netloc.lower().removesuffix(":443").removesuffix(":80")
