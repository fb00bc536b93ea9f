"""An app that plays its part for a piece: it records what the piece sends, and answers as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.raw_server import RawServer, Received, raw_server

API = "/api/integration/activepieces/piece"
Answer = Callable[[Received], None]


@dataclass
class PieceHost:
    """The app's address, what it received, and its answers by method and path."""

    server: RawServer
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of the app."""
        return self.server.url

    @property
    def received(self) -> list[Received]:
        """Every request so far."""
        return self.server.received

    @property
    def last(self) -> Received:
        """The request before."""
        return self.received[-1]

    def on(self, method: str, path: str, status: int = 200, body: object = None, **headers: str) -> None:
        """Answer like this from now on."""
        self.answers[method, path] = lambda request: request.answer(status, body, **headers)

    def on_call(self, method: str, path: str, answer: Answer) -> None:
        """Let a function answer from now on."""
        self.answers[method, path] = answer

    def serve(self, request: Received) -> None:
        """Answer one request."""
        answer = self.answers.get((request.method, path_of(request)))
        if answer is None:
            request.answer(404, {"status": 404, "code": "not_found", "detail": f"No {request.target}."})
        else:
            answer(request)


@contextmanager
def running_host() -> Iterator[PieceHost]:
    """A host that ends with the block."""
    hosts: list[PieceHost] = []
    with raw_server(lambda request: hosts[0].serve(request)) as server:
        hosts.append(PieceHost(server))
        yield hosts[0]


def path_of(request: Received) -> str:
    """The path without the query."""
    return urlsplit(request.target).path


def query_of(request: Received) -> dict[str, list[str]]:
    """The query by name."""
    return parse_qs(urlsplit(request.target).query, keep_blank_values=True)


def json_of(request: Received) -> Any:
    """The JSON in the body."""
    return json.loads(request.body)
