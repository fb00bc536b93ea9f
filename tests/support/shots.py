"""HTTP requests that leave at the same moment: written beforehand, over connections that are open already."""

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

#: The header by which a request asks for its worker's death (see `served_app`).
DEATH = "X-Die"


@dataclass(frozen=True)
class Shot:
    """One request."""

    method: str
    path: str
    form: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Sent as JSON in place of a form.
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
class Answer:
    """One answer; status 0 where the connection ended without any."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


def fire(port: int, shots: Sequence[Shot], *, timeout: float = 60) -> list[Answer]:
    """The answers, in the order of the shots.

    One loop sends faster than one thread a request would: all have left before the server reads the first.
    """
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout))
            for _ in shots
        ]
        for connection, loaded in zip(sockets, [shot.to_bytes() for shot in shots], strict=True):
            connection.sendall(loaded)
        for connection in sockets:
            # Nothing more will come: else gunicorn would wait for our end of each connection to close.
            connection.shutdown(socket.SHUT_WR)
        return [_answer_on(connection) for connection in sockets]


def _answer_on(connection: socket.socket) -> Answer:
    response = HTTPResponse(connection)
    try:
        response.begin()
        body = response.read().decode()
    except ConnectionError:  # RemoteDisconnected is one too
        return Answer(0)
    return Answer(response.status, dict(response.headers), body)


def redemption(program: Program, code: str) -> Shot:
    """The program redeems a code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": program.redirect_uri,
        "code_verifier": program.verifier,
    }
    return Shot("POST", "/oauth/token", _proof(program) | form)


def refresh(program: Program, token: str) -> Shot:
    """The program refreshes."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return Shot("POST", "/oauth/token", _proof(program) | form)


def revocation(program: Program, token: str) -> Shot:
    """The program gives a token up."""
    return Shot("POST", "/oauth/revoke", _proof(program) | {"token": token})


def call(access_token: str) -> Shot:
    """An API request with an access token."""
    return Shot("GET", "/api/whoami", headers={"Authorization": f"Bearer {access_token}"})


def submission(person: Person, form: Form, **changes: str) -> Shot:
    """A form that a person's browser sends."""
    return by_browser(person, "POST", form.action, form.values | changes)


def by_browser(
    person: Person, method: str, path: str, form: Mapping[str, Any] | None = None
) -> Shot:
    """A request with the cookies of a person's browser."""
    cookies = [
        person.browser.get_cookie("session"),
        person.browser.get_cookie("activepieces_browser", path="/oauth"),
    ]
    sent = "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies if cookie is not None)
    return Shot(method, path, form or {}, {"Cookie": sent})


def _proof(program: Program) -> dict[str, str]:
    assert program.client_secret is not None
    return {"client_id": program.client_id, "client_secret": program.client_secret}
