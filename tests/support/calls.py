"""A transport that sends nothing: it keeps what was asked, and answers what it was given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_activepieces.api_client import wire
from flask_activepieces.api_client.connection_pool import Timeout
from flask_activepieces.api_client.response import ApiResponse
from flask_activepieces.api_client.wire import ApiCall, Files, Query
from tests.support.recordings import recording

JSON = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Asked:
    """One call as a resource made it."""

    operation: str
    method: str
    path: str
    query: Mapping[str, Any]
    body: Any = None
    files: Files | None = None
    repeatable: bool | None = None
    anonymous: bool = False
    timeout: Timeout | None = None

    @property
    def line(self) -> str:
        """Method and path, for a comparison at a glance."""
        return f"{self.method} {self.path}"


@dataclass
class FakeTransport:
    """Gives its answers in their order, read as the real transport reads them; asked for more, it fails."""

    answers: list[ApiResponse]
    asked: list[Asked] = field(default_factory=list)

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        files: Files | None = None,
        repeatable: bool | None = None,
        anonymous: bool = False,
        timeout: Timeout | None = None,
    ) -> Any:
        """What the next answer says: its JSON, or the error that it means."""
        asked = {name: value for name, value in (query or {}).items() if value not in (None, ())}
        self.asked.append(
            Asked(operation, method, path, asked, body, files, repeatable, anonymous, timeout)
        )
        call = ApiCall(operation=operation, method=method, path=path)
        return wire.decode(call, self.answers.pop(0))

    @property
    def last(self) -> Asked:
        """The latest call."""
        return self.asked[-1]

    @property
    def lines(self) -> list[str]:
        """Method and path of every call."""
        return [asked.line for asked in self.asked]


def says(*bodies: Any) -> FakeTransport:
    """Good answers with these bodies as JSON; a string is the name of a recording."""
    return FakeTransport(
        [recorded(body) if isinstance(body, str) else answer(200, body) for body in bodies]
    )


def answer(status: int, body: Any = None) -> ApiResponse:
    """An answer with this body as JSON, or without one."""
    return (
        ApiResponse(status, {})
        if body is None
        else ApiResponse(status, JSON, json.dumps(body).encode())
    )


def recorded(name: str) -> ApiResponse:
    """What a real server answered."""
    entry = recording(name)
    body = b"" if entry.body is None else json.dumps(entry.body).encode()
    return ApiResponse(entry.status, entry.headers, body)
