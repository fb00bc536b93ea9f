"""The doctor's own request to the public URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from flask_activepieces.doctor.app.requests import check_requests
from flask_activepieces.doctor.findings import Finding
from flask_activepieces.state import get_state
from flask_activepieces.testing.http_server import HttpServer
from tests.conftest import MakeApp
from tests.support.doctor import only
from tests.support.raw_server import raw_server

#: What a proxy changes in a request: the environ of the app.
Change = Callable[[dict[str, Any]], None]
Examine = Callable[..., list[Finding]]


@pytest.fixture
def examine(make_app: MakeApp) -> Iterator[Examine]:
    """Serve the app behind a proxy, and check its requests."""
    servers: list[HttpServer] = []

    def run(change: Change = lambda environ: None, *, path: str = "", wrap: Any = None) -> list[Finding]:
        made: list[Flask] = []

        def serve(environ: dict[str, Any], start: Any) -> Any:
            change(environ)
            return made[0](environ, start)

        server = HttpServer(serve)
        servers.append(server)
        app = make_app(ACTIVEPIECES_PUBLIC_URL=f"http://127.0.0.1:{server.port}{path}")
        if wrap is not None:
            app.wsgi_app = wrap(app.wsgi_app)  # type: ignore[method-assign]  # as Flask does it
        made.append(app)
        return list(check_requests(get_state(app)))

    yield run
    for server in servers:
        with closing(server):
            pass


def below(path: str) -> Change:
    """Mount the app below the path, as a server does that sets SCRIPT_NAME."""

    def change(environ: dict[str, Any]) -> None:
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = path, environ["PATH_INFO"].removeprefix(path)

    return change


def headers(**values: str) -> Change:
    """A proxy that sends these headers: ``X_Forwarded_Proto``."""
    return lambda environ: environ.update({f"HTTP_{name.upper()}": value for name, value in values.items()})


def test_a_request_that_arrives_as_it_was_sent_is_not_reported(examine: Examine) -> None:
    assert examine() == []
    assert examine(below("/crm"), path="/crm") == []


def test_another_scheme_is_found(examine: Examine) -> None:
    finding = only(examine(lambda environ: environ.update({"wsgi.url_scheme": "https"})), "proxy-scheme")

    assert "arrives at the app with https instead of http" in finding.seen
    assert "x_proto=1" in finding.remedy


def test_another_host_is_found(examine: Examine) -> None:
    finding = only(examine(lambda environ: environ.update(HTTP_HOST="backend:8000")), "proxy-host")

    assert "with backend:8000 instead of 127.0.0.1:" in finding.seen
    assert "X-Forwarded-Host" in finding.remedy


def test_a_missing_path_prefix_is_found(examine: Examine) -> None:
    def strip(environ: dict[str, Any]) -> None:
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/crm")

    assert "with / instead of /crm" in only(examine(strip, path="/crm"), "proxy-prefix").seen


def test_the_address_of_the_proxy_is_found(examine: Examine) -> None:
    finding = only(examine(headers(X_Forwarded_For="203.0.113.9")), "proxy-address")

    assert "from 127.0.0.1, the address of the proxy" in finding.seen


def test_headers_that_flask_uses_are_not_reported(examine: Examine) -> None:
    def wrap(app: Any) -> Any:
        return ProxyFix(app, x_for=1)

    assert examine(headers(X_Forwarded_For="93.184.216.34"), wrap=wrap) == []
    assert examine(headers(X_Forwarded_For="93.184.216.34, 10.0.0.7"), wrap=wrap) == []


def test_an_unreachable_public_url_is_found(make_app: MakeApp) -> None:
    with closing(HttpServer(lambda environ, start: [])) as server:
        url = f"http://127.0.0.1:{server.port}"
    app = make_app(ACTIVEPIECES_PUBLIC_URL=url)

    finding = only(check_requests(get_state(app)), "public-url-unreachable")

    assert finding.seen == f"{url} does not answer this machine: the connection was refused."


@pytest.mark.parametrize("body", [{"status": "up"}, ["up"], "<html>"])
@pytest.mark.parametrize("status", [200, 404])
def test_another_app_at_the_public_url_is_found(make_app: MakeApp, status: int, body: object) -> None:
    with raw_server(lambda request: request.answer(status, body)) as server:
        app = make_app(ACTIVEPIECES_PUBLIC_URL=server.url)

        finding = only(check_requests(get_state(app)), "public-url-other-app")

    assert f"answered {status}" in finding.seen


def test_the_same_app_with_other_keys_is_found(make_app: MakeApp) -> None:
    running = make_app(SECRET_KEY="another key of the processes that serve the app")
    with closing(HttpServer(running)) as server:
        app = make_app(ACTIVEPIECES_PUBLIC_URL=f"http://127.0.0.1:{server.port}")

        finding = only(check_requests(get_state(app)), "public-url-other-app")

    assert "the same secret keys" in finding.remedy.replace("\n", " ")


def test_without_a_public_url_no_request_is_sent(app: Flask) -> None:
    assert list(check_requests(get_state(app))) == []


def test_the_ticket_does_not_appear_in_a_finding(make_app: MakeApp) -> None:
    seen: list[str] = []

    def answer(request: Any) -> None:
        seen.append(request.target)
        request.answer(404, {})

    with raw_server(answer) as server:
        app = make_app(ACTIVEPIECES_PUBLIC_URL=server.url)
        findings = json.dumps([finding.to_json() for finding in check_requests(get_state(app))])

    ticket = seen[0].partition("ticket=")[2]
    assert ticket
    assert ticket not in findings
