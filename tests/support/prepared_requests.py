"""HTTP requests that are sent at the same moment: prepared beforehand, over open connections."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlencode

from .actors import Person, Program
from .pages import Form

#: The header that makes a request kill its worker (see `served_app`).
KILL_HEADER = "X-Die"


@dataclass(frozen=True)
class PreparedRequest:
    """One request."""

    method: str
    path: str
    form: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Sent as JSON instead of a form.
    json: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """The request as it goes over the wire."""
        if self.json is None:
            kind, body = "x-www-form-urlencoded", urlencode(self.form, doseq=True).encode()
        else:
            kind, body = "json", json.dumps(self.json).encode()
        headers = {"Host": "localhost", "Connection": "close", "Content-Length": str(len(body))}
        if body:
            headers["Content-Type"] = f"application/{kind}"
        lines = [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        return "\r\n".join([f"{self.method} {self.path} HTTP/1.1", *lines, "", ""]).encode() + body


@dataclass(frozen=True)
class RawResponse:
    """One response; status 0 if the connection ended without one."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


def send_together(port: int, prepared: Sequence[PreparedRequest], *, timeout: float = 60) -> list[RawResponse]:
    """The responses, in the order of the requests.

    One loop sends faster than a thread per request: all are sent before the server reads the first.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout)) for _ in prepared]
        for connection, loaded in zip(sockets, [request.to_bytes() for request in prepared], strict=True):
            connection.sendall(loaded)
        for connection in sockets:
            # Otherwise gunicorn would wait for us to close each connection.
            connection.shutdown(socket.SHUT_WR)
        return [_read_response(connection) for connection in sockets]


def _read_response(connection: socket.socket) -> RawResponse:
    response = HTTPResponse(connection)
    try:
        response.begin()
        body = response.read().decode()
    except ConnectionError:  # including RemoteDisconnected
        return RawResponse(0)
    return RawResponse(response.status, dict(response.headers), body)


def redemption(program: Program, code: str) -> PreparedRequest:
    """The program redeems a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": program.redirect_uri,
        "code_verifier": program.verifier,
    }
    return PreparedRequest("POST", "/oauth/token", _proof(program) | form)


def refresh(program: Program, token: str) -> PreparedRequest:
    """The program refreshes."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return PreparedRequest("POST", "/oauth/token", _proof(program) | form)


def revocation(program: Program, token: str) -> PreparedRequest:
    """The program revokes a token."""
    return PreparedRequest("POST", "/oauth/revoke", _proof(program) | {"token": token})


def call(access_token: str) -> PreparedRequest:
    """An API request with an access token."""
    return PreparedRequest("GET", "/api/whoami", headers={"Authorization": f"Bearer {access_token}"})


def submission(person: Person, form: Form, **changes: str) -> PreparedRequest:
    """A form that a person's browser sends."""
    return by_browser(person, "POST", form.action, form.values | changes)


def by_browser(person: Person, method: str, path: str, form: Mapping[str, Any] | None = None) -> PreparedRequest:
    """A request with the cookies of a person's browser."""
    area = "/automation" if path.startswith("/automation/") else "/oauth"
    cookies = [person.browser.get_cookie("session"), person.browser.get_cookie("activepieces_browser", path=area)]
    sent = "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies if cookie is not None)
    return PreparedRequest(method, path, form or {}, {"Cookie": sent})


def _proof(program: Program) -> dict[str, str]:
    assert program.client_secret is not None
    return {"client_id": program.client_id, "client_secret": program.client_secret}
